"""The core as seen from outside: ``plan`` says what to fetch, ``decide`` turns the fetched records into decisions.

Between the two calls the caller asks the store. A request that its own signals limit names no subjects, so its profile
is never even fetched. Profiles are read only under a grant.
"""

from collections.abc import Sequence
from itertools import repeat
from typing import NamedTuple

from targeting.age import latest_birth_day, person_day
from targeting.behavioural import PersonData, behavioural_features
from targeting.children import age_limit, residence_of, states_child
from targeting.features.batch import Behavioural
from targeting.judge import Grant, RequestVerdict, Stated, judge_request, judge_stored, read_stored_choices
from targeting.limited import limited_features
from targeting.model import AdRequest, LimitedFeatures, LocaleInputs, Mode, Subject
from targeting.network_rules import NetworkContext
from targeting.networks import NetworkDecision, Shareable, decide_networks
from targeting.opt_in import needs_opt_in
from targeting.places.geo import parse_ip
from targeting.places.locale import EUROPE, parse_place
from targeting.policy.policy import Policy
from targeting.reasons import NO_REASONS, Reason, Reasons
from targeting.records.envelope import RecordUnreadable
from targeting.records.preference import StoredChoice
from targeting.records.profile import read_profile
from targeting.records.stored_records import StoredRecords
from targeting.signals.cookies import NO_COOKIES, Cookies, read_cookies
from targeting.signals.nap import Nap
from targeting.subjects.identifiers import without_placeholders
from targeting.subjects.request_subjects import subjects_of

_BEHAVIOURAL, _LIMITED = Mode.BEHAVIOURAL, Mode.LIMITED


class PlannedRequest(NamedTuple):
    """One request after its signals were read: the verdict on them, and whose records are needed."""

    request: AdRequest
    cookies: Cookies
    verdict: RequestVerdict
    subjects: tuple[Subject, ...]


class Plan(NamedTuple):
    """A batch of requests and, in order, the subjects to fetch for them."""

    items: list[PlannedRequest]
    subjects: list[Subject]

    @classmethod
    def of(cls, items: list[PlannedRequest]) -> "Plan":
        """Make the plan for requests whose signals were read."""
        return cls(items, [subject for item in items for subject in item.subjects])


class Rulebook(NamedTuple):
    """The rules besides the request: the policy, and the key of the ids that networks get."""

    policy: Policy
    id_key: bytes = b""

    def __repr__(self) -> str:
        """Show the policy's version; the key is a secret."""
        return f"Rulebook({self.policy.version})"


class Decision(NamedTuple):
    """The decision on one request; ``behavioural`` is None in limited mode."""

    request_id: str
    mode: Mode
    reasons: Reasons
    limited: LimitedFeatures
    behavioural: Behavioural | None
    networks: tuple[NetworkDecision, ...]
    co_brand: str
    policy_version: str


class _Judged(NamedTuple):
    """A request with its verdict; ``person`` is set only under a grant."""

    item: PlannedRequest
    reasons: Reasons
    limited: LimitedFeatures
    grant: Grant | None = None
    person: PersonData | None = None
    owner: bytes = b""


def plan(requests: Sequence[AdRequest], policy: Policy, now_s: float) -> Plan:
    """Read the signals of a batch of requests at a time (Unix seconds), and find out whose records are needed."""
    today = person_day(now_s)
    return Plan.of([_item(request, policy, today) for request in requests])


def decide(
    planned: Plan,
    fetched: Sequence[StoredRecords] | Reason,
    naps: Sequence[Sequence[Nap]],
    rulebook: Rulebook,
    now_s: float,
) -> list[Decision]:
    """Decide a batch.

    ``fetched`` holds the records of ``planned.subjects`` in that order, or the reason why there are none; ``naps`` the
    decrypted NAP cookies of each request; ``now_s`` the time (Unix seconds). Raises ``ValueError`` if there are more or
    fewer records than subjects.
    """
    if not isinstance(fetched, Reason) and len(fetched) != len(planned.subjects):
        # A person would be decided by another person's records.
        raise ValueError("there must be as many records as subjects")
    policy, today, start = rulebook.policy, person_day(now_s), 0
    judged = []
    for item, item_naps in zip(planned.items, naps, strict=True):
        if not item.subjects:
            reasons = item.verdict.reasons or Reason.NO_SUBJECT.bit
            judged.append(_Judged(item, reasons, limited_answer(item, ())))
        elif isinstance(fetched, Reason):
            judged.append(_Judged(item, fetched.bit, limited_answer(item, ())))
        else:
            end = start + len(item.subjects)
            judged.append(_judge(item, fetched[start:end], item_naps, policy, today))
            start = end
    features = _features(judged, policy, now_s)
    return list(map(_decision, judged, features, repeat(rulebook)))


def _item(request: AdRequest, policy: Policy, today: int) -> PlannedRequest:
    cookies = read_cookies(request.cookie_header) if request.cookie_header else NO_COOKIES
    verdict = judge_request(request, cookies, policy, today)
    return PlannedRequest(request, cookies, verdict, () if verdict.reasons else subjects_of(request, cookies))


