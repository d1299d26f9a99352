"""What each third-party network gets: four answers, their reasons, and a payload built up from nothing.

Rules only ever take away. A payload begins as country, language and masked address, and what is allowed is added;
nothing is ever deleted from a fuller one. No account id, device id, call destination, exact age, postal code or
other network's id can enter, because nothing that holds them is handed in.
"""

import hashlib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from targeting.behavioural import Behavioural, Interests
from targeting.consent import PURPOSE_BEHAVIOURAL, PURPOSE_CONTACT, RequestConsent
from targeting.features.taxonomy import CATEGORIES, Tier
from targeting.judge import Grant
from targeting.model import AgeBracket, Gender, LimitedFeatures
from targeting.places.geo import IpAddress, mask_ip
from targeting.policy.policy import NetworkPolicy, NetworkRule, Policy, SharingPolicy
from targeting.reasons import NO_REASONS, Reason, Reasons

# What a rule may withhold, and how exact a position may be, as the policy spells it.
CONTACT, PROFILE, USER_ID, PRECISE_POSITION = "contact", "profile", "user_id", "precise_position"
NO_POSITION, COARSE, EXACT = "none", "coarse", "exact"

_ID_BYTES = 16
_NO_CONSENT, _UNKNOWN, _BY_POLICY = (
    Reason.TCF_NO_CONSENT.bit,
    Reason.NETWORK_UNKNOWN.bit,
    Reason.NETWORK_POLICY.bit,
)
_FULL_ADDRESS = (32, 128)


class NetworkContext(NamedTuple):
    """What one request says that the networks' rules ask about; nothing of it identifies the person."""

    consent: RequestConsent
    limited: LimitedFeatures
    ip: IpAddress | None
    gpp_section_ids: tuple[int, ...] = ()
    global_privacy_control: bool = False
    do_not_track: bool = False
    app: bool = False
    in_doubt: bool = False
    """Whether a signal was there that cannot be read: it may be any that a rule asks about."""
    shown_countries: tuple[str, ...] = ()
    shown_subdivisions: tuple[str, ...] = ()
    """Places besides those of the limited features; ``US-`` is one in a subdivision that cannot be read."""
    withheld: Reasons = NO_REASONS
    """The decision's own reasons; none when behavioural."""


class Shareable(NamedTuple):
    """What a behavioural decision may hand on: the features and the person's pseudonym, the latter to be hashed."""

    grant: Grant
    features: Behavioural
    owner: bytes
    id_key: bytes

    def __repr__(self) -> str:
        """Show nothing of the person."""
        return "Shareable()"


class ThirdPartyProfile(NamedTuple):
    """The coarse profile; a field that the network may not have is empty."""

    age_bracket: AgeBracket = AgeBracket.UNKNOWN
    gender: Gender = Gender.UNKNOWN
    country: str = ""
    language: str = ""
    interests: tuple[tuple[str, float], ...] = ()


class Withheld(NamedTuple):
    """The reasons against each of the four answers; none: yes."""

    contact: Reasons = NO_REASONS
    profile: Reasons = NO_REASONS
    user_id: Reasons = NO_REASONS
    precise_position: Reasons = NO_REASONS


class NetworkDecision(NamedTuple):
    """The four answers for one network and its payload.

    ``policy`` is the network's part of the policy, None for an unknown one; ``position`` is none, coarse or exact.
    ``address_bits`` says how many leading bits of an IPv4 and of an IPv6 address the network may see.
    """

    network_id: str
    policy: NetworkPolicy | None
    withheld: Withheld
    precise_position: str
    address_bits: tuple[int, int]
    limited: LimitedFeatures
    masked_ip: str
    network_user_id: str = ""
    profile: ThirdPartyProfile | None = None

    @property
    def contact_allowed(self) -> bool:
        """Tell whether the network may be contacted at all."""
        return not self.withheld.contact

    @property
    def precise_position_allowed(self) -> bool:
        """Tell whether a precise position may be passed on as it is."""
        return self.precise_position == EXACT

    @property
    def reasons(self) -> Reasons:
        """Give everything that withheld something."""
        contact, profile, user_id, position = self.withheld
        return Reasons(contact | profile | user_id | position)


class _Basis(NamedTuple):
    """The reasons that the consent strings give against three of the answers for one vendor."""

    contact: Reasons
    profile: Reasons
    precise_position: Reasons


