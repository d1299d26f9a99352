"""SetPreference and GetPreferences: acknowledgements, refusals and stored records."""

from typing import Any

import pytest
from adtargeting.v1 import preference_pb2 as pb
from adtargeting.v1.preference_pb2 import Date

from server.calls.call_context import CallContext, DecisionParts
from server.calls.preference import get_preferences, set_preference
from server.decisions.decider import Decider
from server.decisions.fetcher import Fetcher
from server.decisions.signal_observer import SignalObserver
from server.errors import InvalidRequest, NotAllowed
from server.metrics.metrics import Metrics
from server.security.caller import Caller
from server.store.ports import Committed, StoreUnavailable
from targeting.decision import Rulebook
from targeting.model import Subject, SubjectKind
from targeting.policy.policy import DEFAULT_POLICY, OptOutPolicy, Policy
from targeting.records.envelope import seal
from targeting.records.preference import Preference, decode_preference, encode_preference
from tests.server.doubles import Nowhere, ScriptedRecords, ScriptedStore

NOW_S = 1_780_000_000.0


def tools(store: ScriptedRecords, policy: Policy = DEFAULT_POLICY, **more: Any) -> CallContext:
    metrics = Metrics()
    decider, fetcher = Decider(lambda: Rulebook(policy), lambda _: None), Fetcher(ScriptedStore(), metrics)
    decisions = DecisionParts(decider, fetcher, SignalObserver(metrics))
    made = CallContext(store, decisions, lambda: Rulebook(policy), Nowhere(), lambda _: None, metrics, lambda: NOW_S)
    return made._replace(**more)


def opt_out(**fields: Any) -> bytes:
    given = {"account_id": "alice", "choice": pb.CHOICE_OPT_OUT, "source": pb.SOURCE_ACCOUNT_PAGE, **fields}
    return pb.SetPreferenceRequest(**given).SerializeToString()


def set_(store: ScriptedRecords, payload: bytes, **more: Any) -> pb.SetPreferenceResponse:
    return pb.SetPreferenceResponse.FromString(set_preference(payload, tools(store, **more)))


def get(store: ScriptedRecords) -> pb.GetPreferencesResponse:
    payload = pb.GetPreferencesRequest(account_id="alice").SerializeToString()
    return pb.GetPreferencesResponse.FromString(get_preferences(payload, tools(store)))


def test_a_choice_is_stored_with_all_that_came_with_it() -> None:
    store = ScriptedRecords(committed=Committed(landed=True, on_disk=True))
    answer = set_(store, opt_out(country="usa", language="EN-us", birth_date=Date(year=1990, month=2, day=28)))
    assert (answer.version, answer.durability) == (1, pb.DURABILITY_CONFIRMED)
    assert answer.set_cookie.startswith("TOptOut=1;")
    held = get(store)
    assert (held.choice, held.source, held.version) == (pb.CHOICE_OPT_OUT, pb.SOURCE_ACCOUNT_PAGE, 1)
    assert (held.country, held.language) == ("US", "en-US")
    assert held.birth_date == Date(year=1990, month=2, day=28)
    assert held.changed_at.seconds == int(NOW_S)
    assert [change.choice for change in held.history] == [pb.CHOICE_OPT_OUT]


def test_a_change_keeps_who_made_it_and_why() -> None:
    store, caller = ScriptedRecords(), Caller("support-desk", "10.0.0.7:50000")
    set_(store, opt_out(ticket="CASE-4711"), caller=caller)
    set_(store, opt_out(choice=pb.CHOICE_OPT_IN), caller=Caller(connection="10.0.0.8:50000"))
    origins = [(change.choice, change.actor, change.ticket) for change in get(store).history]
    assert origins == [(pb.CHOICE_OPT_IN, "", ""), (pb.CHOICE_OPT_OUT, "support-desk", "CASE-4711")]


def test_the_history_says_what_was_chosen_where_and_when() -> None:
    store = ScriptedRecords()
    set_(store, opt_out())
    set_(store, opt_out(choice=pb.CHOICE_OPT_IN, source=pb.SOURCE_SUPPORT), now=lambda: NOW_S + 1.5)
    found = [(each.version, each.choice, each.source, each.changed_at.ToMilliseconds()) for each in get(store).history]
    assert found == [
        (2, pb.CHOICE_OPT_IN, pb.SOURCE_SUPPORT, int(NOW_S * 1000) + 1500),
        (1, pb.CHOICE_OPT_OUT, pb.SOURCE_ACCOUNT_PAGE, int(NOW_S * 1000)),
    ]


def test_a_record_without_a_choice_has_no_time_of_one() -> None:
    store = ScriptedRecords()
    store.held = store.held._replace(preference=encode_preference(Preference(country="GB"), store.held.owner))
    assert get(store) == pb.GetPreferencesResponse(country="GB")


