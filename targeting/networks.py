"""What each third-party network gets: four answers, their reasons, and a payload built up from nothing.

Rules only ever take away. A payload begins as country, language and masked address, and what is allowed is added;
nothing is ever deleted from a fuller one. No account id, device id, call destination, exact age, postal code or
other network's id can enter, because nothing that holds them is handed in.
"""

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

from targeting.behavioural import Behavioural
from targeting.consent import PURPOSE_BEHAVIOURAL, PURPOSE_CONTACT, PURPOSES_FOR_ID, Consent
from targeting.geo import IpAddress, format_ip, mask_ip
from targeting.judge import Grant
from targeting.model import AgeBracket, Gender, LimitedFeatures
from targeting.policy import NetworkPolicy, Policy, Rule
from targeting.profile import OUTSIDE_CODE
from targeting.reasons import Reason

CONTACT, PROFILE, USER_ID, PRECISE_POSITION = "contact", "profile", "user_id", "precise_position"

_ID_BYTES = 16
_NO_CONSENT = Reason.TCF_NO_CONSENT.bit


class Circumstances(NamedTuple):
    """What one request says that the networks' rules ask about; nothing of it identifies the person."""

    consent: Consent
    limited: LimitedFeatures
    ip: IpAddress | None
    gpp_section_ids: tuple[int, ...] = ()
    global_privacy_control: bool = False
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


class NetworkDecision(NamedTuple):
    """The four answers for one network and its payload. ``precise_position`` is none, coarse or exact."""

    network_id: str
    contact_allowed: bool
    precise_position: str
    reasons: int
    limited: LimitedFeatures
    masked_ip: str
    network_user_id: str = ""
    profile: ThirdPartyProfile | None = None


def decide_networks(
    network_ids: Iterable[str], seen: Circumstances, shareable: Shareable | None, policy: Policy
) -> tuple[NetworkDecision, ...]:
    """Decide for every network asked for, in that order; one named twice, or in another case, is one."""
    asked = {network_id.casefold(): network_id for network_id in reversed(tuple(network_ids))}
    return tuple(
        _decide(network_id, policy.network(network_id), seen, shareable, policy)
        for network_id in reversed(asked.values())
    )


class _Case(NamedTuple):
    """One network in one request; ``taken`` is what the policy's rules take away here."""

    network: NetworkPolicy | None
    vendor: int
    taken: frozenset[str]
    seen: Circumstances
    policy: Policy


def _decide(
    network_id: str, network: NetworkPolicy | None, seen: Circumstances, shareable: Shareable | None, policy: Policy
) -> NetworkDecision:
    case = _Case(network, _vendor(network, policy), _taken(network_id, seen, policy), seen, policy)
    contact = _contact_withheld(case)
    # Who may not be contacted gets nothing, for the same reasons.
    profile, user_id, position = (
        contact | withheld(case) for withheld in (_profile_withheld, _id_withheld, _position_withheld)
    )
    return NetworkDecision(
        network_id=network_id,
        contact_allowed=not contact,
        precise_position="none" if position or network is None else network.precise_position,
        reasons=contact | profile | user_id | position,
        limited=seen.limited,
        masked_ip=_address(case, exact=not position),
        network_user_id="" if user_id or shareable is None else _user_id(network_id, shareable),
        profile=None if profile or shareable is None or network is None else _profile(network, seen, shareable),
    )


def _contact_withheld(case: _Case) -> int:
    mask = 0 if case.seen.consent.has_basis(PURPOSE_CONTACT, case.vendor, case.policy) else _NO_CONSENT
    return mask | _by_rule(case, CONTACT)


def _profile_withheld(case: _Case) -> int:
    mask = case.seen.withheld | _by_policy(case, allowed=case.network is not None and bool(case.network.fields))
    if not case.seen.consent.has_basis(PURPOSE_BEHAVIOURAL, case.vendor, case.policy):
        mask |= _NO_CONSENT
    return mask | _by_rule(case, PROFILE)