class _BatchContext(NamedTuple):
    """What all networks of one request have in common; ``bases`` and ``addresses`` keep what was worked out already."""

    seen: NetworkContext
    shareable: Shareable | None
    interests: tuple[tuple[str, float], ...]
    rules: Sequence[NetworkRule]
    policy: Policy
    bases: dict[int, _Basis]
    addresses: dict[tuple[int, int], str]


def decide_networks(
    network_ids: Iterable[str], seen: NetworkContext, shareable: Shareable | None, policy: Policy
) -> tuple[NetworkDecision, ...]:
    """Decide for every network asked for, in that order; one named twice, or in another case, is one."""
    interests = _coarse_interests(shareable.features.interests, policy.sharing) if shareable else ()
    countries = frozenset({seen.limited.country, seen.limited.ip_country, *seen.shown_countries} - {""})
    rules = [rule for rule in policy.rules if _applies(rule, seen, countries)]
    offer = _BatchContext(seen, shareable, interests, rules, policy, {}, {})
    asked: dict[str, str] = {}
    for network_id in network_ids:
        asked.setdefault(network_id.casefold(), network_id)
    return tuple([_decide(network_id, name, offer) for name, network_id in asked.items()])


def _decide(network_id: str, name: str, offer: _BatchContext) -> NetworkDecision:
    network, shareable = offer.policy.by_id.get(name), offer.shareable
    withheld, no_place = _withheld(name, network, offer)
    bits = _address_bits(network, offer.policy, masked=bool(no_place))
    profile = None
    if shareable is not None and network is not None and not withheld.profile:
        profile = _profile(network.fields, shareable, offer)
    return NetworkDecision(
        network_id=network_id,
        policy=network,
        withheld=withheld,
        precise_position=NO_POSITION if no_place or network is None else network.precise_position,
        address_bits=bits,
        limited=offer.seen.limited,
        masked_ip=_address(bits, offer),
        network_user_id="" if withheld.user_id or shareable is None else _user_id(name, shareable),
        profile=profile,
    )


def _withheld(name: str, network: NetworkPolicy | None, offer: _BatchContext) -> tuple[Withheld, Reasons]:
    """Give the reasons against each answer, and those against any position or full address at all."""
    taken = _taken(name, offer.rules) if offer.rules else {}
    basis = _basis(_vendor(network, offer.policy), offer)
    contact = Reasons(basis.contact | taken.get(CONTACT, 0))
    # Who may not be contacted gets nothing, for the same reasons.
    unless = contact | offer.seen.withheld | (_UNKNOWN if network is None else 0)
    profile = unless | basis.profile | taken.get(PROFILE, 0)
    # Any one of the purposes 2 to 10 will do for an id: whoever may be contacted, which needs purpose 2, has one.
    user_id = unless | taken.get(USER_ID, 0)
    no_place = Reasons(unless | basis.precise_position | taken.get(PRECISE_POSITION, 0))
    if network is None:
        return Withheld(contact, Reasons(profile), Reasons(user_id), no_place), no_place
    return Withheld(
        contact,
        Reasons(profile if network.fields else profile | _BY_POLICY),
        Reasons(user_id if network.user_id else user_id | _BY_POLICY),
        no_place if network.precise_position == EXACT else Reasons(no_place | _BY_POLICY),
    ), no_place


def _basis(vendor: int, offer: _BatchContext) -> _Basis:
    if vendor not in offer.bases:
        consent, policy = offer.seen.consent, offer.policy
        offer.bases[vendor] = _Basis(
            NO_REASONS if consent.has_basis(PURPOSE_CONTACT, vendor, policy) else _NO_CONSENT,
            NO_REASONS if consent.has_basis(PURPOSE_BEHAVIOURAL, vendor, policy) else _NO_CONSENT,
            consent.position_withheld(vendor, policy),
        )
    return offer.bases[vendor]


def _taken(name: str, rules: Sequence[NetworkRule]) -> dict[str, Reasons]:
    """Give what the rules that apply take away from a network, with the reason."""
    return {thing: _BY_POLICY for rule in rules if rule.names(name) for thing in rule.withhold}


