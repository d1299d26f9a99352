"""The whole core seen from outside: ``plan`` says what to fetch, ``decide`` turns what came back into decisions.

Between the two somebody else asks the store. A request that its own signals limit asks for nothing, so its
profile is never even fetched. Profiles are read only under a grant.
"""

from collections.abc import Sequence
from typing import NamedTuple

from targeting.age import latest_birth_day, person_day
from targeting.behavioural import Behavioural, Known, behavioural_features
from targeting.geo import parse_ip
from targeting.judge import Findings, StoredSubject, Verdict, judge_request, judge_stored, standings_of
from targeting.limited import limited_features, residence
from targeting.model import AdRequest, LimitedFeatures, Mode, Subject, SubjectKind, Whereabouts
from targeting.networks import Circumstances, NetworkDecision, Shareable, decide_networks
from targeting.policy import Policy
from targeting.preference import Standing
from targeting.profile import read_profile
from targeting.reasons import Reason
from targeting.record import RecordUnreadable
from targeting.signals.cookies import Cookies, read_cookies
from targeting.signals.nap import Nap


class Item(NamedTuple):
    """One request after the first look: what it says, and whose records are needed."""

    request: AdRequest
    cookies: Cookies
    findings: Findings
    subjects: tuple[Subject, ...]


class Plan(NamedTuple):
    """A batch of requests and, in order, the subjects to fetch for all of them."""

    items: list[Item]
    subjects: list[Subject]


class Rulebook(NamedTuple):
    """What decides besides the request: the policy, and the key of the ids that networks get."""

    policy: Policy
    id_key: bytes = b""

    def __repr__(self) -> str:
        """Show the policy's version; the key is a secret."""
        return f"Rulebook({self.policy.version})"


class Decision(NamedTuple):
    """The decision on one request; ``reasons`` is a mask, and ``behavioural`` is None in limited mode."""

    request_id: str
    mode: Mode
    reasons: int
    limited: LimitedFeatures
    behavioural: Behavioural | None
    networks: tuple[NetworkDecision, ...]
    co_brand: str
    policy_version: str


class _Judged(NamedTuple):
    """A request with its verdict; what is known of the person only where it was granted."""

    item: Item
    verdict: Verdict
    whereabouts: Whereabouts
    owner: bytes = b""
    known: Known | None = None


def plan(requests: Sequence[AdRequest], policy: Policy) -> Plan:
    """Look at a batch of requests and find out whose records are needed."""
    items = [_item(request, policy) for request in requests]
    return Plan(items, [subject for item in items for subject in item.subjects])


def decide(
    planned: Plan,
    fetched: Sequence[StoredSubject] | Reason,
    naps: Sequence[Sequence[Nap]],
    rulebook: Rulebook,
    now_s: float,
) -> list[Decision]:
    """Decide a batch.

    ``fetched`` holds the records of ``planned.subjects`` in that order, or the reason why there are none; ``naps``
    the NAP cookies of each request that could be opened; ``now_s`` the time (Unix seconds).
    """
    judged, at = [], 0
    for item, opened in zip(planned.items, naps, strict=True):
        end = at + len(item.subjects)
        records = fetched if isinstance(fetched, Reason) else fetched[at:end]
        judged.append(_judge(item, records, opened, rulebook.policy, now_s))
        at = end
    features = _features(judged, rulebook.policy, now_s)
    return [_decision(each, feature, rulebook) for each, feature in zip(judged, features, strict=True)]


def _item(request: AdRequest, policy: Policy) -> Item:
    cookies = read_cookies(request.cookie_header)
    findings = judge_request(request, cookies, policy)
    return Item(request, cookies, findings, () if findings.mask else _subjects(request, cookies))


def _subjects(request: AdRequest, cookies: Cookies) -> tuple[Subject, ...]:
    """Name everyone in a request; whose profile is meant comes first.

    The account id of the ``ANON`` cookie is one of the linked accounts: its stored choice counts, and that is all.
    """
    account, linked, device = request.identity
    device = device or cookies.muid
    subjects = [Subject(SubjectKind.ACCOUNT, account)] if account else []
    if device:
        subjects.append(Subject(SubjectKind.DEVICE, device))
    subjects += (Subject(SubjectKind.ACCOUNT, each) for each in (*linked, cookies.anon_id) if each)
    return tuple(subjects)


