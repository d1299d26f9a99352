"""What each third-party network gets: four answers, their reasons, and a payload built up from nothing.

Rules only ever take away. A payload begins as country, language and masked address, and what is allowed is added;
nothing is ever deleted from a fuller one. No account id, device id, call destination, exact age, postal code or
other network's id can enter, because nothing that holds them is handed in.
"""

import hashlib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from targeting.behavioural import Behavioural, Interests
from targeting.consent import PURPOSE_BEHAVIOURAL, PURPOSES_FOR_ID, Consent
from targeting.geo import IpAddress, mask_ip
from targeting.judge import Grant
from targeting.model import AgeBracket, Gender, LimitedFeatures
from targeting.policy import NetworkPolicy, Policy, Rule, SharingPolicy
from targeting.reasons import Reason
from targeting.taxonomy import CATEGORIES, Tier

# What a rule may withhold, and how exact a position may be, as the policy spells it.
CONTACT, PROFILE, USER_ID, PRECISE_POSITION = "contact", "profile", "user_id", "precise_position"
NO_POSITION, COARSE, EXACT = "none", "coarse", "exact"

_ID_BYTES = 16
_NO_CONSENT = Reason.TCF_NO_CONSENT.bit
_FULL_ADDRESS = (32, 128)


class Circumstances(NamedTuple):
    """What one request says that the networks' rules ask about; nothing of it identifies the person."""

    consent: Consent
    limited: LimitedFeatures
    ip: IpAddress | None
    gpp_section_ids: tuple[int, ...] = ()
    global_privacy_control: bool = False
    do_not_track: bool = False
    app: bool = False
    withheld: int = 0
    """The decision's own reasons, as a mask; 0 when behavioural."""


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
    """The reasons against each of the four answers, as masks; 0: yes."""

    contact: int = 0
    profile: int = 0
    user_id: int = 0
    precise_position: int = 0


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
    def reasons(self) -> int:
        """Give everything that withheld something, as a mask."""
        contact, profile, user_id, position = self.withheld
        return contact | profile | user_id | position


class _Offer(NamedTuple):
    """What all networks of one request have in common: what there is to share, and the rules that apply."""

    seen: Circumstances
    shareable: Shareable | None
    interests: tuple[tuple[str, float], ...]
    rules: Sequence[Rule]
    policy: Policy


def decide_networks(
    network_ids: Iterable[str], seen: Circumstances, shareable: Shareable | None, policy: Policy
) -> tuple[NetworkDecision, ...]:
    """Decide for every network asked for, in that order; one named twice, or in another case, is one."""
    offer = _Offer(
        seen,
        shareable,
        _coarse_interests(shareable.features.interests, policy.sharing) if shareable else (),
        [rule for rule in policy.rules if _applies(rule, seen)],
        policy,
    )
    asked: dict[str, str] = {}
    for network_id in network_ids:
        asked.setdefault(network_id.casefold(), network_id)
    return tuple([_decide(network_id, name, offer) for name, network_id in asked.items()])


def _decide(network_id: str, name: str, offer: _Offer) -> NetworkDecision:
    network, seen, shareable = offer.policy.by_id.get(name), offer.seen, offer.shareable
    case = _Case(network, _vendor(network, offer.policy), _taken(name, offer.rules), seen, offer.policy)
    contact = _contact_withheld(case)
    # Who may not be contacted gets nothing, for the same reasons.
    profile, user_id = contact | _profile_withheld(case), contact | _id_withheld(case)
    no_place = contact | _place_withheld(case)
    permitted = NO_POSITION if network is None else network.precise_position
    bits = _address_bits(network, offer.policy, masked=bool(no_place))
    return NetworkDecision(
        network_id,
        network,
        Withheld(contact, profile, user_id, no_place | _by_policy(network, allowed=permitted == EXACT)),
        NO_POSITION if no_place else permitted,
        bits,
        seen.limited,
        "" if seen.ip is None else mask_ip(seen.ip, *bits),
        "" if user_id or shareable is None else _user_id(name, shareable),
        None if profile or shareable is None or network is None else _profile(network.fields, shareable, offer),
    )


class _Case(NamedTuple):
    """One network in one request; ``taken`` is what the policy's rules take away here."""

    network: NetworkPolicy | None
    vendor: int
    taken: frozenset[str]
    seen: Circumstances
    policy: Policy


