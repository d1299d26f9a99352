"""The part of the policy that controls what networks may receive, and how coarse it is.

Invariant: no setting permits more than ``docs/privacy.md`` guarantees, and none lifts a person's choice. This module
reads no file and decides nothing.
"""

from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from targeting.features.taxonomy import CATEGORIES, Tier
from targeting.places.iso3166 import COUNTRIES
from targeting.policy.profile_fields import SHAREABLE_FIELDS
from targeting.policy.validation import at_least, bounds, matches, never, never_within, one_of, some_of

MAX_IPV4_BITS = 24
MAX_IPV6_BITS = 56

NETWORK_ID = matches(r"[^\s\x00-\x1f\x7f]{1,64}", "1 to 64 characters without spaces")

_COUNTRY_CODES = "ISO 3166-1 alpha-2 country codes (GB, not UK)"
_SEGMENT_CATEGORIES = tuple(
    dict.fromkeys(category.name for category in CATEGORIES if category.tier is not Tier.DEMOGRAPHIC)
)
EXTENSIBLE_OBJECTS = (
    *("app", "audio", "banner", "channel", "content", "data", "deal", "dooh", "durfloors", "format", "metric"),
    *("native", "network", "pmp", "producer", "publisher", "qty", "refresh", "refsettings", "segment", "site"),
    *("source", "supplychain", "supplychainnode", "video"),
)
"""Objects of a bid request that are sent, besides impressions, by their OpenRTB names in lower case."""

PERSONAL_NAMES = (
    *("aa", "buyeruid", "buyeruids", "customdata", "device", "didmd5", "didsha1", "dpidmd5", "dpidsha1", "eids"),
    *("email", "gaid", "geo", "hem", "idfa", "idfv", "ifa", "ifa_type", "ifv", "ip", "ipv6", "lat", "lon", "macmd5"),
    *("macsha1", "phone", "sua", "ua", "uid", "uids", "user", "userid", "x-forwarded-for", "yob"),
)
"""Names of persons, devices and their ids, embeddings (``aa``) among them: no extension of such a name is sent."""

_NAME = r"[A-Za-z0-9_-]+"
_PARAMETER = matches(_NAME, "a name")
_EXTENSION = matches(rf"{_NAME}(\.{_NAME})*", "a name, or names with dots between them") | never_within(*PERSONAL_NAMES)
_OBJECT_EXTENSION = matches(
    rf"({'|'.join(EXTENSIBLE_OBJECTS)})(\.{_NAME})+", "an object, a dot, and a name, such as video.rewarded"
) | never_within(*PERSONAL_NAMES)


@dataclass(frozen=True, slots=True)
class MaskPolicy:
    """How many leading bits of an IP address a network may see."""

    ipv4_bits: int = field(default=MAX_IPV4_BITS, metadata=bounds(0, MAX_IPV4_BITS))
    ipv6_bits: int = field(default=MAX_IPV6_BITS, metadata=bounds(0, MAX_IPV6_BITS))


@dataclass(frozen=True, slots=True)
class SharingPolicy:
    """How coarse the profile is that a network receives."""

    max_interests: int = field(default=16, metadata=bounds(0, 64))
    score_steps: int = field(default=10, metadata=bounds(1, 100))
    """Scores are rounded to multiples of 1/score_steps: exact scores would identify a person."""
    id_epoch: int = field(default=0, metadata=bounds(0, 2**31 - 1))
    """Part of every id that a network gets: another epoch gives every network new ids, not to be joined to the old."""
    withheld_categories: tuple[str, ...] = field(
        default=("Health and Medical Services", "Medical Health", "Pharmaceuticals, Conditions, and Symptoms"),
        metadata=some_of(_SEGMENT_CATEGORIES, "categories of the IAB Audience Taxonomy 1.1, but no demographic ones"),
    )


@dataclass(frozen=True, slots=True)
class FingerprintPolicy:
    """How limited mode reduces a bid request's description of the device."""

    reduce_in_limited_mode: bool = True