def _vendor(network: NetworkPolicy | None, policy: Policy) -> int:
    """Give the id in the Global Vendor List that consent is asked for; 0: nobody, who never has any."""
    if network is None:
        return 0
    return network.tcf_vendor_id or (policy.gdpr.host_vendor_id if network.first_party else 0)


def _applies(rule: NetworkRule, seen: NetworkContext, countries: frozenset[str]) -> bool:
    """Tell whether a rule's conditions hold, or may hold: an unknown place may be any, an unreadable signal, too."""
    return (
        (not rule.countries or not countries or not countries.isdisjoint(rule.countries))
        and (not rule.subdivisions or _may_be_in(rule.subdivisions, seen))
        and (not rule.gpp_sections or seen.in_doubt or not set(seen.gpp_section_ids).isdisjoint(rule.gpp_sections))
        and (rule.global_privacy_control in {None, seen.global_privacy_control} or seen.in_doubt)
        and (rule.do_not_track in {None, seen.do_not_track} or seen.in_doubt)
        and (rule.app is None or rule.app == seen.app)
    )


def _may_be_in(subdivisions: Sequence[str], seen: NetworkContext) -> bool:
    limited = seen.limited
    if not limited.ip_country:
        return True
    known = {limited.ip_subdivision, *seen.shown_subdivisions} - {""}
    countries = {limited.ip_country, *seen.shown_countries}
    # Of a country in which no subdivision is known, or is stated but cannot be read, every one may be meant.
    vague = {f"{country}-" for country in countries if not any(each.startswith(country) for each in known)}
    places = known | vague
    return any(each in places or each[:3] in places for each in subdivisions)


def _address_bits(network: NetworkPolicy | None, policy: Policy, *, masked: bool) -> tuple[int, int]:
    masks = policy.masks
    if network is None:
        return masks.ipv4_bits, masks.ipv6_bits
    if network.full_ip and not masked:
        return _FULL_ADDRESS
    return min(masks.ipv4_bits, network.ipv4_bits), min(masks.ipv6_bits, network.ipv6_bits)


def _address(bits: tuple[int, int], offer: _BatchContext) -> str:
    if offer.seen.ip is None:
        return ""
    if bits not in offer.addresses:
        offer.addresses[bits] = mask_ip(offer.seen.ip, *bits)
    return offer.addresses[bits]


def _user_id(name: str, shareable: Shareable) -> str:
    """Hash network and person with our key, so that two networks cannot join their ids; without a key there is none."""
    if not shareable.id_key:
        return ""
    text = name.encode() + b"\0" + shareable.owner
    return hashlib.blake2b(text, digest_size=_ID_BYTES, key=shareable.id_key).hexdigest()


def _profile(allowed: tuple[str, ...], shareable: Shareable, offer: _BatchContext) -> ThirdPartyProfile:
    demographics, limited = shareable.features.demographics, offer.seen.limited
    return ThirdPartyProfile(
        age_bracket=demographics.age_bracket if "age_bracket" in allowed else AgeBracket.UNKNOWN,
        gender=demographics.gender if "gender" in allowed else Gender.UNKNOWN,
        country=limited.country if "country" in allowed else "",
        language=limited.language if "language" in allowed else "",
        interests=offer.interests if "interests" in allowed else (),
    )


def _coarse_interests(interests: Interests, sharing: SharingPolicy) -> tuple[tuple[str, float], ...]:
    """Give the strongest segments with rounded scores, equal ones in the order of their ids.

    Exact scores, and an order made from them, would tell people apart and let two networks find out that they see
    the same person. The name of an outside source's segment says who supplied it, and may say more: only the
    IAB's ids go out.
    """
    codes, steps = _shareable_codes(sharing.withheld_categories), sharing.score_steps
    ranked = zip(interests.codes.tolist(), interests.scores.tolist(), strict=True)
    strongest = islice(
        ((-round(score * steps), code) for code, score in ranked if code in codes), sharing.max_interests
    )
    return tuple([(str(code), -rounded / steps) for rounded, code in sorted(strongest) if rounded])


@lru_cache(maxsize=8)
def _shareable_codes(withheld_categories: tuple[str, ...]) -> frozenset[int]:
    """Give the segments of the taxonomy that may be shared: age, gender, income and the like are no interests."""
    return frozenset(
        code
        for category in CATEGORIES
        if category.tier is not Tier.DEMOGRAPHIC and category.name not in withheld_categories
        for code in category.codes
    )