def test_a_choice_counts_once_with_its_durability() -> None:
    made = tools(ScriptedRecords(committed=Committed(landed=True, on_disk=True)))
    for payload in (opt_out(change_id="c1"), opt_out(change_id="c1")):
        set_preference(payload, made)
    set_preference(opt_out(choice=pb.CHOICE_OPT_IN), made._replace(replicas=1))
    counted = {
        (each.labels["choice"], each.labels["source"], each.labels["durability"]): each.value
        for metric in made.metrics.registry.collect()
        for each in metric.samples
        if each.name == "adtargeting_preference_changes_total" and each.value
    }
    assert counted == {("opt_out", "account_page", "confirmed"): 1, ("opt_in", "account_page", "unconfirmed"): 1}


def test_what_is_watched_is_what_is_stored() -> None:
    store, watched = ScriptedRecords(), []
    for fields in ({}, {"change_id": "c1"}):
        set_(store, opt_out(**fields), replicas=1, on_unconfirmed=lambda _, preference: watched.append(preference))
        assert store.held.preference is not None
        assert watched[-1] == decode_preference(store.held.preference, store.held.owner)


@pytest.mark.parametrize(
    ("ticket", "problem"),
    [
        ("x" * 65, "must have at most 64 characters"),
        ("é" * 65, "must have at most 64 characters"),
        ("unknown", "must not be a placeholder"),
    ],
    ids=["too long", "too long, in two bytes each", "a placeholder"],
)
def test_a_ticket_is_checked_as_ids_are(ticket: str, problem: str) -> None:
    store = ScriptedRecords()
    with pytest.raises(InvalidRequest, match=f"ticket: {problem}"):
        set_(store, opt_out(ticket=ticket))
    assert store.held.preference is None


@pytest.mark.parametrize("ticket", ["x" * 64, "😀" * 64, "Fall 4711/ä"])
def test_a_ticket_comes_back_as_it_was(ticket: str) -> None:
    store = ScriptedRecords()
    set_(store, opt_out(ticket=ticket))
    assert [change.ticket for change in get(store).history] == [ticket]


def test_nothing_was_ever_chosen() -> None:
    assert get(ScriptedRecords()) == pb.GetPreferencesResponse()


def test_a_repeat_returns_the_first_answer_and_changes_nothing() -> None:
    store = ScriptedRecords()
    first = set_(store, opt_out(change_id="c1"))
    set_(store, opt_out(change_id="c2", choice=pb.CHOICE_OPT_IN))
    before = store.held.preference
    assert set_(store, opt_out(change_id="c1")) == first
    assert store.held.preference == before
    assert get(store).choice == pb.CHOICE_OPT_IN


def test_an_id_that_stands_for_another_choice_is_refused_and_never_acknowledged() -> None:
    store = ScriptedRecords()
    set_(store, opt_out(change_id="c1", choice=pb.CHOICE_OPT_IN))
    before = store.held.preference
    with pytest.raises(InvalidRequest) as refused:
        set_(store, opt_out(change_id="c1"))
    assert refused.value.field == "change_id"
    assert store.held.preference == before


def test_a_late_repeat_of_an_opt_in_takes_no_opt_out_from_a_browser() -> None:
    store = ScriptedRecords()
    opted_in = pb.SetPreferenceRequest(device_id="d", choice=pb.CHOICE_OPT_IN, change_id="c1").SerializeToString()
    assert "Max-Age=0" in set_(store, opted_in).set_cookie
    assert "Max-Age=0" in set_(store, opted_in).set_cookie
    opted_out = pb.SetPreferenceRequest(device_id="d", choice=pb.CHOICE_OPT_OUT, change_id="c2")
    set_(store, opted_out.SerializeToString())
    assert set_(store, opted_in).set_cookie == ""


def test_without_a_change_id_every_call_is_a_change() -> None:
    store = ScriptedRecords()
    assert [set_(store, opt_out()).version for _ in range(3)] == [1, 2, 3]


def test_a_choice_that_meets_another_is_derived_anew() -> None:
    store = ScriptedRecords(stale=3)
    assert set_(store, opt_out()).version == 1
    assert len(store.changes) == 4


def test_a_subject_that_never_rests_is_unavailable() -> None:
    with pytest.raises(StoreUnavailable):
        set_(ScriptedRecords(stale=10_000), opt_out())


DISK, REPLICAS = pb.CONFIRMATION_DISK, pb.CONFIRMATION_REPLICAS
DURABILITY: dict[str, tuple[int, bool, Committed, list[int]]] = {
    "one server's memory": (0, False, Committed(landed=True, replicas=1), [DISK]),
    "one server's disk": (0, False, Committed(landed=True, on_disk=True), []),
    "a disk in the place of a replica": (1, False, Committed(landed=True, on_disk=True), [REPLICAS]),
    "enough replicas": (1, False, Committed(landed=True, replicas=1), []),
    "too few replicas": (2, False, Committed(landed=True, replicas=1), [REPLICAS]),
    "replicas without the disk that is required too": (1, True, Committed(landed=True, replicas=1), [DISK]),
    "neither of the two that are required": (1, True, Committed(landed=True), [DISK, REPLICAS]),
    "on disk": (0, True, Committed(landed=True, on_disk=True), []),
    "not on disk": (0, True, Committed(landed=True), [DISK]),
}