@dataclass(frozen=True, slots=True)
class BidRequestPolicy:
    """What a prepared bid request may contain beyond OpenRTB's fields: extensions by dotted name."""

    source: str = field(default="adtargeting.local", metadata=matches(r"[a-z0-9.-]{1,253}", "a domain name"))
    """The domain in ``user.eids[].source`` and ``user.data[].name``."""
    request_ext: tuple[str, ...] = field(
        default=("prebid.channel", "prebid.targeting", "schain"),
        metadata=_EXTENSION | never("prebid.bidderparams", "prebid.bidderconfig", "prebid.data"),
    )
    impression_ext: tuple[str, ...] = field(
        default=(
            *("data.adserver.adslot", "data.adserver.name", "data.pbadslot", "data.slot", "gpid"),
            *("prebid.is_rewarded_inventory", "skadn", "tid"),
        ),
        metadata=_EXTENSION | never("prebid.bidder"),
    )
    user_ext: tuple[str, ...] = field(default=(), metadata=_EXTENSION | never("data"))
    device_ext: tuple[str, ...] = field(default=(), metadata=_EXTENSION)
    object_ext: tuple[str, ...] = field(
        default=("data.segtax", "source.omidpn", "source.omidpv", "source.schain"), metadata=_OBJECT_EXTENSION
    )
    """Extensions of all other objects: the object, a dot, and the name."""
    parameters: tuple[str, ...] = field(
        default=("accountId", "adUnit", "placementId", "publisherId", "siteId", "tagId", "unit", "zoneId"),
        metadata=_PARAMETER,
    )
    """Names of a network's own parameters that are passed on."""


@dataclass(frozen=True, slots=True)
class NetworkRule:
    """Withhold something where every stated condition holds. An absent condition always holds."""

    withhold: tuple[str, ...] = field(
        metadata=some_of(("contact", "profile", "user_id", "precise_position"), "") | at_least(1)
    )
    networks: tuple[str, ...] = field(
        default=(), metadata=matches(r"[^\s\x00-\x1f\x7f]{1,64}", "a pattern of network ids")
    )
    """Shell-style patterns of network ids; empty means every network."""
    countries: tuple[str, ...] = field(default=(), metadata=some_of(COUNTRIES, _COUNTRY_CODES))
    subdivisions: tuple[str, ...] = field(
        default=(), metadata=matches(r"[A-Z]{2}-[A-Z0-9]{1,3}", "an ISO 3166-2 code such as US-CA")
    )
    gpp_sections: tuple[int, ...] = field(default=(), metadata=bounds(1, 4095))
    global_privacy_control: bool | None = None
    do_not_track: bool | None = None
    app: bool | None = None

    def names(self, network_id: str) -> bool:
        """Whether the rule is for the network with this id, in lower case."""
        # Only * and ? are special: an id may contain brackets.
        patterns = (pattern.casefold().replace("[", "[[]") for pattern in self.networks)
        return not self.networks or any(fnmatchcase(network_id, pattern) for pattern in patterns)

    @property
    def is_conditional(self) -> bool:
        """Whether the rule depends on the request, and not on the network alone."""
        stated = (self.global_privacy_control, self.do_not_track, self.app)
        return bool(self.countries or self.subdivisions or self.gpp_sections) or any(
            condition is not None for condition in stated
        )


@dataclass(frozen=True, slots=True)
class NetworkPolicy:
    """The most that one network may receive; a person's choice and the rules only reduce it."""

    id: str = field(metadata=NETWORK_ID)
    name: str = ""
    first_party: bool = False
    tcf_vendor_id: int = field(default=0, metadata=bounds(0, 65_535))
    fields: tuple[str, ...] = field(default=(), metadata=some_of(SHAREABLE_FIELDS, ""))
    user_id: bool = False
    buyeruid: bool = False
    """Whether it may receive its own ``buyeruid``, where it may receive an id at all."""
    precise_position: str = field(default="none", metadata=one_of("none", "coarse", "exact"))
    full_ip: bool = False
    ipv4_bits: int = field(default=MAX_IPV4_BITS, metadata=bounds(0, MAX_IPV4_BITS))
    ipv6_bits: int = field(default=MAX_IPV6_BITS, metadata=bounds(0, MAX_IPV6_BITS))
    """Leading bits of a masked address; the smaller of this and ``masks`` applies."""
    bidder: str = ""
    """Its name in the extensions of bid requests; defaults to its id."""
    parameters: tuple[str, ...] = field(default=(), metadata=_PARAMETER)
    """Names of its own parameters that are passed on besides ``bid_request.parameters``."""

    @property
    def name_in_extensions(self) -> str:
        """The network's name in the extensions of bid requests, in lower case."""
        return (self.bidder or self.id).casefold()