def _contact_withheld(case: _Case) -> int:
    return case.seen.consent.contact_withheld(case.vendor, case.policy) | _by_rule(case, CONTACT)


def _profile_withheld(case: _Case) -> int:
    allowed = case.network is not None and bool(case.network.fields)
    mask = case.seen.withheld | _by_policy(case.network, allowed=allowed) | _by_rule(case, PROFILE)
    if not case.seen.consent.has_basis(PURPOSE_BEHAVIOURAL, case.vendor, case.policy):
        mask |= _NO_CONSENT
    return mask


def _id_withheld(case: _Case) -> int:
    allowed = case.network is not None and case.network.user_id
    mask = case.seen.withheld | _by_policy(case.network, allowed=allowed) | _by_rule(case, USER_ID)
    if not any(case.seen.consent.has_basis(purpose, case.vendor, case.policy) for purpose in PURPOSES_FOR_ID):
        mask |= _NO_CONSENT
    return mask


def _place_withheld(case: _Case) -> int:
    """Give the reasons, the network's own permissions aside, against a precise position and a full address."""
    mask = case.seen.withheld | case.seen.consent.position_withheld(case.vendor) | _by_rule(case, PRECISE_POSITION)
    return mask | (Reason.NETWORK_UNKNOWN.bit if case.network is None else 0)


def _by_policy(network: NetworkPolicy | None, *, allowed: bool) -> int:
    if network is None:
        return Reason.NETWORK_UNKNOWN.bit
    return 0 if allowed else Reason.NETWORK_POLICY.bit


def _by_rule(case: _Case, thing: str) -> int:
    return Reason.NETWORK_POLICY.bit if thing in case.taken else 0


def _vendor(network: NetworkPolicy | None, policy: Policy) -> int:
    """Give the id in the Global Vendor List that consent is asked for; 0: nobody, who never has any."""
    if network is None:
        return 0
    return network.tcf_vendor_id or (policy.gdpr.host_vendor_id if network.first_party else 0)


def _taken(name: str, rules: Sequence[Rule]) -> frozenset[str]:
    return frozenset([thing for rule in rules if rule.names(name) for thing in rule.withhold])


def _applies(rule: Rule, seen: Circumstances) -> bool:
    """Tell whether a rule's conditions hold, or may hold: of an unknown place every place may be meant."""
    limited = seen.limited
    countries = {limited.country, limited.ip_country} - {""}
    return (
        (not rule.countries or not countries or not countries.isdisjoint(rule.countries))
        and (not rule.subdivisions or _may_be_in(rule.subdivisions, limited))
        and (not rule.gpp_sections or not set(seen.gpp_section_ids).isdisjoint(rule.gpp_sections))
        and rule.global_privacy_control in {None, seen.global_privacy_control}
        and rule.do_not_track in {None, seen.do_not_track}
        and rule.app in {None, seen.app}
    )


def _may_be_in(subdivisions: Iterable[str], limited: LimitedFeatures) -> bool:
    if limited.ip_subdivision:
        return limited.ip_subdivision in subdivisions
    return not limited.ip_country or any(each.startswith(limited.ip_country) for each in subdivisions)


def _address_bits(network: NetworkPolicy | None, policy: Policy, *, masked: bool) -> tuple[int, int]:
    masks = policy.masks
    if network is None:
        return masks.ipv4_bits, masks.ipv6_bits
    if network.full_ip and not masked:
        return _FULL_ADDRESS
    return min(masks.ipv4_bits, network.ipv4_bits), min(masks.ipv6_bits, network.ipv6_bits)


def _user_id(name: str, shareable: Shareable) -> str:
    """Hash network and person with our key, so that two networks cannot join their ids; without a key there is none."""
    if not shareable.id_key:
        return ""
    text = name.encode() + b"\0" + shareable.owner
    return hashlib.blake2b(text, digest_size=_ID_BYTES, key=shareable.id_key).hexdigest()


def _profile(allowed: tuple[str, ...], shareable: Shareable, offer: _Offer) -> ThirdPartyProfile:
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
    strongest = [
        (-round(score * steps), code)
        for code, score in zip(interests.codes.tolist(), interests.scores.tolist(), strict=True)
        if code in codes
    ][: sharing.max_interests]
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