@pytest.mark.parametrize(("replicas", "needs_disk", "committed", "missing"), DURABILITY.values(), ids=DURABILITY)
def test_the_answer_says_how_durable_and_what_is_missing(
    replicas: int, needs_disk: bool, committed: Committed, missing: list[int]
) -> None:
    watched: list[tuple[Subject, int]] = []

    def watch(subject: Subject, preference: Preference) -> None:
        watched.append((subject, preference.version))

    answer = set_(
        ScriptedRecords(committed=committed),
        opt_out(),
        replicas=replicas,
        needs_disk=needs_disk,
        on_unconfirmed=watch,
    )
    assert answer.durability == (pb.DURABILITY_UNCONFIRMED if missing else pb.DURABILITY_CONFIRMED)
    assert answer.missing_confirmations == missing
    assert answer.replicas_acknowledged == committed.replicas
    assert watched == ([(Subject(SubjectKind.ACCOUNT, "alice"), 1)] if missing else [])


def test_an_unconfirmed_choice_needs_no_watcher() -> None:
    answer = set_(ScriptedRecords(), opt_out(), replicas=1)
    assert answer.durability == pb.DURABILITY_UNCONFIRMED


@pytest.mark.parametrize(("on_opt_out", "erased"), [("freeze", None), ("erase", b"")])
def test_the_policy_says_whether_an_opt_out_erases_the_profile(on_opt_out: str, erased: bytes | None) -> None:
    store = ScriptedRecords()
    policy = Policy(opt_out=OptOutPolicy(on_opt_out=on_opt_out))
    set_(store, opt_out(), policy=policy)
    set_(store, opt_out(choice=pb.CHOICE_OPT_IN), policy=policy)
    assert [change.profile for change in store.changes] == [erased, None]
    assert [change.seen for change in store.changes] == [erased, None]


@pytest.mark.parametrize(("on_opt_out", "erased"), [("freeze", None), ("erase", b"")])
def test_so_it_does_where_a_birth_date_says_that_this_is_a_child(on_opt_out: str, erased: bytes | None) -> None:
    store = ScriptedRecords()
    policy = Policy(opt_out=OptOutPolicy(on_opt_out=on_opt_out))
    born = Date(year=2020, month=1, day=1)
    set_(store, opt_out(choice=pb.CHOICE_OPT_IN, birth_date=born), policy=policy)
    assert [(change.profile, change.seen) for change in store.changes] == [(erased, erased)]


def test_a_record_of_a_newer_version_is_replaced_by_an_opt_out_alone() -> None:
    store = ScriptedRecords()
    newer = seal(b"aP", 3, store.held.owner, b"what this version does not know")
    store.held = store.held._replace(preference=newer)
    with pytest.raises(NotAllowed, match="newer version"):
        set_(store, opt_out(choice=pb.CHOICE_OPT_IN))
    assert store.held.preference == newer
    set_(store, opt_out())
    assert get(store).choice == pb.CHOICE_OPT_OUT


def test_an_unreadable_record_is_replaced_by_an_explicit_choice() -> None:
    store = ScriptedRecords()
    store.held = store.held._replace(preference=b"\0")
    assert set_(store, opt_out()).version == 1
    assert get(store).choice == pb.CHOICE_OPT_OUT


MALFORMED = [
    ("placeholder for an account", {"account_id": "undefined"}, "account_id"),
    ("placeholder for a device", {"device_id": "0" * 32}, "device_id"),
    ("placeholder for a change id", {"change_id": "null"}, "change_id"),
    ("no subject", {"account_id": ""}, "account_id"),
    ("long account", {"account_id": "x" * 257}, "account_id"),
    ("long device", {"device_id": "x" * 257}, "device_id"),
    ("no choice", {"choice": pb.CHOICE_UNSPECIFIED}, "choice"),
    ("unknown choice", {"choice": 77}, "choice"),
    ("unknown source", {"source": 77}, "source"),
    ("long change id", {"change_id": "x" * 257}, "change_id"),
    ("country", {"country": "Atlantis"}, "country"),
    ("language", {"language": "?"}, "language"),
    ("no date", {"birth_date": Date(year=2023, month=2, day=29)}, "birth_date"),
    ("born too long ago", {"birth_date": Date(year=1899, month=12, day=31)}, "birth_date"),
    ("born in the future", {"birth_date": Date(year=2099, month=1, day=1)}, "birth_date"),
]


@pytest.mark.parametrize(("fields", "field"), [row[1:] for row in MALFORMED], ids=[row[0] for row in MALFORMED])
def test_a_malformed_choice_is_refused(fields: dict[str, Any], field: str) -> None:
    store = ScriptedRecords()
    with pytest.raises(InvalidRequest) as caught:
        set_(store, opt_out(**fields))
    assert caught.value.field == field
    assert store.changes == []


def test_a_device_is_a_subject_of_its_own() -> None:
    store = ScriptedRecords()
    answer = set_(store, opt_out(device_id="phone", choice=pb.CHOICE_OPT_IN))
    assert store.changes[0].subject == Subject(SubjectKind.DEVICE, "phone")
    assert answer.set_cookie.startswith("TOptOut=; Path=/; Max-Age=0")
