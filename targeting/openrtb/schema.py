"""The fields of an OpenRTB 2.6 bid request and their JSON types, as data.

Source: IAB Tech Lab, OpenRTB 2.6, section 3.2 (CC BY 3.0; reduced to names and types). A test compares this table
with the project's copy of the specification's tables.
"""

from collections.abc import Mapping
from typing import Final

# Object: field:type. [type] is an array; any is a signal, of any type.
_TABLE: Final = """
    BidRequest: id:str imp:[Imp] site:Site app:App dooh:DOOH device:Device user:User test:int at:int
        tmax:int wseat:[str] bseat:[str] allimps:int cur:[str] wlang:[str] wlangb:[str] acat:[str]
        bcat:[str] cattax:int badv:[str] bapp:[str] source:Source regs:Regs
    Source: fd:int tid:str pchain:str schain:SupplyChain
    Regs: coppa:any gdpr:any us_privacy:any gpp:any gpp_sid:any
    Imp: id:str metric:[Metric] banner:Banner video:Video audio:Audio native:Native pmp:Pmp
        displaymanager:str displaymanagerver:str instl:int tagid:str bidfloor:float bidfloorcur:str
        clickbrowser:int secure:int iframebuster:[str] rwdd:int ssai:int exp:int qty:Qty dt:float
        refresh:Refresh
    Metric: type:str value:float vendor:str
    Banner: format:[Format] w:int h:int btype:[int] battr:[int] pos:int mimes:[str] topframe:int
        expdir:[int] api:[int] id:str vcm:int
    Video: mimes:[str] minduration:int maxduration:int startdelay:int maxseq:int poddur:int protocols:[int]
        w:int h:int podid:str podseq:int rqddurs:[int] placement:int plcmt:int linearity:int skip:int
        skipmin:int skipafter:int sequence:int slotinpod:int mincpmpersec:float battr:[int] maxextended:int
        minbitrate:int maxbitrate:int boxingallowed:int playbackmethod:[int] playbackend:int delivery:[int]
        pos:int companionad:[Banner] api:[int] companiontype:[int] poddedupe:[int] durfloors:[DurFloors]
    Audio: mimes:[str] minduration:int maxduration:int poddur:int protocols:[int] startdelay:int
        rqddurs:[int] podid:str podseq:int sequence:int slotinpod:int mincpmpersec:float battr:[int]
        maxextended:int minbitrate:int maxbitrate:int delivery:[int] companionad:[Banner] api:[int]
        companiontype:[int] maxseq:int feed:int stitched:int nvol:int durfloors:[DurFloors]
    Native: request:str ver:str api:[int] battr:[int]
    Format: w:int h:int wratio:int hratio:int wmin:int
    Pmp: private_auction:int deals:[Deal]
    Deal: id:str bidfloor:float bidfloorcur:str at:int wseat:[str] wadomain:[str] guar:int
        mincpmpersec:float durfloors:[DurFloors]
    Site: id:str name:str domain:str cattax:int cat:[str] sectioncat:[str] pagecat:[str] page:str ref:str
        search:str mobile:int privacypolicy:int publisher:Publisher content:Content keywords:str
        kwarray:[str] inventorypartnerdomain:str
    App: id:str name:str bundle:str domain:str storeurl:str cattax:int cat:[str] sectioncat:[str]
        pagecat:[str] ver:str privacypolicy:int paid:int publisher:Publisher content:Content keywords:str
        kwarray:[str] inventorypartnerdomain:str
    Publisher: id:str name:str cattax:int cat:[str] domain:str
    Content: id:str episode:int title:str series:str season:str artist:str genre:str gtax:int genres:[str]
        album:str isrc:str producer:Producer url:str cattax:int cat:[str] prodq:int context:int
        contentrating:str userrating:str qagmediarating:int keywords:str kwarray:[str] livestream:int
        sourcerelationship:int len:int language:str langb:str embeddable:int data:[Data] network:Network
        channel:Channel realtime:int firstbroadcast:int
    Producer: id:str name:str cattax:int cat:[str] domain:str
    Device: geo:Geo dnt:any lmt:any ua:str sua:UserAgent ip:any ipv6:any devicetype:int make:str model:str
        os:str osv:str hwv:str h:int w:int ppi:int pxratio:float js:int geofetch:int flashver:str
        language:any langb:any carrier:str mccmnc:str connectiontype:int ifa:str didsha1:str didmd5:str
        dpidsha1:str dpidmd5:str macsha1:str macmd5:str
    Geo: lat:float lon:float type:int accuracy:int lastfix:int ipservice:int country:any region:str
        regionfips104:str metro:str city:str zip:str utcoffset:int
    User: id:str buyeruid:str yob:any gender:str keywords:str kwarray:[str] customdata:str geo:Geo
        data:[Data] consent:any eids:[EID]
    Data: id:str name:str cids:[str] segment:[Segment]
    Segment: id:str name:str value:str
    Network: id:str name:str domain:str
    Channel: id:str name:str domain:str
    SupplyChain: complete:int nodes:[SupplyChainNode] ver:str
    SupplyChainNode: asi:str sid:str rid:str name:str domain:str hp:int
    EID: inserter:str source:str matcher:str mm:int uids:[UID]
    UID: id:str atype:int
    UserAgent: browsers:[BrandVersion] platform:BrandVersion mobile:int architecture:str bitness:str
        model:str source:int
    BrandVersion: brand:str version:[str]
    Qty: multiplier:float sourcetype:int vendor:str
    DOOH: id:str name:str venuetype:[str] venuetypetax:int publisher:Publisher domain:str keywords:str
        content:Content
    Refresh: refsettings:[RefSettings] count:int
    RefSettings: reftype:int minint:int
    DurFloors: mindur:int maxdur:int bidfloor:float
"""
# The extensions that this service knows: of OpenRTB 2.5 and 2.6, of IAB Tech Lab's SKAdNetwork and OM SDK, of Prebid.
_EXTENSIONS: Final = """
    BidRequest.ext: schain:SupplyChain prebid:Prebid
    Prebid: channel:PrebidChannel targeting:PrebidTargeting
    PrebidChannel: name:str version:str
    PrebidTargeting: includewinners:bool includebidderkeys:bool includeformat:bool preferdeals:bool
        durationrangesec:[int] pricegranularity:str
    Source.ext: schain:SupplyChain omidpn:str omidpv:str
    Imp.ext: ae:int data:ImpData gpid:str prebid:PrebidImp skadn:SKAdNetwork tid:str
    ImpData: adserver:AdServer pbadslot:str slot:str
    AdServer: adslot:str name:str
    PrebidImp: is_rewarded_inventory:int
    SKAdNetwork: version:str versions:[str] sourceapp:str skadnetids:[str] skadnetlist:SKAdNetworkList
        productpage:int skoverlay:int
    SKAdNetworkList: max:int excl:[int] addl:[str]
    Data.ext: segtax:int segclass:str
"""
Objects = Mapping[str, Mapping[str, str]]
"""Object → field → type, as in the tables above."""


def _objects(table: str) -> dict[str, dict[str, str]]:
    objects: dict[str, dict[str, str]] = {}
    for word in table.split():
        name, _, kind = word.partition(":")
        if kind:
            objects[next(reversed(objects))][name] = kind
        else:
            objects[name] = {}
    return objects


def element_of(kind: str) -> str:
    """Return the type of a field, or of the items of an array: ``Imp`` for ``[Imp]``."""
    return kind.strip("[]")


OBJECTS: Final[Objects] = {name: {**fields, "ext": "object"} for name, fields in _objects(_TABLE).items()}
"""The objects of the specification; ``ext`` is an object everywhere."""

EXTENSIONS: Final[Objects] = _objects(_EXTENSIONS)
"""The objects of known extensions; ``Imp.ext`` is that of ``Imp``."""

EXTENSION_NAMES: Final = frozenset(
    ("atts", "bidder", "bidderparams", "bidders", "buyeruids", "consent", "dsa", "gdpr", "gpc", "gpid", "prebid")
)
"""Names within well-known extensions."""

NAMES: Final = frozenset(OBJECTS["BidRequest"]).union(*OBJECTS.values()) | EXTENSION_NAMES
"""Every name that an error message may show: names of the specification say nothing about a person."""
