"""The policy: every choice that the rules leave open, as one frozen value.

The defaults are built in; a TOML file overrides them (``docs/policy.md``). ``policy_from`` validates a file whole
or refuses it, naming the key. This module reads no file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from types import MappingProxyType

from targeting.iso3166 import COUNTRIES
from targeting.policy_reading import PolicyError, bounds, one_of, read, some_of
from targeting.profile_fields import SHAREABLE_FIELDS
from targeting.signals.vendor_list import VendorList

__all__ = ["DEFAULT_POLICY", "NetworkPolicy", "Policy", "PolicyError", "Rule", "policy_from"]

# Where the GDPR, or its twin, applies: the EEA, the United Kingdom, Switzerland, and their territories with a
# country code of their own (GDPR Art. 3 and TFEU Art. 355; UK GDPR; Swiss FADP).
GDPR_COUNTRIES = (
    *("AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE", "IT", "LV", "LT", "LU"),
    *("MT", "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE", "IS", "LI", "NO", "GB", "CH"),
    *("AX", "BL", "GF", "GG", "GI", "GP", "IM", "JE", "MF", "MQ", "PM", "RE", "SJ", "YT"),
)

WITHHOLDABLE = ("contact", "profile", "user_id", "precise_position")


@dataclass(frozen=True, slots=True)
class SignalPolicy:
    """Which signals count."""

    honour_do_not_track: bool = False
    store_global_privacy_control: bool = True
    store_industry_opt_out: bool = False


@dataclass(frozen=True, slots=True)
class ChildrenPolicy:
    """Under which age a person is a child, in years; ``age_by_country`` by ISO 3166-1 alpha-2."""

    age: int = field(default=13, metadata=bounds(0, 21))
    age_by_country: Mapping[str, int] = field(
        default_factory=lambda: MappingProxyType({}), metadata=bounds(0, 21) | {"keys": COUNTRIES}
    )


@dataclass(frozen=True, slots=True)
class GdprPolicy:
    """Where the GDPR applies, and as whom we ask for consent."""

    countries: tuple[str, ...] = field(default=GDPR_COUNTRIES, metadata=some_of(COUNTRIES))
    host_vendor_id: int = field(default=0, metadata=bounds(0, 65_535))
    """Our id in IAB Europe's Global Vendor List; 0: we are no vendor there, and no string can name us."""
    vendor_list: str = ""
    """Path of a Global Vendor List (specification 3, JSON); empty: the consent bits alone count."""
    applies_in: frozenset[str] = field(default=frozenset(GDPR_COUNTRIES), metadata={"derived": True})
    """``countries``, for looking up."""

    def __post_init__(self) -> None:
        """Keep ``applies_in`` in step with ``countries``."""
        object.__setattr__(self, "applies_in", frozenset(self.countries))


@dataclass(frozen=True, slots=True)
class HalfLifePolicy:
    """After how many days without new evidence a score is worth half."""

    content: float = field(default=14.0, metadata=bounds(0.01, 3650))
    purchase: float = field(default=45.0, metadata=bounds(0.01, 3650))
    external: float = field(default=7.0, metadata=bounds(0.01, 3650))
    destination: float = field(default=90.0, metadata=bounds(0.01, 3650))


@dataclass(frozen=True, slots=True)
class FeaturePolicy:
    """How much a behavioural answer holds."""

    max_interests: int = field(default=32, metadata=bounds(0, 64))
    min_interest_score: float = field(default=0.01, metadata=bounds(0, 1))
    max_call_destinations: int = field(default=8, metadata=bounds(0, 32))
    max_exposures: int = field(default=32, metadata=bounds(0, 128))
    postal_prefix_characters: int = field(default=3, metadata=bounds(0, 16))


