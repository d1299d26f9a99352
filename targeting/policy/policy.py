"""The policy: every choice that belongs to the operator, as one frozen value.

The defaults are built in; a TOML file overrides them (``docs/policy.md``). ``policy_from`` accepts a file as a whole
or refuses it and names the key. This module reads no file.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from targeting.places.iso3166 import COUNTRIES
from targeting.policy.networks import (
    BidRequestPolicy,
    FingerprintPolicy,
    MaskPolicy,
    NetworkPolicy,
    NetworkRule,
    SharingPolicy,
)
from targeting.policy.profile_fields import SHAREABLE_FIELDS
from targeting.policy.validation import (
    PolicyError,
    bounds,
    keyed_by,
    keys_matching,
    matches,
    one_of,
    read_dataclass,
    some_of,
)
from targeting.signals.tcf.vendor_list import VendorList

__all__ = [
    "DEFAULT_POLICY",
    "BidRequestPolicy",
    "FingerprintPolicy",
    "MaskPolicy",
    "NetworkPolicy",
    "NetworkRule",
    "Policy",
    "PolicyError",
    "SharingPolicy",
    "policy_from",
]

# Where the GDPR or its equivalent applies: the EEA, the United Kingdom, Switzerland, and their territories with
# their own country code (GDPR Art. 3 and TFEU Art. 355; UK GDPR; Swiss FADP).
GDPR_COUNTRIES = (
    *("AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE", "IT", "LV", "LT", "LU"),
    *("MT", "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE", "IS", "LI", "NO", "GB", "CH"),
    *("AX", "BL", "GF", "GG", "GI", "GP", "IM", "JE", "MF", "MQ", "PM", "RE", "SJ", "YT"),
)

_COUNTRY_CODES = "ISO 3166-1 alpha-2 country codes (GB, not UK)"
_SUBDIVISION = r"[A-Z]{2}-[A-Z0-9]{1,3}"
_SUBDIVISIONS = "ISO 3166-2 codes such as US-CT"
_PLACES = "ISO 3166-1 alpha-2 or ISO 3166-2 codes such as BR or CA-QC"


@dataclass(frozen=True, slots=True)
class SignalPolicy:
    """Which signals apply, and which are stored."""

    honour_do_not_track: bool = False
    store_global_privacy_control: bool = True
    store_industry_opt_out: bool = True
    new_device_days: int = field(default=400, metadata=bounds(1, 3650))
    """Days after the last sighting for which the opt-out of a device of which nothing else is stored is kept."""
    new_devices_per_second: int = field(default=10, metadata=bounds(0, 100_000))
    """How many such devices each caller may have stored in one second; the rest are counted, not stored."""


@dataclass(frozen=True, slots=True)
class ChildrenPolicy:
    """Below which age (years) a person is a child: everywhere, by country and by subdivision (ISO 3166-2)."""

    age: int = field(default=13, metadata=bounds(0, 21))
    age_by_country: Mapping[str, int] = field(
        default_factory=lambda: MappingProxyType({}), metadata=bounds(0, 21) | keyed_by(COUNTRIES, _COUNTRY_CODES)
    )

    age_by_subdivision: Mapping[str, int] = field(
        default_factory=lambda: MappingProxyType({}),
        metadata=bounds(0, 21) | keys_matching(_SUBDIVISION, _SUBDIVISIONS),
    )
    subdivisions_of: Mapping[str, Mapping[str, int]] = field(init=False, repr=False, metadata={"derived": True})
    """``age_by_subdivision``, by country."""
    is_uniform: bool = field(init=False, repr=False, metadata={"derived": True})
    """Whether one age counts everywhere."""

    def __post_init__(self) -> None:
        """Derive ``subdivisions_of`` and ``is_uniform`` from the tables of ages."""
        of_country: dict[str, dict[str, int]] = {}
        for subdivision, age in self.age_by_subdivision.items():
            of_country.setdefault(subdivision[:2], {})[subdivision] = age
        object.__setattr__(self, "subdivisions_of", MappingProxyType(of_country))
        object.__setattr__(self, "is_uniform", not self.age_by_country and not self.age_by_subdivision)

    def age_in(self, country: str, subdivisions: Iterable[str] = ()) -> int:
        """Return the age below which a person is a child in a country, and in subdivisions that it may have.

        Where the country is unknown the highest age of all counts; where no subdivision of it is known, or one is
        named that cannot be read (``US-``), the highest age that is listed within it.
        """
        if not country:
            return max((self.age, *self.age_by_country.values(), *self.age_by_subdivision.values()))
        age = self.age_by_country.get(country, self.age)
        listed = self.subdivisions_of.get(country)
        if listed is None:
            return age
        vague = f"{country}-"
        known = {subdivision for subdivision in subdivisions if subdivision.startswith(vague)}
        if not known or vague in known:
            return max((age, *listed.values()))
        return max(listed.get(subdivision, age) for subdivision in known)


@dataclass(frozen=True, slots=True)
class GdprPolicy:
    """Where the GDPR applies, and the vendor that we ask consent for."""

    countries: tuple[str, ...] = field(default=GDPR_COUNTRIES, metadata=some_of(COUNTRIES, _COUNTRY_CODES))
    host_vendor_id: int = field(default=0, metadata=bounds(0, 65_535))
    """Our id in IAB Europe's Global Vendor List; 0 means that we are not listed, so no TC string can name us."""
    vendor_list: str = ""
    """Path of a Global Vendor List (specification 3, JSON); without one only the consent bits apply."""
    also_required_purposes: tuple[int, ...] = field(default=(), metadata=bounds(1, 24))
    """Purposes that a behavioural answer needs a basis for, besides purpose 4."""
    applies_in: frozenset[str] = field(default=frozenset(GDPR_COUNTRIES), metadata={"derived": True})
    """``countries`` as a set."""

    def __post_init__(self) -> None:
        """Derive ``applies_in`` from ``countries``."""
        object.__setattr__(self, "applies_in", frozenset(self.countries))


