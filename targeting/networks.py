"""What each third-party network gets: four answers, their reasons, and a payload built up from nothing.

A payload begins as country, language and masked address, and what is allowed is added; nothing is ever deleted from a
fuller one. No account id, device id, call destination, exact age, postal code or other network's id can enter, because
nothing that holds them is passed in.
"""

import hashlib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from targeting.consent import PURPOSE_BEHAVIOURAL, PURPOSE_CONTACT
from targeting.features.batch import Behavioural, Interests
from targeting.features.taxonomy import CATEGORIES, Tier
from targeting.judge import Grant
from targeting.model import AgeBracket, Gender, LimitedFeatures, SubjectKind
from targeting.network_rules import (
    CONTACT,
    PRECISE_POSITION,
    PROFILE,
    USER_ID,
    NetworkContext,
    rules_for,
    taken_by,
)
from targeting.places.geo import mask_ip
from targeting.policy.policy import NetworkPolicy, NetworkRule, Policy, SharingPolicy
from targeting.reasons import NO_REASONS, Reason, Reasons

# How exact a position may be, as the policy spells it.
NO_POSITION, COARSE, EXACT = "none", "coarse", "exact"

_ID_BYTES = 16
_NO_CONSENT, _UNKNOWN, _BY_POLICY = (
    Reason.TCF_NO_CONSENT.bit,
    Reason.NETWORK_UNKNOWN.bit,
    Reason.NETWORK_POLICY.bit,
)
_FULL_ADDRESS = (32, 128)