def _judge(
    item: PlannedRequest, records: Sequence[StoredRecords], naps: Sequence[Nap], policy: Policy, today: int
) -> _Judged:
    choices = read_stored_choices(records)
    limited = limited_answer(item, choices)
    stated = state(item, choices, naps, policy, today)
    reasons, grant = judge_stored(records, choices, stated)
    if grant is None:
        return _Judged(item, reasons, limited)
    record, choice = records[0], choices[0]
    try:
        profile = read_profile(record.profile or b"", record.owner)
    except RecordUnreadable:
        return _Judged(item, Reason.RECORD_UNREADABLE.bit, limited)
    # Several NAP cookies contradict each other, so none is used.
    nap = naps[0] if len(naps) == len(item.cookies.naps) == 1 else None
    person = PersonData(profile, choice.birth_day if choice else None, nap)
    return _Judged(item, reasons, limited, grant, person, record.owner)


def state(
    item: PlannedRequest, choices: Sequence[StoredChoice | None], naps: Sequence[Nap], policy: Policy, today: int
) -> Stated:
    """Gather what the judge of records has to know about a request; ``today`` is ``targeting.age.person_day``."""
    request, cookies, children = item.request, item.cookies, policy.children
    age = children.age if children.is_uniform else _highest_age(item, choices, policy)
    states_age = bool(naps) or request.signals.latest_birth_day is not None
    stated = Stated(latest_birth_day(today, age), states_age and states_child(request, naps, age, today))
    if not policy.consent.explicit_opt_in_in:
        return stated
    own = without_placeholders(request.identity, cookies.muid)
    countries = [choice.country for choice in choices if choice is not None and choice.country]
    return stated._replace(
        needs_opt_in=needs_opt_in(request, cookies, item.verdict.consent, countries, policy),
        own_subjects=max(bool(own.account_id) + bool(own.device_id), 1),
    )


def _highest_age(item: PlannedRequest, choices: Sequence[StoredChoice | None], policy: Policy) -> int:
    """Return the highest age of the places of all subjects: another subject's country never lowers the first's."""
    first, *others = ["" if choice is None else choice.country for choice in choices]
    places = {residence_of(item.request, item.cookies, country) for country in (first, *filter(None, others))}
    return max(age_limit(item.request, place, policy.children) for place in places)


def _stored_locale(choices: Sequence[StoredChoice | None]) -> tuple[str, str]:
    """Return the first stored country and the first stored language, empty where there is none."""
    country = language = ""
    for choice in choices:
        if choice is not None:
            country, language = country or choice.country, language or choice.language
    return country, language


def limited_answer(item: PlannedRequest, choices: Sequence[StoredChoice | None]) -> LimitedFeatures:
    """Return the features of limited mode, with the locale that the records hold."""
    request = item.request
    country, language = _stored_locale(choices)
    return limited_features(
        LocaleInputs(
            client_country=request.client_country,
            client_language=request.client_language,
            accept_language=request.accept_language,
            cookie_country=item.cookies.country,
            ip_location=request.ip_location,
            stored_country=country,
            stored_language=language,
        )
    )


def _features(judged: Sequence[_Judged], policy: Policy, now_s: float) -> list[Behavioural | None]:
    grant = next((request.grant for request in judged if request.grant is not None), None)
    if grant is None:
        return [None] * len(judged)
    people = [request.person for request in judged if request.person is not None]
    features = iter(behavioural_features(grant, people, policy, now_s))
    return [None if request.person is None else next(features) for request in judged]


def _decision(judged: _Judged, features: Behavioural | None, rulebook: Rulebook) -> Decision:
    (request, cookies, _, _), policy = judged.item, rulebook.policy
    networks: tuple[NetworkDecision, ...] = ()
    if request.networks:
        shareable = _shareable(judged, features, rulebook.id_key)
        context = network_context(judged.item, judged.limited, policy, judged.reasons)
        networks = decide_networks(request.networks, context, shareable, policy)
    return Decision(
        request_id=request.request_id,
        mode=_LIMITED if features is None else _BEHAVIOURAL,
        reasons=judged.reasons,
        limited=judged.limited,
        behavioural=features,
        networks=networks,
        co_brand=cookies.co_brand,
        policy_version=policy.version,
    )


def _shareable(judged: _Judged, features: Behavioural | None, id_key: bytes) -> Shareable | None:
    if features is None or judged.grant is None:
        return None
    return Shareable(
        grant=judged.grant,
        features=features,
        owner=judged.owner,
        id_key=id_key,
        kind=judged.item.subjects[0].kind,
    )


def network_context(
    item: PlannedRequest, limited: LimitedFeatures, policy: Policy, withheld: Reasons = NO_REASONS
) -> NetworkContext:
    """Return what a request says that the answers for networks depend on; ``withheld`` is why it is limited."""
    request, consent = item.request, item.verdict.consent
    sections = consent.gpp.sections if consent.gpp is not None else ()
    return NetworkContext(
        consent=consent,
        limited=limited,
        ip=parse_ip(request.ip),
        gpp_section_ids=(*request.signals.gpp_section_ids, *sections),
        global_privacy_control=request.signals.global_privacy_control,
        do_not_track=request.signals.do_not_track,
        app=request.in_app,
        in_doubt=bool(request.signals.unreadable or consent.unreadable),
        shown_countries=_shown_countries(item, policy),
        shown_subdivisions=request.shown_subdivisions,
        withheld=withheld,
    )


def _shown_countries(item: PlannedRequest, policy: Policy) -> tuple[str, ...]:
    """Return every country that the request shows besides those of the limited features.

    ``EU`` may be any country of the GDPR, so that rules for any of them may apply.
    """
    request, cookies = item.request, item.cookies
    shown = (*request.shown_countries, *cookies.countries)
    if EUROPE in {*shown, request.ip_location.country, parse_place(request.client_country)}:
        shown += tuple(policy.gdpr.applies_in)
    return shown