@dataclass(frozen=True, slots=True)
class ConsentPolicy:
    """Where targeting needs the person's explicit consent, beyond the rules of the consent strings."""

    explicit_opt_in_in: tuple[str, ...] = field(
        default=(), metadata=matches(r"[A-Z]{2}(-[A-Z0-9]{1,3})?", f"one of the {_PLACES}")
    )
    """Countries and subdivisions where behavioural mode, and recording, need a stored opt-in."""


@dataclass(frozen=True, slots=True)
class HalfLifePolicy:
    """After how many days without new evidence a score is halved."""

    content: float = field(default=14.0, metadata=bounds(0.01, 3650))
    purchase: float = field(default=45.0, metadata=bounds(0.01, 3650))
    external: float = field(default=7.0, metadata=bounds(0.01, 3650))
    destination: float = field(default=90.0, metadata=bounds(0.01, 3650))


@dataclass(frozen=True, slots=True)
class FeaturePolicy:
    """How much a behavioural answer contains."""

    max_interests: int = field(default=32, metadata=bounds(0, 64))
    min_interest_score: float = field(default=0.01, metadata=bounds(0, 1))
    max_call_destinations: int = field(default=8, metadata=bounds(0, 32))
    max_exposures: int = field(default=32, metadata=bounds(0, 128))
    postal_prefix_characters: int = field(default=3, metadata=bounds(0, 16))


@dataclass(frozen=True, slots=True)
class OptOutPolicy:
    """What an opt-out does to the profile, and the cookie that records it."""

    on_opt_out: str = field(default="freeze", metadata=one_of("freeze", "erase"))
    cookie_days: int = field(default=400, metadata=bounds(1, 400))
    """Browsers keep no cookie for longer than 400 days (RFC 6265bis, section 5.5)."""
    cookie_domain: str = field(default="", metadata=matches(r"[A-Za-z0-9.-]{0,253}", "a domain name, or empty"))


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """How long a profile is kept after the last activity, in days (13 months)."""

    profile_days: int = field(default=396, metadata=bounds(1, 3650))


