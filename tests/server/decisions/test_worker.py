"""The worker: every decision is answered, whatever goes wrong."""

import threading
import time
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from adtargeting.v1 import targeting_pb2 as pb
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2

from server.decisions.decider import Decided, Decider
from server.decisions.worker import Limits, Worker
from server.gate.methods import DECIDE, DECIDE_BATCH, PREPARE_BID_REQUEST
from server.gate.port import Answer, Call, Method, Refusal
from server.metrics.metrics import Metrics
from server.store.ports import StoreTimeout, StoreUnavailable
from targeting.decision import Decision, Plan, Rulebook, decide, plan
from targeting.model import AdRequest, Subject
from targeting.networks import decide_networks
from targeting.places.geo import IpLocation
from targeting.policy.policy import DEFAULT_POLICY, Policy
from targeting.records.envelope import seal
from targeting.records.preference import Choice, Preference, encode_preference
from targeting.records.profile import EXPOSURE, INTEREST, RawProfile, write_profile
from targeting.records.stored_records import StoredRecords
from tests.server.doubles import ListGate, Nowhere, ScriptedStore
from tests.targeting.signals.tcf.tcf_encoder import Tc


class CountingLocator(Nowhere):
    """Counts what it is asked, and fails for one address."""

    def __init__(self) -> None:
        self.asked = 0

    def locate(self, ip_text: str) -> IpLocation:
        self.asked += 1
        if ip_text == "fault":
            raise LookupError("a fault")
        return super().locate(ip_text)