def _id_withheld(case: _Case) -> int:
    mask = case.seen.withheld | _by_policy(case, allowed=case.network is not None and case.network.user_id)
    if not any(case.seen.consent.has_basis(purpose, case.vendor, case.policy) for purpose in PURPOSES_FOR_ID):
        mask |= _NO_CONSENT
    return mask | _by_rule(case, USER_ID)


def _position_withheld(case: _Case) -> int:
    network = case.network
    allowed = network is not None and (network.precise_position != "none" or network.full_ip)
    mask = case.seen.withheld | _by_policy(case, allowed=allowed)
    return mask | case.seen.consent.position_withheld(case.vendor) | _by_rule(case, PRECISE_POSITION)


def _by_policy(case: _Case, *, allowed: bool) -> int:
    if case.network is None:
        return Reason.NETWORK_UNKNOWN.bit
    return 0 if allowed else Reason.NETWORK_POLICY.bit


def _by_rule(case: _Case, thing: str) -> int:
    return Reason.NETWORK_POLICY.bit if thing in case.taken else 0


def _vendor(network: NetworkPolicy | None, policy: Policy) -> int:
    """Give the id in the Global Vendor List that consent is asked for; 0: nobody, who never has any."""
    if network is None:
        return 0
    return network.tcf_vendor_id or (policy.gdpr.host_vendor_id if network.first_party else 0)


def _taken(network_id: str, seen: Circumstances, policy: Policy) -> frozenset[str]:
    name = network_id.casefold()
    return frozenset(
        thing for rule in policy.rules if rule.names(name) and _applies(rule, seen) for thing in rule.withhold
    )


def _applies(rule: Rule, seen: Circumstances) -> bool:
    # Of a country that nobody knows, a rule for some countries may be meant: it applies.
    countries = {seen.limited.country, seen.limited.ip_country}
    return (
        (not rule.countries or not any(countries) or not countries.isdisjoint(rule.countries))
        and (not rule.subdivisions or seen.limited.ip_subdivision in {"", *rule.subdivisions})
        and (not rule.gpp_sections or not set(seen.gpp_section_ids).isdisjoint(rule.gpp_sections))
        and rule.global_privacy_control in {None, seen.global_privacy_control}
        and rule.app in {None, seen.app}
    )


def _address(case: _Case, *, exact: bool) -> str:
    if case.seen.ip is None:
        return ""
    if exact and case.network is not None and case.network.full_ip:
        return format_ip(case.seen.ip)
    return mask_ip(case.seen.ip, case.policy.masks.ipv4_bits, case.policy.masks.ipv6_bits)


def _user_id(network_id: str, shareable: Shareable) -> str:
    """Hash network and person with our key, so that two networks cannot join their ids."""
    text = network_id.casefold().encode() + b"\0" + shareable.owner
    return hashlib.blake2b(text, digest_size=_ID_BYTES, key=shareable.id_key).hexdigest()


def _profile(network: NetworkPolicy, seen: Circumstances, shareable: Shareable) -> ThirdPartyProfile:
    features, allowed = shareable.features, network.fields
    return ThirdPartyProfile(
        age_bracket=features.demographics.age_bracket if "age_bracket" in allowed else AgeBracket.UNKNOWN,
        gender=features.demographics.gender if "gender" in allowed else Gender.UNKNOWN,
        country=seen.limited.country if "country" in allowed else "",
        language=seen.limited.language if "language" in allowed else "",
        interests=_taxonomy_interests(features) if "interests" in allowed else (),
    )


def _taxonomy_interests(features: Behavioural) -> tuple[tuple[str, float], ...]:
    # The name of an outside source's segment says who supplied it and may say more; only the IAB's ids go out.
    interests = features.interests
    return tuple(
        (str(code), score)
        for code, score in zip(interests.codes.tolist(), interests.scores.tolist(), strict=True)
        if code < OUTSIDE_CODE
    )