class Shareable(NamedTuple):
    """What a behavioural decision may pass on: the features, and the person's pseudonym to be hashed.

    ``kind`` is that of the subject whose pseudonym it is.
    """

    grant: Grant
    features: Behavioural
    owner: bytes
    id_key: bytes
    kind: SubjectKind

    def __repr__(self) -> str:
        """Show nothing about the person."""
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
    ``address_bits`` is how many leading bits of an IPv4 and of an IPv6 address the network may see. ``id_kind`` is the
    kind of subject that ``network_user_id`` stands for.
    """

    network_id: str
    policy: NetworkPolicy | None
    withheld: Withheld
    precise_position: str
    address_bits: tuple[int, int]
    limited: LimitedFeatures
    masked_ip: str
    network_user_id: str = ""
    id_kind: SubjectKind | None = None
    profile: ThirdPartyProfile | None = None

    @property
    def contact_allowed(self) -> bool:
        """Whether the network may be contacted at all."""
        return not self.withheld.contact

    @property
    def precise_position_allowed(self) -> bool:
        """Whether a precise position may be passed on unchanged."""
        return self.precise_position == EXACT

    @property
    def reasons(self) -> Reasons:
        """The reasons for everything that is withheld."""
        contact, profile, user_id, position = self.withheld
        return Reasons(contact | profile | user_id | position)


class _Basis(NamedTuple):
    """The reasons that the consent strings give against three of the answers for one vendor."""

    contact: Reasons
    profile: Reasons
    precise_position: Reasons


class _BatchContext(NamedTuple):
    """What all networks of one request share; ``bases`` and ``addresses`` keep what was computed already."""

    request: NetworkContext
    shareable: Shareable | None
    interests: tuple[tuple[str, float], ...]
    rules: Sequence[NetworkRule]
    policy: Policy
    bases: dict[int, _Basis]
    addresses: dict[tuple[int, int], str]


def decide_networks(
    network_ids: Iterable[str], context: NetworkContext, shareable: Shareable | None, policy: Policy
) -> tuple[NetworkDecision, ...]:
    """Decide for every network asked for, in that order; ids that differ in case only are one network."""
    interests = _coarse_interests(shareable.features.interests, policy.sharing) if shareable else ()
    batch = _BatchContext(
        request=context,
        shareable=shareable,
        interests=interests,
        rules=rules_for(context, policy) if policy.rules else (),
        policy=policy,
        bases={},
        addresses={},
    )
    asked: dict[str, str] = {}
    for network_id in network_ids:
        asked.setdefault(network_id.casefold(), network_id)
    return tuple([_decide(network_id, name, batch) for name, network_id in asked.items()])


def _decide(network_id: str, name: str, batch: _BatchContext) -> NetworkDecision:
    network, shareable = batch.policy.by_id.get(name), batch.shareable
    withheld, no_position = _withheld(name, network, batch)
    bits = _address_bits(network, batch.policy, masked=bool(no_position))
    profile = None
    if shareable is not None and network is not None and not withheld.profile:
        profile = _profile(network.fields, shareable, batch)
    return NetworkDecision(
        network_id=network_id,
        policy=network,
        withheld=withheld,
        precise_position=NO_POSITION if no_position or network is None else network.precise_position,
        address_bits=bits,
        limited=batch.request.limited,
        masked_ip=_address(bits, batch),
        network_user_id=""
        if withheld.user_id or shareable is None
        else _user_id(name, shareable, batch.policy.sharing.id_epoch),
        id_kind=None if withheld.user_id or shareable is None else shareable.kind,
        profile=profile,
    )


def _withheld(name: str, network: NetworkPolicy | None, batch: _BatchContext) -> tuple[Withheld, Reasons]:
    """Return the reasons against each answer, and those against any position or full address at all."""
    taken = taken_by(batch.rules, name) if batch.rules else {}
    basis = _basis(vendor_of(network, batch.policy), batch)
    contact = Reasons(basis.contact | taken.get(CONTACT, 0))
    # A network that may not be contacted gets nothing, for the same reasons.
    everything = contact | batch.request.withheld | (_UNKNOWN if network is None else 0)
    profile = everything | basis.profile | taken.get(PROFILE, 0)
    # Any one of purposes 2 to 10 suffices for an id, and contact needs purpose 2.
    user_id = everything | taken.get(USER_ID, 0)
    no_position = Reasons(everything | basis.precise_position | taken.get(PRECISE_POSITION, 0))
    if network is None:
        return Withheld(contact, Reasons(profile), Reasons(user_id), no_position), no_position
    return Withheld(
        contact,
        Reasons(profile if network.fields else profile | _BY_POLICY),
        Reasons(user_id if network.user_id else user_id | _BY_POLICY),
        no_position if network.precise_position == EXACT else Reasons(no_position | _BY_POLICY),
    ), no_position


def _basis(vendor: int, batch: _BatchContext) -> _Basis:
    if vendor not in batch.bases:
        consent, policy = batch.request.consent, batch.policy
        batch.bases[vendor] = _Basis(
            contact=NO_REASONS if consent.has_basis(PURPOSE_CONTACT, vendor, policy) else _NO_CONSENT,
            profile=NO_REASONS if consent.has_basis(PURPOSE_BEHAVIOURAL, vendor, policy) else _NO_CONSENT,
            precise_position=consent.position_withheld(vendor, policy),
        )
    return batch.bases[vendor]


def vendor_of(network: NetworkPolicy | None, policy: Policy) -> int:
    """Return the Global Vendor List id that consent is asked for; 0 names no vendor and never has consent."""
    if network is None:
        return 0
    return network.tcf_vendor_id or (policy.gdpr.host_vendor_id if network.first_party else 0)


def _address_bits(network: NetworkPolicy | None, policy: Policy, *, masked: bool) -> tuple[int, int]:
    masks = policy.masks
    if network is None:
        return masks.ipv4_bits, masks.ipv6_bits
    if network.full_ip and not masked:
        return _FULL_ADDRESS
    return min(masks.ipv4_bits, network.ipv4_bits), min(masks.ipv6_bits, network.ipv6_bits)


def _address(bits: tuple[int, int], batch: _BatchContext) -> str:
    if batch.request.ip is None:
        return ""
    if bits not in batch.addresses:
        batch.addresses[bits] = mask_ip(batch.request.ip, *bits)
    return batch.addresses[bits]


def _user_id(name: str, shareable: Shareable, epoch: int) -> str:
    """Hash network, person and epoch with our key, so that ids of two networks or epochs cannot be joined.

    Empty without a key. The first epoch, 0, adds nothing to the text.
    """
    if not shareable.id_key:
        return ""
    text = name.encode() + b"\0" + shareable.owner + (b"%d" % epoch if epoch else b"")
    return hashlib.blake2b(text, digest_size=_ID_BYTES, key=shareable.id_key).hexdigest()


def _profile(allowed: tuple[str, ...], shareable: Shareable, batch: _BatchContext) -> ThirdPartyProfile:
    demographics, limited = shareable.features.demographics, batch.request.limited
    return ThirdPartyProfile(
        age_bracket=demographics.age_bracket if "age_bracket" in allowed else AgeBracket.UNKNOWN,
        gender=demographics.gender if "gender" in allowed else Gender.UNKNOWN,
        country=limited.country if "country" in allowed else "",
        language=limited.language if "language" in allowed else "",
        interests=batch.interests if "interests" in allowed else (),
    )


def _coarse_interests(interests: Interests, sharing: SharingPolicy) -> tuple[tuple[str, float], ...]:
    """Return the strongest segments with rounded scores, equal scores in the order of their ids.

    Exact scores, and an order derived from them, would tell people apart and let two networks find out that they see
    the same person. The name of an outside source's segment says who supplied it, and may say more: only ids of the
    IAB taxonomy go out. Example with 10 steps: scores 0.83 and 0.79 both go out as 0.8.
    """
    codes, steps = _shareable_codes(sharing.withheld_categories), sharing.score_steps
    ranked = zip(interests.codes.tolist(), interests.scores.tolist(), strict=True)
    strongest = islice(
        ((-round(score * steps), code) for code, score in ranked if code in codes), sharing.max_interests
    )
    return tuple([(str(code), -rounded / steps) for rounded, code in sorted(strongest) if rounded])


@lru_cache(maxsize=8)
def _shareable_codes(withheld_categories: tuple[str, ...]) -> frozenset[int]:
    """Return the segments of the taxonomy that may be shared: age, gender, income and the like are no interests."""
    return frozenset(
        code
        for category in CATEGORIES
        if category.tier is not Tier.DEMOGRAPHIC and category.name not in withheld_categories
        for code in category.codes
    )