def _judge(
    item: Item, records: Sequence[StoredSubject] | Reason, naps: Sequence[Nap], policy: Policy, now_s: float
) -> _Judged:
    if item.findings.mask:
        return _Judged(item, Verdict(item.findings.mask), _whereabouts(item))
    if isinstance(records, Reason):
        # Who has no subject asked the store for nothing, so its failure is not theirs.
        mask = records.bit if item.subjects else Reason.NO_SUBJECT.bit
        return _Judged(item, Verdict(mask), _whereabouts(item))
    standings = standings_of(records)
    whereabouts = _whereabouts(item, standings)
    age, today = policy.child_age(residence(whereabouts)), person_day(now_s)
    verdict = judge_stored(
        records,
        standings,
        latest_birth_day(today, age),
        nap_of_child=any(nap.age is not None and nap.age < age for nap in naps),
    )
    judged = _Judged(item, verdict, whereabouts, records[0].owner if records else b"")
    if verdict.grant is None:
        return judged
    # Several NAP cookies that disagree describe nobody.
    return _with_profile(
        judged, records[0], standings[0], naps[0] if len(item.cookies.naps) == len(naps) == 1 else None
    )


def _with_profile(judged: _Judged, record: StoredSubject, standing: Standing | None, nap: Nap | None) -> _Judged:
    """Read the profile that was granted; one that cannot be trusted limits."""
    try:
        profile = read_profile(record.profile or b"", record.owner)
    except RecordUnreadable:
        return judged._replace(verdict=Verdict(Reason.RECORD_UNREADABLE.bit))
    return judged._replace(known=Known(profile, standing.birth_day if standing else None, nap))


def _whereabouts(item: Item, standings: Sequence[Standing | None] = ()) -> Whereabouts:
    request = item.request
    stored = next((each for each in standings if each and (each.country or each.language)), None)
    return Whereabouts(
        request.client_country,
        request.client_language,
        request.accept_language,
        item.cookies.country,
        request.ip_location,
        stored.country if stored else "",
        stored.language if stored else "",
    )


def _features(judged: Sequence[_Judged], policy: Policy, now_s: float) -> list[Behavioural | None]:
    granted = [(each.verdict.grant, each.known) for each in judged]
    people = [known for grant, known in granted if grant is not None and known is not None]
    grant = next((grant for grant, _ in granted if grant is not None), None)
    if grant is None:
        return [None] * len(judged)
    features = iter(behavioural_features(grant, people, policy, now_s))
    return [None if each.known is None else next(features) for each in judged]


def _decision(judged: _Judged, features: Behavioural | None, rulebook: Rulebook) -> Decision:
    item, mask = judged.item, judged.verdict.mask
    limited = limited_features(judged.whereabouts)
    networks: tuple[NetworkDecision, ...] = ()
    if item.request.networks:
        shareable = _shareable(judged, features, rulebook.id_key)
        networks = decide_networks(item.request.networks, _circumstances(judged, limited), shareable, rulebook.policy)
    return Decision(
        item.request.request_id,
        Mode.LIMITED if features is None else Mode.BEHAVIOURAL,
        mask,
        limited,
        features,
        networks,
        item.cookies.co_brand,
        rulebook.policy.version,
    )


def _shareable(judged: _Judged, features: Behavioural | None, id_key: bytes) -> Shareable | None:
    grant = judged.verdict.grant
    return None if features is None or grant is None else Shareable(grant, features, judged.owner, id_key)


def _circumstances(judged: _Judged, limited: LimitedFeatures) -> Circumstances:
    request = judged.item.request
    return Circumstances(
        consent=judged.item.findings.consent,
        limited=limited,
        ip=parse_ip(request.ip),
        gpp_section_ids=request.signals.gpp_section_ids,
        global_privacy_control=request.signals.global_privacy_control,
        app=request.in_app,
        withheld=judged.verdict.mask,
    )
