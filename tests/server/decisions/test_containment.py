"""Containment: a fault of ours limits the request that it is about, and no other."""

from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from adtargeting.v1 import targeting_pb2 as pb
from google.rpc import code_pb2

from server.gate.methods import DECIDE, DECIDE_BATCH
from server.gate.port import Refusal
from targeting.decision import Decision, Plan, decide, plan
from targeting.model import AdRequest, Subject
from targeting.networks import decide_networks
from targeting.policy.policy import Policy
from targeting.records.envelope import seal
from targeting.records.preference import Choice, Preference, encode_preference
from targeting.records.profile import EXPOSURE, INTEREST, NOTHING_KNOWN, write_profile
from targeting.records.stored_records import StoredRecords
from tests.server.decisions.worker_bench import (
    OWNER,
    Bench,
    Broken,
    batch,
    called,
    reasons_of,
    request,
    response,
)
from tests.server.doubles import ScriptedStore

OF_A_NEWER_VERSION = {
    "an empty preference": {"preference": seal(b"aP", 1, OWNER, b"")},
    "an unknown segment kind": {
        "preference": encode_preference(Preference(), OWNER),
        "profile": write_profile(NOTHING_KNOWN._replace(interest_rows=INTEREST.pack(1, 0, 1, 99), version=1), OWNER),
    },
}


@pytest.mark.parametrize("records", OF_A_NEWER_VERSION.values(), ids=OF_A_NEWER_VERSION)
def test_records_of_a_newer_version_limit_their_owner_and_nobody_else(records: dict[str, bytes]) -> None:
    def stored(subject: Subject) -> StoredRecords:
        found = records if subject.id == "alice" else {}
        return StoredRecords(subject.kind, OWNER, found.get("preference"), found.get("profile"))

    bench = Bench(ScriptedStore(stored))
    spoilt, mate = bench.serve(bench.gate.put(DECIDE, request()), bench.gate.put(DECIDE, request(account_id="bob")))
    assert list(response(spoilt).reasons) == [pb.REASON_RECORD_UNREADABLE]
    assert list(response(mate).reasons) == [pb.REASON_NO_PROFILE]


def test_signals_that_cannot_even_be_looked_at_limit_their_own_request(monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty(requests: Sequence[AdRequest], policy: Policy, now_s: float) -> Plan:
        if any("fault" in request.cookie_header for request in requests):
            raise LookupError("a fault")
        return plan(requests, policy, now_s)

    monkeypatch.setattr("server.decisions.decider.plan", faulty)
    bench = Bench()
    asked = ["house", "partner"]
    calls = [
        bench.gate.put(DECIDE, request(cookie_header=header, third_party_networks=asked)) for header in ("fault=1", "")
    ]
    ill, well = (response(answer) for answer in bench.serve(*calls))
    assert list(ill.reasons) == [pb.REASON_TCF_NO_CONSENT, pb.REASON_SIGNAL_UNREADABLE]
    assert ill.limited.country == "US"
    # What the signals said is unknown, so no network is contacted.
    assert [each.contact_allowed for each in (*ill.networks, *well.networks)] == [False, False, True, True]
    assert list(well.reasons) == [pb.REASON_NO_PROFILE]


def test_a_fault_while_the_store_is_down_limits_everybody() -> None:
    bench = Bench()
    bench.store.fails = LookupError("a fault")
    answers = bench.serve(bench.gate.put(DECIDE, request()), bench.gate.put(DECIDE, request(account_id="bob")))
    assert [list(response(answer).reasons) for answer in answers] == [[pb.REASON_STORE_UNAVAILABLE]] * 2


def unwritable(subject: Subject) -> StoredRecords:
    """Records that can be read, of a profile whose answer cannot be written: the id of an ad is too long for it."""
    if subject.id != "b-1":
        return StoredRecords(subject.kind, OWNER)
    row = EXPOSURE.pack(1, 0, 0)
    profile = write_profile(NOTHING_KNOWN._replace(exposure_rows=row, ad_ids=[b"x" * 200], version=1), OWNER)
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
    # No subject; an account; an account and a device; a device; an account, a device and a linked account; none again.
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
    profile = write_profile(NOTHING_KNOWN._replace(exposure_rows=row, ad_ids=[subject.id.encode()], version=1), owner)
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
    monkeypatch.setattr("server.decisions.pace.MOST_WEIGHT", 2)
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


def test_a_fault_of_ours_still_answers_limited() -> None:
    def fails(_: Subject) -> StoredRecords:
        raise Broken("secret text of alice")

    bench = Bench(ScriptedStore(fails))
    (answer,) = bench.serve(bench.gate.put(DECIDE, request()))
    assert list(response(answer).reasons) == [pb.REASON_STORE_UNAVAILABLE]