class Bench:
    """A worker with its doubles."""

    def __init__(self, store: ScriptedStore | None = None, budget_s: float = 5.0) -> None:
        self.gate, self.store, self.metrics = ListGate(), store or ScriptedStore(), Metrics()
        self.locator = CountingLocator()
        decider = Decider(self.store, lambda: Rulebook(DEFAULT_POLICY, b"key"), lambda _: None, self.metrics)
        self.worker = Worker(self.gate, decider, self.locator, self.metrics, Limits(budget_s))

    def serve(self, *calls: Call) -> list[Answer]:
        self.worker.serve(calls)
        return [self.gate.of(call) for call in calls]

    def count(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(name, labels) or 0.0


def request(**fields: Any) -> bytes:
    return pb.DecideRequest(**{"account_id": "alice", "ip": "192.0.2.1", **fields}).SerializeToString()


def response(answer: Answer) -> pb.DecideResponse:
    assert isinstance(answer, bytes)
    return pb.DecideResponse.FromString(answer)


def test_what_waits_is_decided_with_one_reading_and_each_gets_its_own_answer() -> None:
    bench = Bench()
    calls = [bench.gate.put(DECIDE, request(request_id=str(number))) for number in range(5)]
    answers = [response(answer) for answer in bench.serve(*calls)]
    assert [answer.request_id for answer in answers] == ["0", "1", "2", "3", "4"]
    assert [list(answer.reasons) for answer in answers] == [[pb.REASON_NO_PROFILE]] * 5
    assert len(bench.store.asked) == 1
    assert bench.count("adtargeting_decisions_total", mode="limited") == 5
    assert bench.count("adtargeting_limit_reasons_total", reason="no_profile") == 5
    assert bench.count("adtargeting_decision_seconds_count") == 5


def test_a_call_whose_caller_has_gone_costs_nothing() -> None:
    bench = Bench()
    call = bench.gate.put(DECIDE, request())
    call.gone = True
    bench.worker.serve([call])
    assert bench.store.asked == []
    assert bench.gate.answers == {}


@pytest.mark.parametrize(
    ("problem", "reason", "kind"),
    [
        (StoreTimeout(), pb.REASON_STORE_TIMEOUT, "timeout"),
        (StoreUnavailable(), pb.REASON_STORE_UNAVAILABLE, "unavailable"),
    ],
    ids=["timeout", "unavailable"],
)
def test_a_failing_store_limits(problem: Exception, reason: pb.Reason, kind: str) -> None:
    bench = Bench()
    bench.store.fails = problem
    (answer,) = bench.serve(bench.gate.put(DECIDE, request()))
    assert list(response(answer).reasons) == [reason]
    assert response(answer).limited.country == "US"
    assert bench.count("adtargeting_store_errors_total", operation="fetch", kind=kind) == 1


OWNER = bytes(16)
OF_A_NEWER_VERSION = {
    "an empty preference": {"preference": seal(b"aP", 1, OWNER, b"")},
    "a segment kind nobody knows": {
        "preference": encode_preference(Preference(), OWNER),
        "profile": write_profile(
            RawProfile(0, "", "", "", "", INTEREST.pack(1, 0, 1, 99), b"", b"", (), [], 1, 0, 0), OWNER
        ),
    },
}


@pytest.mark.parametrize("records", OF_A_NEWER_VERSION.values(), ids=OF_A_NEWER_VERSION)
def test_records_of_a_newer_version_limit_their_owner_and_nobody_else(records: dict[str, bytes]) -> None:
    def stored(subject: Subject) -> StoredRecords:
        return StoredRecords(subject.kind, OWNER, **(records if subject.id == "alice" else {}))

    bench = Bench(ScriptedStore(stored))
    spoilt, mate = bench.serve(bench.gate.put(DECIDE, request()), bench.gate.put(DECIDE, request(account_id="bob")))
    assert list(response(spoilt).reasons) == [pb.REASON_RECORD_UNREADABLE]
    assert list(response(mate).reasons) == [pb.REASON_NO_PROFILE]


def test_signals_that_cannot_even_be_looked_at_limit_their_own_request(monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty(requests: Sequence[AdRequest], policy: Policy) -> Plan:
        if any("fault" in request.cookie_header for request in requests):
            raise LookupError("a fault")
        return plan(requests, policy)

    monkeypatch.setattr("server.decisions.decider.plan", faulty)
    bench = Bench()
    asked = ["house", "partner"]
    calls = [
        bench.gate.put(DECIDE, request(cookie_header=header, third_party_networks=asked)) for header in ("fault=1", "")
    ]
    ill, well = (response(answer) for answer in bench.serve(*calls))
    assert list(ill.reasons) == [pb.REASON_TCF_NO_CONSENT, pb.REASON_SIGNAL_UNREADABLE]
    assert ill.limited.country == "US"
    # Nobody knows what the signals said, so nobody is contacted.
    assert [each.contact_allowed for each in (*ill.networks, *well.networks)] == [False, False, True, True]
    assert list(well.reasons) == [pb.REASON_NO_PROFILE]


def test_a_fault_while_the_store_is_down_limits_everybody() -> None:
    bench = Bench()
    bench.store.fails = LookupError("a fault")
    answers = bench.serve(bench.gate.put(DECIDE, request()), bench.gate.put(DECIDE, request(account_id="bob")))
    assert [list(response(answer).reasons) for answer in answers] == [[pb.REASON_STORE_UNAVAILABLE]] * 2


def test_a_call_that_waited_too_long_is_limited_without_asking_and_its_mates_are_not() -> None:
    bench = Bench(budget_s=1.0)
    late, fresh = bench.gate.put(DECIDE, request(), waited_s=2.0), bench.gate.put(DECIDE, request())
    hurried = bench.gate.put(DECIDE, request(), deadline_s=time.monotonic() + 0.0005)
    answers = [response(answer) for answer in bench.serve(late, fresh, hurried)]
    assert [list(answer.reasons) for answer in answers] == [
        [pb.REASON_STORE_TIMEOUT],
        [pb.REASON_NO_PROFILE],
        [pb.REASON_STORE_TIMEOUT],
    ]
    ((subjects, budget_s),) = bench.store.asked
    assert len(subjects) == 1
    assert 0.5 < budget_s <= 1.0


def test_the_callers_deadline_bounds_the_reading() -> None:
    bench = Bench(budget_s=10.0)
    bench.serve(bench.gate.put(DECIDE, request(), deadline_s=time.monotonic() + 2.0))
    assert bench.store.asked[0][1] <= 2.0


MALFORMED = [
    ("request_id", {"request_id": "x" * 257}, "request_id"),
    ("account_id", {"account_id": "x" * 257}, "account_id"),
    ("account_id in characters of four bytes", {"account_id": "😀" * 65}, "account_id"),
    ("device_id", {"device_id": "x" * 257}, "device_id"),
    ("linked account", {"linked_account_ids": ["ok", "x" * 257]}, "linked_account_ids[1]"),
    ("linked accounts", {"linked_account_ids": ["x"] * 9}, "linked_account_ids"),
    ("networks", {"third_party_networks": ["x"] * 65}, "third_party_networks"),
    ("network", {"third_party_networks": ["x" * 257]}, "third_party_networks[0]"),
    ("no network", {"third_party_networks": ["x", ""]}, "third_party_networks[1]"),
    ("country", {"client": pb.ClientSettings(country="Atlantis")}, "client.country"),
]


@pytest.mark.parametrize(("fields", "field"), [row[1:] for row in MALFORMED], ids=[row[0] for row in MALFORMED])
def test_a_malformed_request_is_refused_by_field_and_without_its_value(fields: dict[str, Any], field: str) -> None:
    bench = Bench()
    good, bad = bench.gate.put(DECIDE, request()), bench.gate.put(DECIDE, request(**fields))
    answer, refusal = bench.serve(good, bad)
    assert response(answer).mode == pb.MODE_LIMITED
    assert isinstance(refusal, Refusal)
    assert refusal.code == code_pb2.INVALID_ARGUMENT
    status = status_pb2.Status.FromString(refusal.status)
    details = error_details_pb2.BadRequest()
    assert status.details[0].Unpack(details)
    assert [violation.field for violation in details.field_violations] == [field]
    for text in ("xxx", "Atlantis", "😀"):
        assert text not in refusal.message
        assert text.encode() not in refusal.status


def test_bytes_that_are_no_request_are_refused() -> None:
    bench = Bench()
    for method in (DECIDE, DECIDE_BATCH):
        (refusal,) = bench.serve(bench.gate.put(method, b"\xff\xff\xff"))
        assert isinstance(refusal, Refusal)
        assert refusal.code == code_pb2.INVALID_ARGUMENT


@pytest.mark.parametrize(
    "fields",
    [
        {"ip": "1" * 10_000},
        {"ip": "::1%eth0"},
        {"accept_language": ";;;=" * 500},
        {"cookie_header": "TOptOut" + "\0" * 9000},
        {"signals": pb.PrivacySignals(tcf_consent="x" * 30_000, gpp="~" * 20_000, us_privacy="?", gdpr_applies=True)},
        {"signals": pb.PrivacySignals(gpp_section_ids=[-5, 0, 2**31 - 1])},
        {"signals": pb.PrivacySignals(gpp_section_ids=[-1] * 10_000)},
        {"client": pb.ClientSettings(language="?!")},
    ],
    ids=["ip", "zone", "language", "cookies", "signals", "sections", "10,000 sections", "client language"],
)
def test_a_malformed_signal_never_fails_a_decision(fields: dict[str, Any]) -> None:
    bench = Bench()
    (answer,) = bench.serve(bench.gate.put(DECIDE, request(**fields)))
    assert response(answer).mode == pb.MODE_LIMITED


def test_signals_that_cannot_be_read_are_counted_by_kind() -> None:
    bench = Bench()
    signals = pb.PrivacySignals(tcf_consent="?", gpp="?", us_privacy="?", gdpr_applies=True, gpp_section_ids=[-1] * 99)
    bench.serve(bench.gate.put(DECIDE, request(signals=signals)))
    for signal in ("tcf", "gpp", "us_privacy", "request"):
        assert bench.count("adtargeting_signal_decode_errors_total", signal=signal) == 1


def test_newer_policies_are_counted_and_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()
    newer, older = (Tc(policy_version=version).text() for version in (6, 5))
    for text in (newer, older, newer):
        bench.serve(bench.gate.put(DECIDE, request(signals=pb.PrivacySignals(tcf_consent=text, gdpr_applies=True))))
    assert bench.count("adtargeting_tcf_newer_policies_total") == 2
    (warning,) = caplog.records
    assert "policy version 6" in warning.message
    assert newer not in warning.message


def test_a_batch_answers_in_order_and_one_bad_item_fails_alone() -> None:
    bench = Bench()
    requests = [pb.DecideRequest(request_id=str(number), account_id="alice", ip="192.0.2.1") for number in range(4)]
    requests[2].account_id = "x" * 300
    message = pb.DecideBatchRequest(requests=requests)
    (answer,) = bench.serve(bench.gate.put(DECIDE_BATCH, message.SerializeToString()))
    assert isinstance(answer, bytes)
    results = pb.DecideBatchResponse.FromString(answer).results
    assert [each.WhichOneof("result") for each in results] == ["response", "response", "error", "response"]
    assert [results[number].response.request_id for number in (0, 1, 3)] == ["0", "1", "3"]
    assert results[2].error.code == code_pb2.INVALID_ARGUMENT
    assert results[2].error.field == "account_id"
    assert len(bench.store.asked) == 1


def batch(name: str, size: int, *bad: int) -> bytes:
    """A batch of requests called name-0, name-1 …; those at these places cannot be taken."""
    names = [f"{name}-{at}" for at in range(size)]
    requests = [pb.DecideRequest(request_id=each, account_id=each, ip="192.0.2.1") for each in names]
    for at in bad:
        requests[at].account_id = "x" * 300
    return pb.DecideBatchRequest(requests=requests).SerializeToString()


def called(answer: Answer) -> list[str]:
    """What the items of a batch's answer are called; a refused one by the field that it is refused for."""
    assert isinstance(answer, bytes)
    return [each.response.request_id or each.error.field for each in pb.DecideBatchResponse.FromString(answer).results]


def test_batches_that_wait_are_decided_with_one_reading_and_each_gets_its_own_answers() -> None:
    bench = Bench()
    payloads = [batch("a", 3, 0, 2), b"\xff", batch("b", 2), batch("c", 1, 0), batch("d", 2, 1)]
    first, broken, second, empty, last = bench.serve(*(bench.gate.put(DECIDE_BATCH, each) for each in payloads))
    assert called(first) == ["account_id", "a-1", "account_id"]
    assert called(second) == ["b-0", "b-1"]
    assert called(empty) == ["account_id"]
    assert called(last) == ["d-0", "account_id"]
    assert isinstance(broken, Refusal)
    ((subjects, _),) = bench.store.asked
    assert [subject.id for subject in subjects] == ["a-1", "b-0", "b-1", "d-0"]
    assert bench.count("adtargeting_decisions_total", mode="limited") == 4
    assert bench.count("adtargeting_decision_seconds_count") == 5


def test_refused_items_stand_where_they_stood_each_with_its_own_field() -> None:
    requests = [pb.DecideRequest(request_id=str(at), account_id="alice", ip="192.0.2.1") for at in range(4)]
    requests[0].account_id, requests[1].device_id = "x" * 300, "x" * 300
    bench = Bench()
    payload = pb.DecideBatchRequest(requests=requests).SerializeToString()
    (answer,) = bench.serve(bench.gate.put(DECIDE_BATCH, payload))
    assert called(answer) == ["account_id", "device_id", "2", "3"]


def test_a_batch_whose_caller_has_gone_costs_nothing() -> None:
    bench = Bench()
    gone, here = bench.gate.put(DECIDE_BATCH, batch("gone", 2)), bench.gate.put(DECIDE_BATCH, batch("here", 2))
    gone.gone = True
    bench.worker.serve([gone, here])
    assert called(bench.gate.of(here)) == ["here-0", "here-1"]
    assert [len(subjects) for subjects, _ in bench.store.asked] == [2]
    assert gone.ticket not in bench.gate.answers


def test_batches_are_read_only_as_they_are_needed() -> None:
    bench = Bench()
    calls = [bench.gate.put(DECIDE_BATCH, batch(str(number), 128)) for number in range(4)]
    # One is read beyond what fits, to find out that it does not.
    seen_when_asked: list[int] = []
    bench.store.on_fetch = lambda: seen_when_asked.append(bench.locator.asked)
    bench.serve(*calls)
    assert seen_when_asked == [256, 384, 512, 512]


def test_a_store_that_is_asked_for_several_batches_has_the_least_time_of_them() -> None:
    bench = Bench(budget_s=60.0)
    now = time.monotonic()
    deadlines_s = (now + 9, now + 3, now + 6)
    bench.serve(*[bench.gate.put(DECIDE_BATCH, batch("some", 2), deadline_s=each) for each in deadlines_s])
    ((subjects, budget_s),) = bench.store.asked
    assert len(subjects) == 6
    assert 2 < budget_s <= 3


def test_who_is_late_is_answered_first_and_who_is_hurried_is_decided_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.decisions.worker._HURRIED_S", 3.0)
    bench = Bench(budget_s=10.0)
    payload = batch("one", 1)
    patient, hurried, late = (bench.gate.put(DECIDE_BATCH, payload, waited_s=each) for each in (0.0, 8.0, 11.0))
    answers = bench.serve(patient, hurried, late)
    assert [call is each for call, each in zip(bench.gate.order, (late, hurried, patient), strict=True)] == [True] * 3
    assert [bool(reasons_of(answer) & {pb.REASON_STORE_TIMEOUT}) for answer in answers] == [False, False, True]
    (hurried_s, patient_s) = (budget_s for _, budget_s in bench.store.asked)
    assert 0 < hurried_s <= 2 < patient_s <= 10


def reasons_of(answer: Answer) -> set[pb.Reason]:
    """Every reason in the answer to a ``DecideBatch``."""
    assert isinstance(answer, bytes)
    results = pb.DecideBatchResponse.FromString(answer).results
    return {reason for each in results for reason in each.response.reasons}


def test_the_patient_get_no_time_that_has_passed_while_the_hurried_were_decided(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [1000.0]
    monkeypatch.setattr("server.decisions.worker.time.monotonic", lambda: clock[0])
    bench = Bench(budget_s=0.025)
    # The store takes all that it is given.
    bench.store.on_fetch = lambda: clock.__setitem__(0, clock[0] + bench.store.asked[-1][1])
    hurried, patient, soon_late = (
        bench.gate.put(DECIDE_BATCH, batch("some", 1), waited_s=each) for each in (0.021, 0.010, 0.0195)
    )
    answers = bench.serve(hurried, patient, soon_late)
    # Four milliseconds for the hurried; then one is too late, and the other has eleven left of fifteen.
    assert [round(budget_s * 1000) for _, budget_s in bench.store.asked] == [4, 11]
    assert [reasons_of(each) for each in answers] == [
        {pb.REASON_NO_PROFILE},
        {pb.REASON_NO_PROFILE},
        {pb.REASON_STORE_TIMEOUT},
    ]


def unwritable(subject: Subject) -> StoredRecords:
    """Records that can be read, of a profile whose answer cannot be written: the id of an ad is too long for it."""
    if subject.id != "b-1":
        return StoredRecords(subject.kind, OWNER)
    row = EXPOSURE.pack(1, 0, 0)
    profile = write_profile(RawProfile(0, "", "", "", "", b"", b"", row, (), [b"x" * 200], 1, 0, 0), OWNER)
    return StoredRecords(subject.kind, OWNER, encode_preference(Preference(), OWNER), profile)


def test_an_answer_that_cannot_be_written_is_limited_and_nobody_else_notices() -> None:
    bench = Bench(ScriptedStore(unwritable))
    calls = [bench.gate.put(DECIDE_BATCH, batch(name, 3)) for name in "abc"]
    calls += [bench.gate.put(DECIDE, request(request_id=name, account_id=name)) for name in ("x", "b-1", "y")]
    first, spoilt, last, *single = bench.serve(*calls)
    assert [called(each) for each in (first, spoilt, last)] == [[f"{name}-{at}" for at in range(3)] for name in "abc"]
    assert [reasons_of(each) for each in (first, last)] == [{pb.REASON_NO_PROFILE}] * 2
    assert isinstance(spoilt, bytes)
    reasons = [list(each.response.reasons) for each in pb.DecideBatchResponse.FromString(spoilt).results]
    assert reasons == [[pb.REASON_NO_PROFILE], [pb.REASON_RECORD_UNREADABLE], [pb.REASON_NO_PROFILE]]
    assert [response(each).request_id for each in single] == ["x", "b-1", "y"]
    assert [list(response(each).reasons) for each in single] == [
        [pb.REASON_NO_PROFILE],
        [pb.REASON_RECORD_UNREADABLE],
        [pb.REASON_NO_PROFILE],
    ]
    assert len(bench.store.asked) == 2, "the store is asked once, whatever is wrong with what it gave"
    assert bench.count("adtargeting_decisions_total", mode="limited") == 12


PEOPLE: list[dict[str, Any]] = [
    # Nobody; one account; an account and a device; a device; an account, a device and a linked account; nobody again.
    {},
    {"account_id": "opted-out"},
    {"account_id": "known", "device_id": "phone"},
    {"device_id": "opted-out-phone"},
    {"account_id": "stranger", "device_id": "tablet", "linked_account_ids": ["opted-out"]},
    {"account_id": "known", "signals": pb.PrivacySignals(child_directed=True)},
    {"account_id": "known"},
    {"account_id": "stranger"},
]


def of_many_kinds(subject: Subject) -> StoredRecords:
    """Records of a pseudonym that only this subject has: some opted out, some known, some unknown."""
    owner = subject.id.encode().ljust(16, b"\0")
    choice = Choice.OPT_OUT if subject.id.startswith("opted-out") else Choice.NONE
    preference = None if subject.id == "stranger" else encode_preference(Preference(choice), owner)
    row = EXPOSURE.pack(1, 0, 0)
    profile = write_profile(RawProfile(0, "", "", "", "", b"", b"", row, (), [subject.id.encode()], 1, 0, 0), owner)
    return StoredRecords(subject.kind, owner, preference, profile if subject.id == "known" else None)


@pytest.mark.parametrize("spoilt_at", range(len(PEOPLE) + 1))
def test_wherever_a_fault_is_everybody_else_gets_what_he_would_get_alone(
    spoilt_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.decisions.decider.time.time", lambda: 1_800_000_000.0)
    payloads = [request(**{"account_id": "", "request_id": str(at), **fields}) for at, fields in enumerate(PEOPLE)]
    bench = Bench(ScriptedStore(of_many_kinds))
    alone = [bench.serve(bench.gate.put(DECIDE, payload))[0] for payload in payloads]
    assert len({response(answer).behavioural.SerializeToString() for answer in alone}) == 2
    assert {response(answer).mode for answer in alone} == {pb.MODE_BEHAVIOURAL, pb.MODE_LIMITED}

    def faulty(network_ids: Iterable[str], *rest: Any) -> Any:
        raise LookupError("a fault")

    monkeypatch.setattr("targeting.decision.decide_networks", faulty)
    payloads.insert(spoilt_at, request(account_id="known", device_id="phone", third_party_networks=["house"]))
    together = bench.serve(*[bench.gate.put(DECIDE, payload) for payload in payloads])
    assert response(together.pop(spoilt_at)).mode == pb.MODE_LIMITED
    assert together == alone


def test_a_decision_too_few_gives_nobody_the_answer_of_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful(planned: Plan, *rest: Any) -> list[Decision]:
        decisions = decide(planned, *rest)
        return decisions[1:] if len(decisions) > 2 else decisions

    monkeypatch.setattr("server.decisions.decider.decide", forgetful)
    bench = Bench()
    answers = bench.serve(*[bench.gate.put(DECIDE_BATCH, batch(name, 3)) for name in "ab"])
    assert [called(answer) for answer in answers] == [["a-0", "a-1", "a-2"], ["b-0", "b-1", "b-2"]]


def test_a_fault_that_networks_bring_limits_one_request_and_still_serves_its_ad(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def faulty(network_ids: Iterable[str], *rest: Any) -> Any:
        if "fault" in network_ids:
            raise LookupError("a fault")
        return decide_networks(network_ids, *rest)

    monkeypatch.setattr("targeting.decision.decide_networks", faulty)
    bench = Bench()
    asked = (["house"], ["fault"], ["house"])
    calls = [bench.gate.put(DECIDE, request(third_party_networks=each)) for each in asked]
    before, spoilt, after = (response(each) for each in bench.serve(*calls))
    assert list(spoilt.reasons) == [pb.REASON_TCF_NO_CONSENT, pb.REASON_SIGNAL_UNREADABLE]
    assert (spoilt.limited.ip_country, len(spoilt.networks)) == ("US", 0)
    assert [len(each.networks) for each in (before, after)] == [1, 1]


def test_a_fault_where_none_can_be_dealt_with_refuses_its_own_group_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.decisions.worker._MOST_TOGETHER", 2)
    bench = Bench()
    faulty = bench.metrics.count_decisions

    def count(decisions: list[Decision]) -> None:
        if any(each.request_id == "b-1" for each in decisions):
            raise LookupError("a fault")
        faulty(decisions)

    monkeypatch.setattr(bench.metrics, "count_decisions", count)
    first, refused, last = bench.serve(*[bench.gate.put(DECIDE_BATCH, batch(name, 2)) for name in "abc"])
    assert [called(each) for each in (first, last)] == [["a-0", "a-1"], ["c-0", "c-1"]]
    assert isinstance(refused, Refusal)
    assert refused.code == code_pb2.INTERNAL


def test_a_fault_in_what_is_only_noticed_changes_no_decision(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def faulty(_: str) -> None:
        raise LookupError("a fault")

    bench = Bench()
    monkeypatch.setattr(bench.metrics, "count_decode_error", faulty)
    signals = pb.PrivacySignals(gpp_section_ids=[-1] * 99)
    (answer,) = bench.serve(bench.gate.put(DECIDE, request(signals=signals)))
    assert pb.REASON_SIGNAL_UNREADABLE in response(answer).reasons
    assert len(bench.store.asked) == 0
    assert [each.levelname for each in caplog.records] == ["ERROR"]


def test_a_fault_in_reading_refuses_one_call_alone_and_in_a_batch_one_item() -> None:
    bench = Bench()
    calls = [bench.gate.put(DECIDE, request(ip=ip)) for ip in ("192.0.2.1", "fault", "192.0.2.1")]
    before, faulty, after = bench.serve(*calls)
    assert isinstance(faulty, Refusal)
    assert faulty.code == code_pb2.INTERNAL
    assert [response(each).mode for each in (before, after)] == [pb.MODE_LIMITED] * 2
    items = [pb.DecideRequest(request_id=ip, account_id="alice", ip=ip) for ip in ("192.0.2.1", "fault", "192.0.2.1")]
    payload = pb.DecideBatchRequest(requests=items).SerializeToString()
    (answer,) = bench.serve(bench.gate.put(DECIDE_BATCH, payload))
    assert isinstance(answer, bytes)
    results = pb.DecideBatchResponse.FromString(answer).results
    assert [each.WhichOneof("result") for each in results] == ["response", "error", "response"]
    assert (results[1].error.code, results[1].error.field) == (code_pb2.INTERNAL, "")


@pytest.mark.parametrize(
    ("sizes", "together"),
    [([128, 1], [128, 1]), ([64, 64, 64], [128, 64]), ([256, 2, 2], [256, 4]), ([1, 256, 1], [1, 256, 1])],
    ids=["full, and one more", "two and one", "one is never divided", "nor put to others"],
)
def test_batches_with_many_decisions_do_not_wait_for_each_other(sizes: list[int], together: list[int]) -> None:
    bench = Bench()
    calls = [bench.gate.put(DECIDE_BATCH, batch(str(number), size)) for number, size in enumerate(sizes)]
    answers = bench.serve(*calls)
    assert [len(called(answer)) for answer in answers] == sizes
    assert [len(subjects) for subjects, _ in bench.store.asked] == together


def test_single_decisions_never_wait_for_batches() -> None:
    bench = Bench()
    bench.serve(bench.gate.put(DECIDE_BATCH, batch("many", 2)), bench.gate.put(DECIDE, request(account_id="one")))
    assert [[subject.id for subject in subjects] for subjects, _ in bench.store.asked] == [
        ["one"],
        ["many-0", "many-1"],
    ]


def not_utf8(request: pb.DecideRequest) -> pb.DecideRequest:
    """A request whose cookie no generated class would take: marked, and spoilt when it is serialised."""
    request.cookie_header = "MUID=\N{BULLET}"
    return request


def spoilt(message: Message) -> bytes:
    """The message with every bullet in it cut short."""
    return message.SerializeToString().replace("\N{BULLET}".encode(), b"\xe2\x80.")


def test_a_cookie_header_that_is_not_utf8_fails_no_decision() -> None:
    bench = Bench()
    (answer,) = bench.serve(bench.gate.put(DECIDE, spoilt(not_utf8(pb.DecideRequest(account_id="alice")))))
    assert response(answer).mode == pb.MODE_LIMITED
    assert pb.REASON_SIGNAL_UNREADABLE in response(answer).reasons
    (refusal,) = bench.serve(bench.gate.put(DECIDE, spoilt(pb.DecideRequest(account_id="\N{BULLET}"))))
    assert isinstance(refusal, Refusal)
    assert refusal.message == "account_id: is not UTF-8; send UTF-8"


def test_an_item_whose_id_is_not_utf8_is_refused_alone() -> None:
    bench = Bench()
    requests = [pb.DecideRequest(request_id=str(number), account_id="alice", ip="192.0.2.1") for number in range(3)]
    requests[1].device_id = "\N{BULLET}"
    (answer,) = bench.serve(bench.gate.put(DECIDE_BATCH, spoilt(pb.DecideBatchRequest(requests=requests))))
    assert isinstance(answer, bytes)
    results = pb.DecideBatchResponse.FromString(answer).results
    assert [each.WhichOneof("result") for each in results] == ["response", "error", "response"]
    assert [results[number].response.request_id for number in (0, 2)] == ["0", "2"]
    assert results[1].error == pb.DecideBatchError(
        code=code_pb2.INVALID_ARGUMENT, field="device_id", message="device_id: is not UTF-8; send UTF-8"
    )


@pytest.mark.parametrize(
    ("method", "payload"),
    [
        (DECIDE, b"\xff"),
        (DECIDE_BATCH, b"\xff"),
        (PREPARE_BID_REQUEST, b"\xff"),
    ],
    ids=["no message", "no batch", "nothing to prepare"],
)
def test_what_cannot_be_parsed_is_refused_in_words(method: Method, payload: bytes) -> None:
    bench = Bench()
    (refusal,) = bench.serve(bench.gate.put(method, payload))
    assert isinstance(refusal, Refusal)
    assert refusal.code == code_pb2.INVALID_ARGUMENT
    assert refusal.message.startswith("this is no adtargeting.v1.")


@pytest.mark.parametrize("broken", [b"", spoilt(pb.DecideBatchRequest(requests=[not_utf8(pb.DecideRequest())]))])
def test_too_many_items_are_refused_however_they_are_read(broken: bytes) -> None:
    bench = Bench()
    message = pb.DecideBatchRequest(requests=[pb.DecideRequest()] * 257)
    (refusal,) = bench.serve(bench.gate.put(DECIDE_BATCH, message.SerializeToString() + broken))
    assert isinstance(refusal, Refusal)
    assert refusal.message.startswith("requests:")


@pytest.mark.parametrize("count", [0, 257])
def test_a_batch_of_another_size_is_refused(count: int) -> None:
    bench = Bench()
    message = pb.DecideBatchRequest(requests=[pb.DecideRequest()] * count)
    (refusal,) = bench.serve(bench.gate.put(DECIDE_BATCH, message.SerializeToString()))
    assert isinstance(refusal, Refusal)
    assert refusal.message.startswith("requests:")


class Broken(Exception):
    """Something nobody foresaw, with text that must not get out."""


def test_a_fault_of_ours_still_answers_limited() -> None:
    def fails(_: Subject) -> StoredRecords:
        raise Broken("secret text of alice")

    bench = Bench(ScriptedStore(fails))
    (answer,) = bench.serve(bench.gate.put(DECIDE, request()))
    assert list(response(answer).reasons) == [pb.REASON_STORE_UNAVAILABLE]


class FaultyDecider(Decider):
    """Fails where the worker does not expect it."""

    def __init__(self) -> None:
        self.failures = 0
        self.rulebook = lambda: Rulebook(DEFAULT_POLICY)

    def decide(self, requests: Sequence[AdRequest], budget_s: float, rulebook: Rulebook | None = None) -> list[Decided]:
        self.failures += 1
        raise Broken("secret text of alice")


def test_the_loop_outlives_a_fault_and_says_nothing_of_it(caplog: pytest.LogCaptureFixture) -> None:
    gate, metrics, decider = ListGate(), Metrics(), FaultyDecider()
    worker = Worker(gate, decider, Nowhere(), metrics, Limits(1.0))
    calls = [
        gate.put(DECIDE, request()),
        gate.put(DECIDE_BATCH, pb.DecideBatchRequest(requests=[{}]).SerializeToString()),
    ]
    thread = threading.Thread(target=worker.run)
    thread.start()
    deadline = time.monotonic() + 5
    while len(gate.answers) < 2 and time.monotonic() < deadline:
        time.sleep(0.005)
    worker.stop()
    thread.join(5)
    assert not thread.is_alive()
    for call in calls:
        answer = gate.of(call)
        assert isinstance(answer, Refusal)
        assert answer.code == code_pb2.INTERNAL
        assert "secret" not in answer.message
    assert decider.failures
    assert "secret" not in caplog.text
    assert "alice" not in caplog.text