@dataclass(frozen=True, slots=True)
class Policy:
    """The whole policy."""

    version: str = field(default="built-in", metadata=matches(r"[!-~]{1,64}", "1 to 64 visible ASCII characters"))
    shadow: str = ""
    """Path of a policy that judges every decision as well and changes nothing; without one, empty."""
    signals: SignalPolicy = field(default_factory=SignalPolicy)
    children: ChildrenPolicy = field(default_factory=ChildrenPolicy)
    gdpr: GdprPolicy = field(default_factory=GdprPolicy)
    consent: ConsentPolicy = field(default_factory=ConsentPolicy)
    half_life_days: HalfLifePolicy = field(default_factory=HalfLifePolicy)
    features: FeaturePolicy = field(default_factory=FeaturePolicy)
    opt_out: OptOutPolicy = field(default_factory=OptOutPolicy)
    retention: RetentionPolicy = field(default_factory=RetentionPolicy)
    masks: MaskPolicy = field(default_factory=MaskPolicy)
    sharing: SharingPolicy = field(default_factory=SharingPolicy)
    fingerprint: FingerprintPolicy = field(default_factory=FingerprintPolicy)
    bid_request: BidRequestPolicy = field(default_factory=BidRequestPolicy)
    networks: tuple[NetworkPolicy, ...] = ()
    rules: tuple[NetworkRule, ...] = ()
    vendor_list: VendorList | None = field(default=None, metadata={"derived": True})
    """The parsed file of ``gdpr.vendor_list``; set by the module that reads files."""

    by_id: Mapping[str, NetworkPolicy] = field(init=False, repr=False, metadata={"derived": True})
    """The networks by id in lower case."""

    names_in_extensions: frozenset[str] = field(init=False, repr=False, metadata={"derived": True})
    """The networks' names in the extensions of bid requests, in lower case."""

    def __post_init__(self) -> None:
        """Derive the lookup tables from ``networks``."""
        by_id = {network.id.casefold(): network for network in self.networks}
        object.__setattr__(self, "by_id", MappingProxyType(by_id))
        names = frozenset(network.name_in_extensions for network in self.networks)
        object.__setattr__(self, "names_in_extensions", names)


def policy_from(table: Mapping[str, object]) -> Policy:
    """Return the policy of a parsed file. Raises ``PolicyError``, which names the key."""
    policy = read_dataclass(Policy, table)
    _check_ids(policy)
    _check_bidders(policy)
    _check_extensions(policy)
    _check_subdivisions(policy)
    return policy


def _check_ids(policy: Policy) -> None:
    seen: set[str] = set()
    for index, network in enumerate(policy.networks):
        if network.id.casefold() in seen:
            raise PolicyError(f"networks[{index}].id", "must be unique, regardless of case; use another id")
        seen.add(network.id.casefold())


def _check_bidders(policy: Policy) -> None:
    """Refuse a shared name: it would expose one network's parameters and buyeruids to the other."""
    seen: set[str] = set()
    for index, network in enumerate(policy.networks):
        name = network.name_in_extensions
        if name in seen or (name != network.id.casefold() and name in policy.by_id):
            raise PolicyError(
                f"networks[{index}].bidder", "must not be the name of another network, regardless of case"
            )
        seen.add(name)


def _check_extensions(policy: Policy) -> None:
    """Refuse an extension that is a network's name: it would expose the network's parameters to all others."""
    names = policy.names_in_extensions | policy.by_id.keys()
    for key in ("request_ext", "impression_ext"):
        for index, path in enumerate(getattr(policy.bid_request, key)):
            if path.partition(".")[0].casefold() in names:
                raise PolicyError(
                    f"bid_request.{key}[{index}]",
                    "must not be the name of a network; its parameters are for that network alone",
                )


def _check_subdivisions(policy: Policy) -> None:
    for number, rule in enumerate(policy.rules):
        for index, subdivision in enumerate(rule.subdivisions):
            if subdivision[:2] not in COUNTRIES:
                key = f"rules[{number}].subdivisions[{index}]"
                raise PolicyError(key, "must begin with an ISO 3166-1 alpha-2 country code")


DEFAULT_POLICY = Policy(
    networks=(
        NetworkPolicy(id="house", name="Our own sales house", first_party=True, fields=SHAREABLE_FIELDS, user_id=True),
        NetworkPolicy(
            id="partner",
            name="A contracted partner",
            fields=("age_bracket", "country", "language", "interests"),
        ),
    )
)
"""The policy without a file. Its two networks are examples."""
