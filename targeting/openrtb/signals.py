"""The privacy signals of a bid request, from where OpenRTB 2.5 and 2.6 keep them.

Where a signal is in both places the more restrictive one counts, and of two different strings each must allow.
Invariant: a signal that is there in another form than the specification's is unreadable, and limits; nothing that
is read here can make a decision less restrictive than its absence would, but for a stated country or ``gdpr: 0``.
Knows nothing of what a signal leads to.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from targeting.model import NO_SIGNALS, Signals
from targeting.openrtb.forms import DEVICE, DEVICE_EXT, REGS, USER, USER_EXT, Validators, is_text
from targeting.openrtb.schema import OBJECTS
from targeting.places.geo import UNKNOWN_LOCATION, IpLocation, location_of
from targeting.places.locale import parse_country

Object = Mapping[str, Any]

_NOTHING: Final[Object] = {}
_DEVICE: Final[Validators] = {**DEVICE, **dict.fromkeys(("ip", "ipv6", "langb", "language"), is_text)}
_HOLDERS: Final[Mapping[str, Validators]] = {"regs": REGS, "user": USER, "device": DEVICE}
_GEO: Final[Validators] = {"country": is_text}
_PLAIN_NAMES: Final = frozenset(
    name for known in (*OBJECTS.values(), REGS, DEVICE_EXT) for name in known if name == name.casefold()
)
"""Names that stand in their own case: the specification's fields, nearly all that a bid request has."""
_GDPR: Final = frozenset({"regs.gdpr", "regs.ext.gdpr"})
_SET: Final = frozenset({1, "1"})
_AUTHORISED: Final = 3
"""``device.ext.atts``: 0 is undetermined, 1 restricted, 2 denied."""
_FROM_ATTS: Final = (14, 2)
_BEFORE_ATTS: Final = frozenset({(14, 0), (14, 1)})
_APPLE: Final = ("ios", "ipados", "iphone", "tvos")
# "14.1", "14_1_2", "iOS 14.0", "iPhone OS 14_0", "14.0b1"
_VERSION: Final = re.compile(
    r"(?:(?:iphone os|ios|ipados|tvos)\s*)?(\d{1,4})(?:[._](\d{1,4}))?(?:[._]\d{1,4})*(?:\s?[a-z]+\d*)?", re.ASCII
)
_NO_ID: Final = frozenset({"", "null", "none", "undefined"})


class RequestSignals(NamedTuple):
    """What a bid request says for its own decision.

    ``addresses`` are those of the device, as written; ``language`` a BCP 47 tag, as written; ``place`` the device's,
    as stated; ``countries`` and ``subdivisions`` all that are stated (ISO 3166-1 alpha-2, ISO 3166-2; ``US-`` is a
    subdivision that cannot be read).
    """

    signals: Signals
    addresses: tuple[str, ...]
    language: str
    place: IpLocation
    countries: tuple[str, ...]
    subdivisions: tuple[str, ...]
    in_app: bool

    def __repr__(self) -> str:
        """Show nothing of the person."""
        return "RequestSignals()"


def read_signals(bid_request: Object, *, targeted_ads_off: bool = False) -> RequestSignals:
    """Read the signals of a bid request whose fields were checked."""
    reader = _SignalReader()
    reader.unreadable += _misspelt(bid_request)
    regs, user = bid_request.get("regs", _NOTHING), bid_request.get("user", _NOTHING)
    device, in_app = bid_request.get("device", _NOTHING), "app" in bid_request
    signals = _regulations(reader, regs) if regs else NO_SIGNALS
    said, below = (
        reader.read("user", user, USER),
        reader.read("user.ext", user.get("ext", _NOTHING), USER_EXT),
    )
    consents = _different(said.get("consent"), below.get("consent"))
    shown = reader.read("device", device, _DEVICE)
    languages = _different(shown.get("langb"), shown.get("language"))
    (place, there), (home, at_home) = reader.place("device.geo", device), reader.place("user.geo", user)
    limits_tracking = _limits_tracking(reader, device, in_app=in_app)
    return RequestSignals(
        signals._replace(
            targeted_ads_off=targeted_ads_off,
            do_not_track=shown.get("dnt") == 1,
            limit_ad_tracking=shown.get("lmt") == 1 or limits_tracking,
            tcf_consent=consents[0] if consents else "",
            more_tcf_consents=consents[1:],
            unreadable=tuple(reader.unreadable),
        ),
        _different(shown.get("ip"), shown.get("ipv6")),
        languages[0] if languages else "",
        place,
        tuple([each.country for each in (place, home) if each.country]),
        tuple([each for each in (there, at_home) if each]),
        in_app,
    )


