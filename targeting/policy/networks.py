"""The part of the policy that says what may go to networks, and how coarse it is.

Invariant: everything here permits at most what ``docs/privacy.md`` guarantees, or takes away. No value of it lifts a
person's choice. This module reads no file and decides nothing.
"""

from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from targeting.features.taxonomy import CATEGORIES, Tier
from targeting.places.iso3166 import COUNTRIES
from targeting.policy.profile_fields import SHAREABLE_FIELDS
from targeting.policy.validation import at_least, bounds, matches, never, one_of, some_of

MAX_IPV4_BITS = 24
MAX_IPV6_BITS = 56

NETWORK_ID = matches(r"[^\s\x00-\x1f\x7f]{1,64}", "1 to 64 characters without spaces")

_COUNTRY_CODES = "ISO 3166-1 alpha-2 country codes"
_SEGMENT_CATEGORIES = tuple(dict.fromkeys(each.name for each in CATEGORIES if each.tier is not Tier.DEMOGRAPHIC))
_NAME = r"[A-Za-z0-9_-]+"
_PARAMETER = matches(_NAME, "a name")
_EXTENSION = matches(rf"{_NAME}(\.{_NAME})*", "a name, or names with dots between them")


@dataclass(frozen=True, slots=True)
class MaskPolicy:
    """How many leading bits of an IP address any network may see."""

    ipv4_bits: int = field(default=MAX_IPV4_BITS, metadata=bounds(0, MAX_IPV4_BITS))
    ipv6_bits: int = field(default=MAX_IPV6_BITS, metadata=bounds(0, MAX_IPV6_BITS))


@dataclass(frozen=True, slots=True)
class SharingPolicy:
    """How coarse a profile is that goes to a network."""

    max_interests: int = field(default=16, metadata=bounds(0, 64))
    score_steps: int = field(default=10, metadata=bounds(1, 100))
    """Scores go out in steps of one over this: exact ones would tell people apart."""
    withheld_categories: tuple[str, ...] = field(
        default=("Health and Medical Services", "Medical Health", "Pharmaceuticals, Conditions, and Symptoms"),
        metadata=some_of(_SEGMENT_CATEGORIES, "categories of the IAB Audience Taxonomy 1.1, but no demographic ones"),
    )


@dataclass(frozen=True, slots=True)
class FingerprintPolicy:
    """What limited mode does to a bid request's description of the device."""

    reduce_in_limited_mode: bool = True


@dataclass(frozen=True, slots=True)
class BidRequestPolicy:
    """What a prepared bid request may hold besides what OpenRTB defines: names of extensions, dots between levels."""

    source: str = field(default="adtargeting.local", metadata=matches(r"[a-z0-9.-]{1,253}", "a domain name"))
    """Whose ids and segments they are: ``user.eids[].source`` and ``user.data[].name``."""
    request_ext: tuple[str, ...] = field(
        default=("prebid.channel", "prebid.targeting", "schain"),
        metadata=_EXTENSION | never("prebid.bidderparams", "prebid.bidderconfig", "prebid.data"),
    )
    impression_ext: tuple[str, ...] = field(
        default=(
            *("ae", "data.adserver.adslot", "data.adserver.name", "data.pbadslot", "gpid"),
            *("prebid.is_rewarded_inventory", "skadn", "tid"),
        ),
        metadata=_EXTENSION | never("prebid.bidder"),
    )
    user_ext: tuple[str, ...] = field(default=(), metadata=_EXTENSION | never("eids", "prebid.buyeruids", "data"))
    device_ext: tuple[str, ...] = field(
        default=(), metadata=_EXTENSION | never("ifv", "idfv", "ifa", "ifa_type", "ip", "ipv6", "x-forwarded-for")
    )
    parameters: tuple[str, ...] = field(
        default=("accountId", "adUnit", "placementId", "publisherId", "siteId", "tagId", "unit", "zoneId"),
        metadata=_PARAMETER,
    )
    """What a network's own parameters may be called; those with other names are not passed on."""


@dataclass(frozen=True, slots=True)
class NetworkRule:
    """Something taken away where every stated condition holds. An absent condition always holds."""

    withhold: tuple[str, ...] = field(
        metadata=some_of(("contact", "profile", "user_id", "precise_position"), "") | at_least(1)
    )
    networks: tuple[str, ...] = field(
        default=(), metadata=matches(r"[^\s\x00-\x1f\x7f]{1,64}", "a pattern of network ids")
    )
    """Patterns of network ids, as in a shell; none: every network."""
    countries: tuple[str, ...] = field(default=(), metadata=some_of(COUNTRIES, _COUNTRY_CODES))
    subdivisions: tuple[str, ...] = field(
        default=(), metadata=matches(r"[A-Z]{2}-[A-Z0-9]{1,3}", "an ISO 3166-2 code such as US-CA")
    )
    gpp_sections: tuple[int, ...] = field(default=(), metadata=bounds(1, 4095))
    global_privacy_control: bool | None = None
    do_not_track: bool | None = None
    app: bool | None = None

    def names(self, network_id: str) -> bool:
        """Tell whether the rule is for the network with this id, in lower case."""
        # Only * and ? are special: an id may hold brackets.
        patterns = (pattern.casefold().replace("[", "[[]") for pattern in self.networks)
        return not self.networks or any(fnmatchcase(network_id, pattern) for pattern in patterns)

    @property
    def is_conditional(self) -> bool:
        """Tell whether the rule asks about the request, and not about the network alone."""
        stated = (self.global_privacy_control, self.do_not_track, self.app)
        return bool(self.countries or self.subdivisions or self.gpp_sections) or any(
            each is not None for each in stated
        )


@dataclass(frozen=True, slots=True)
class NetworkPolicy:
    """What one network may ever have; a person's choice and the rules take away from it."""

    id: str = field(metadata=NETWORK_ID)
    name: str = ""
    first_party: bool = False
    tcf_vendor_id: int = field(default=0, metadata=bounds(0, 65_535))
    fields: tuple[str, ...] = field(default=(), metadata=some_of(SHAREABLE_FIELDS, ""))
    user_id: bool = False
    buyeruid: bool = False
    """Whether it may have back the id that it gave the person itself, where it may have an id at all."""
    precise_position: str = field(default="none", metadata=one_of("none", "coarse", "exact"))
    full_ip: bool = False
    ipv4_bits: int = field(default=MAX_IPV4_BITS, metadata=bounds(0, MAX_IPV4_BITS))
    ipv6_bits: int = field(default=MAX_IPV6_BITS, metadata=bounds(0, MAX_IPV6_BITS))
    """Leading bits of a masked address; the stricter of this and ``masks`` counts."""
    bidder: str = ""
    """Its name in the extensions of bid requests; empty: its id."""
    parameters: tuple[str, ...] = field(default=(), metadata=_PARAMETER)
    """Further names of its own parameters that are passed on."""

    @property
    def name_in_extensions(self) -> str:
        """Give the name by which extensions of bid requests call the network, in lower case."""
        return (self.bidder or self.id).casefold()
