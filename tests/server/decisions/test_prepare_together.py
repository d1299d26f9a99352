"""Bid requests that wait are served together with everything else, and none knows of the others."""

import json
from typing import Any

from adtargeting.v1 import targeting_pb2 as pb
from google.rpc import code_pb2, error_details_pb2, status_pb2

from server.decisions.decider import Decider
from server.decisions.fetcher import Fetcher, LoopFetcher
from server.decisions.jobs import CallReader
from server.decisions.signal_observer import SignalObserver
from server.decisions.worker import WorkerParts
from server.gate.methods import DECIDE, PREPARE_BID_REQUEST
from server.gate.port import Answer, Call, Refusal
from server.metrics.metrics import Metrics
from targeting.decision import Rulebook
from targeting.model import Subject
from targeting.records.stored_records import StoredRecords
from tests.properties.people import Person, bid_request, invent_person
from tests.server.decisions.worker_bench import serve_all
from tests.server.doubles import ListGate, ScriptedStore
from tests.targeting.openrtb.preparing import NOWHERE, POLICY, asking, record

NETWORKS = ["house", "acme", "estuary", "stranger"]
PEOPLE = [invent_person(seed, browser=seed % 3) for seed in range(6)]
PROFILES = {subject: each.profile for each in PEOPLE for subject in each.subjects}


class Bench:
    """A worker that knows everybody."""

    def __init__(self, policy: Any = POLICY) -> None:
        self.gate, self.store = ListGate(), ScriptedStore(known)
        self.metrics = Metrics()
        self.parts = WorkerParts(
            decider=Decider(lambda: Rulebook(policy, b"key"), lambda _: None),
            fetcher=LoopFetcher(lambda: Fetcher(self.store, self.metrics)),
            observer=SignalObserver(self.metrics),
            reader=CallReader(NOWHERE),
            metrics=self.metrics,
            budget_s=60.0,
            singles_s=1e9,
            large_s=1e9,
            beside_s=1e9,
        )

    def serve(self, *payloads: bytes, method: Any = PREPARE_BID_REQUEST, **waiting: Any) -> list[Answer]:
        calls = [self.gate.put(method, payload, **waiting) for payload in payloads]
        serve_all(self.parts, self.gate)
        return [self.gate.of(call) for call in calls]


def known(subject: Subject) -> StoredRecords:
    profile = PROFILES.get(subject)
    return record(subject, profile=profile) if profile else StoredRecords(subject.kind, bytes(16))


def call_of(person: Person, **fields: Any) -> bytes:
    request = bid_request(person, regs={"gdpr": 0}, **fields)
    return asking(request, NETWORKS, account_id=person.account_id).SerializeToString()


def read(answer: Answer) -> pb.PrepareBidRequestResponse:
    assert isinstance(answer, bytes)
    return pb.PrepareBidRequestResponse.FromString(answer)


def ages_aside(answer: Answer) -> bytes:
    """The decision tells how long ago an ad was seen, which is another second at another time."""
    message = read(answer)
    message.decision.behavioural.Clear()
    return message.SerializeToString()


def test_each_gets_its_own_answer_whatever_else_waits() -> None:
    calls = [call_of(each) for each in PEOPLE]
    bench = Bench()
    together = bench.serve(*calls)
    assert len(bench.store.asked) == 1
    assert {read(each).decision.mode for each in together} == {pb.MODE_BEHAVIOURAL}
    for call, answer in zip(calls, together, strict=True):
        assert ages_aside(Bench().serve(call)[0]) == ages_aside(answer)


def test_nothing_of_one_request_shows_up_in_anothers() -> None:
    bench = Bench()
    answers = [json.dumps([json.loads(each.bid_request) for each in read(answer).bid_requests])
               for answer in bench.serve(*(call_of(each) for each in PEOPLE))]  # fmt: skip
    for index, person in enumerate(PEOPLE):
        agent, address = person.device["ua"].rpartition("zqd")[2][:8], person.device["ip"]
        assert agent in answers[index]
        assert address in answers[index]
        others = [answer for other, answer in enumerate(answers) if other != index]
        assert not any(agent in answer for answer in others)


def test_decisions_and_bid_requests_are_decided_together() -> None:
    bench = Bench()
    decide = bench.gate.put(DECIDE, pb.DecideRequest(account_id="nobody", ip="192.0.2.1").SerializeToString())
    prepare = bench.gate.put(PREPARE_BID_REQUEST, call_of(PEOPLE[0]))
    serve_all(bench.parts, bench.gate)
    assert len(bench.store.asked) == 1
    answer = bench.gate.of(decide)
    assert isinstance(answer, bytes)
    assert pb.DecideResponse.FromString(answer).mode == pb.MODE_LIMITED
    assert [each.network_id for each in read(bench.gate.of(prepare)).bid_requests] == NETWORKS


def test_one_that_cannot_be_taken_is_refused_and_its_batch_mates_are_not() -> None:
    good = call_of(PEOPLE[0])
    bad = asking(b'{"id":"1","imp":[{"id":"1","id":"secret"}],"user":{"id":"secret"}}', NETWORKS).SerializeToString()
    answers = Bench().serve(good, bad, b"\xff", good)
    assert read(answers[0]).bid_requests
    assert answers[0] == answers[3]
    refusal = answers[1]
    assert isinstance(refusal, Refusal)
    assert refusal.code == code_pb2.INVALID_ARGUMENT
    detail = error_details_pb2.BadRequest()
    assert status_pb2.Status.FromString(refusal.status).details[0].Unpack(detail)
    assert detail.field_violations[0].field == "bid_request.imp[0].id"
    assert detail.field_violations[0].description == "must not occur twice"
    assert isinstance(answers[2], Refusal)


def test_a_call_that_waited_too_long_gets_limited_bid_requests_without_asking_the_store() -> None:
    bench = Bench()
    (answer,) = bench.serve(call_of(PEOPLE[0]), waited_s=61.0)
    assert bench.store.asked == []
    assert list(read(answer).decision.reasons) == [pb.REASON_STORE_TIMEOUT]
    assert all("eids" not in json.loads(each.bid_request)["user"] for each in read(answer).bid_requests)


def test_a_fault_of_ours_is_an_opaque_refusal_of_that_call_alone() -> None:
    class Broken:
        """A policy whose part for bid requests is not there."""

        def __getattr__(self, name: str) -> Any:
            if name == "bid_request":
                raise RuntimeError("secret")
            return getattr(POLICY, name)

    answers = Bench(Broken()).serve(call_of(PEOPLE[0]))
    assert isinstance(answers[0], Refusal)
    assert answers[0].code == code_pb2.INTERNAL
    assert "secret" not in answers[0].message


def test_a_long_bid_request_is_built_network_by_network_and_single_calls_go_in_between() -> None:
    bench = Bench()
    long = bench.gate.put(PREPARE_BID_REQUEST, call_of(PEOPLE[0], ext={"x": "y" * 60_000}))
    single: list[Call] = []

    def arrive() -> None:
        single.append(bench.gate.put(DECIDE, pb.DecideRequest(account_id="a", ip="192.0.2.1").SerializeToString()))

    bench.store.on_fetch = lambda: arrive() if not single else None
    serve_all(bench.parts, bench.gate)
    assert bench.gate.order == [single[0], long]
    assert [each.network_id for each in read(bench.gate.of(long)).bid_requests] == NETWORKS