def _misspelt(bid_request: Object) -> list[str]:
    """Name the objects that hold signals under a name in another case: some readers do not tell cases apart."""
    if _PLAIN_NAMES.issuperset(bid_request):
        return []
    return [
        known
        for name, value in bid_request.items()
        if (known := name.casefold()) in _HOLDERS
        and known != name
        and isinstance(value, dict)
        and any(each.casefold() in _HOLDERS[known] for each in value)
    ]


class _SignalReader:
    """Hears what has its form, and keeps the paths of what has another."""

    __slots__ = ("unreadable",)

    def __init__(self) -> None:
        self.unreadable: list[str] = []

    def read(self, path: str, holder: Object, forms: Validators) -> dict[str, Any]:
        """Give those of an object's members that the table has and that have their form."""
        found: dict[str, Any] = {}
        for name, has_form in forms.items():
            if name not in holder:
                continue
            if has_form(holder[name]):
                found[name] = holder[name]
            else:
                self.unreadable.append(f"{path}.{name}")
        if _PLAIN_NAMES.issuperset(holder):
            return found
        for name in holder:
            if (known := name.casefold()) in forms and known not in holder:
                # Some readers do not tell cases apart, so this may be the signal.
                self.unreadable.append(f"{path}.{known}")
        return found

    def place(self, path: str, holder: Object) -> tuple[IpLocation, str]:
        """Read country and region, the latter as OpenRTB or as ISO 3166-2 writes it, in any case.

        Then the subdivision for rules by place: of one that is stated but cannot be read the country with a hyphen.
        """
        geo = holder.get("geo", _NOTHING)
        country = parse_country(self.read(path, geo, _GEO).get("country", ""))
        if country is None:
            return UNKNOWN_LOCATION, ""
        stated = geo.get("region", "").strip().upper().removeprefix(f"{country}-")
        place = location_of(country, stated)
        return place, place.subdivision or (f"{country}-" if stated else "")


def _different(*texts: str | None) -> tuple[str, ...]:
    """Give the texts that are there and not empty, each once."""
    return tuple(dict.fromkeys(filter(None, texts)))


def _regulations(reader: _SignalReader, regs: Object) -> Signals:
    here, below = reader.read("regs", regs, REGS), reader.read("regs.ext", regs.get("ext", _NOTHING), REGS)
    gdpr = {here.get("gdpr"), below.get("gdpr")}
    strings = _different(here.get("gpp"), below.get("gpp"))
    us_privacies = _different(here.get("us_privacy"), below.get("us_privacy"))
    # A flag that cannot be read may as well say yes.
    in_scope = 1 in gdpr or not _GDPR.isdisjoint(reader.unreadable)
    return Signals(
        child_directed=1 in {here.get("coppa"), below.get("coppa")},
        global_privacy_control=not _SET.isdisjoint({here.get("gpc"), below.get("gpc")}),
        gdpr_applies=in_scope if in_scope or 0 in gdpr else None,
        gpp=strings[0] if strings else "",
        more_gpps=strings[1:],
        gpp_section_ids=tuple(dict.fromkeys([*here.get("gpp_sid", ()), *below.get("gpp_sid", ())])),
        us_privacy=us_privacies[0] if us_privacies else "",
        more_us_privacies=us_privacies[1:],
    )


def _limits_tracking(reader: _SignalReader, device: Object, *, in_app: bool) -> bool:
    """Read what stands for Limit Ad Tracking on Apple's devices since iOS 14. It can only add a limit."""
    status = reader.read("device.ext", device.get("ext", _NOTHING), DEVICE_EXT).get("atts", _AUTHORISED)
    is_apple = in_app and device.get("os", "").strip().lower().startswith(_APPLE)
    if status == _AUTHORISED and not is_apple:
        return False
    version = _version(device.get("osv", ""))
    if status != _AUTHORISED and not (version and version < _FROM_ATTS):
        return True
    has_id = device.get("ifa", "").strip().lower().strip("0-") not in _NO_ID
    # Of a version that nobody can read it may be either.
    return is_apple and not has_id and (version is None or version in _BEFORE_ATTS)


def _version(text: str) -> tuple[int, int] | None:
    found = _VERSION.fullmatch(text.strip().lower())
    return (int(found[1]), int(found[2] or 0)) if found else None