@dataclass(frozen=True, slots=True)
class OptOutPolicy:
    """What an opt-out does to the profile, and the cookie that carries it."""

    on_opt_out: str = field(default="freeze", metadata=one_of("freeze", "erase"))
    cookie_days: int = field(default=1826, metadata=bounds(1, 3650))
    cookie_domain: str = ""


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """How long a profile is kept after the last activity, in days (13 months)."""

    profile_days: int = field(default=396, metadata=bounds(1, 3650))


@dataclass(frozen=True, slots=True)
class MaskPolicy:
    """How many leading bits of an IP address a third party may see."""

    ipv4_bits: int = field(default=24, metadata=bounds(0, 32))
    ipv6_bits: int = field(default=56, metadata=bounds(0, 128))


@dataclass(frozen=True, slots=True)
class FingerprintPolicy:
    """What limited mode does to a bid request's description of the device."""

    reduce_in_limited_mode: bool = True


@dataclass(frozen=True, slots=True)
class Rule:
    """Something taken away where every stated condition holds. An absent condition always holds."""

    withhold: tuple[str, ...] = field(metadata=some_of(WITHHOLDABLE))
    networks: tuple[str, ...] = ()
    """Patterns of network ids, as in a shell; none: every network."""
    countries: tuple[str, ...] = field(default=(), metadata=some_of(COUNTRIES))
    subdivisions: tuple[str, ...] = ()
    gpp_sections: tuple[int, ...] = ()
    global_privacy_control: bool | None = None
    app: bool | None = None

    def names(self, network_id: str) -> bool:
        """Tell whether the rule is for this network."""
        return not self.networks or any(fnmatchcase(network_id, pattern.casefold()) for pattern in self.networks)


@dataclass(frozen=True, slots=True)
class NetworkPolicy:
    """What one network may ever have; a person's choice and the rules take away from it."""

    id: str
    name: str = ""
    first_party: bool = False
    tcf_vendor_id: int = field(default=0, metadata=bounds(0, 65_535))
    fields: tuple[str, ...] = field(default=(), metadata=some_of(SHAREABLE_FIELDS))
    user_id: bool = False
    precise_position: str = field(default="none", metadata=one_of("none", "coarse", "exact"))
    full_ip: bool = False


@dataclass(frozen=True, slots=True)
class Policy:
    """The whole policy."""

    version: str = "built-in"
    signals: SignalPolicy = SignalPolicy()
    children: ChildrenPolicy = field(default_factory=ChildrenPolicy)
    gdpr: GdprPolicy = GdprPolicy()
    half_life_days: HalfLifePolicy = HalfLifePolicy()
    features: FeaturePolicy = FeaturePolicy()
    opt_out: OptOutPolicy = OptOutPolicy()
    retention: RetentionPolicy = RetentionPolicy()
    masks: MaskPolicy = MaskPolicy()
    fingerprint: FingerprintPolicy = FingerprintPolicy()
    networks: tuple[NetworkPolicy, ...] = ()
    rules: tuple[Rule, ...] = ()
    vendor_list: VendorList | None = field(default=None, metadata={"derived": True})
    """The vendor list behind ``gdpr.vendor_list``, once whoever reads files has read it."""

    def network(self, network_id: str) -> NetworkPolicy | None:
        """Find a network by its id, in any case."""
        wanted = network_id.casefold()
        return next((network for network in self.networks if network.id.casefold() == wanted), None)

    def child_age(self, country: str) -> int:
        """Give the age, in years, under which a person of this country is a child."""
        return self.children.age_by_country.get(country, self.children.age)


def policy_from(data: Mapping[str, object]) -> Policy:
    """Validate a parsed policy file. Raises ``PolicyError``, which names the key."""
    policy = read(Policy, data)
    seen: set[str] = set()
    for index, network in enumerate(policy.networks):
        if not network.id or network.id.casefold() in seen:
            raise PolicyError(f"networks[{index}].id", "must be there, and once only, whatever its case")
        seen.add(network.id.casefold())
    return policy


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
"""Used without a policy file. Its two networks are there to try the service with."""
