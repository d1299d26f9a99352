"""What protects callers from each other: with it the fault does no harm, and without it the same fault does."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from adtargeting.v1 import targeting_pb2 as pb
from adtargeting.v1.targeting_pb2_grpc import TargetingServiceStub

from server.app import Service
from server.decisions import pace, worker
from server.decisions.fetcher import LoopFetcher
from server.gate.connect import application
from server.gate.http2.gate import Http2Gate
from server.gate.methods import DECIDE, DECIDE_BATCH
from server.gate.port import Call
from server.gate.room import Capacity, Room
from server.settings import Settings
from tests.faults.matrix.marks import Figure
from tests.faults.redis_process import RedisProcess
from tests.faults.tcp_proxy import TcpProxy
from tests.forgetful import Forgetful
from tests.server.decisions.test_patience import SlowStore, end_patience_of, release_after
from tests.server.decisions.worker_bench import Bench, batch, request, response
from tests.server.gate.conftest import answer_all
from tests.server.gate.http_client import post
from tests.waiting import PATIENCE_S

PROTECTED = pytest.mark.parametrize("protected", [True, False], ids=["protected", "unprotected"])

CAPACITY = Capacity(decisions=100)


@PROTECTED
@pytest.mark.fault(row=23)
def test_a_greedy_client_leaves_room_for_another(
    monkeypatch: pytest.MonkeyPatch, figure: Figure, protected: bool
) -> None:
    room = Room(CAPACITY)
    if not protected:
        monkeypatch.setattr(room, "_held", Forgetful())
    while room.cause_against("greedy", 1, 1) is None:
        room.enter("greedy", 1, 1)
    figure(f"a greedy client has {room.weight} of {CAPACITY.decisions} places")
    assert (room.cause_against("modest", 1, 1) is None) == protected


@PROTECTED
@pytest.mark.fault(row=23)
def test_a_single_call_goes_between_the_portions_of_a_batch(monkeypatch: pytest.MonkeyPatch, protected: bool) -> None:
    if not protected:
        monkeypatch.setattr(pace, "MOST_WEIGHT", 1 << 20)
    bench = Bench()
    large = bench.gate.put(DECIDE_BATCH, batch("many", 256))
    late: list[Call] = []

    def arrive() -> None:
        if not late:
            late.append(bench.gate.put(DECIDE, request(account_id="one")))

    bench.store.on_fetch = arrive
    bench.serve(large)
    assert (bench.gate.order[0] is late[0]) == protected


@PROTECTED
@pytest.mark.fault(row=9)
def test_an_impatient_caller_limits_no_patient_one(monkeypatch: pytest.MonkeyPatch, protected: bool) -> None:
    bench = Bench(store := SlowStore(), budget_s=10.0)
    hurried = bench.gate.put(DECIDE, request(), deadline_s=time.monotonic() + PATIENCE_S)
    patient = bench.gate.put(DECIDE, request())
    store.on_asked = lambda: end_patience_of(hurried)
    if not protected:
        # As it was: all that are asked for together have the time of the least patient.
        monkeypatch.setattr(worker.Worker, "_answer_by_s", lambda self, portion: hurried.deadline_s)
    releasing = threading.Thread(target=release_after, args=(bench, hurried, store.may_answer))
    releasing.start()
    _, second = (response(answer) for answer in bench.serve(hurried, patient))
    releasing.join()
    assert (list(second.reasons) == [pb.REASON_NO_PROFILE]) == protected


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[str]:
    if not request.getfixturevalue("protected"):
        monkeypatch.setattr(application, "guarded", lambda served, *_: served)
    opened = Http2Gate("127.0.0.1:0")
    address = opened.open()
    opened.decide_with(answer_all)
    yield address
    opened.close(0)


@PROTECTED
def test_dns_rebinding_and_a_foreign_page_get_nothing(gate: str, protected: bool) -> None:
    body = b'{"accountId": "alice"}'
    rebound = post(gate, DECIDE.path, body, Host="evil.example")
    foreign = post(gate, DECIDE.path, body, Origin="https://evil.example")
    assert (rebound.status == 421, foreign.status == 403) == (protected, protected)
    assert (b"alice" in rebound.body, b"alice" in foreign.body) == (not protected, not protected)


@PROTECTED
@pytest.mark.fault(row=9)
def test_impatient_callers_beside_patient_ones_on_a_distant_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, figure: Figure, protected: bool
) -> None:
    """Deadlines of 7 ms on a store that is 8 ms away: no connection is lost, no circuit opens, no other is limited."""
    if not protected:
        # As it was: the store has as much patience as its callers have left.
        ask = LoopFetcher.ask
        monkeypatch.setattr(LoopFetcher, "ask", lambda self, subjects, _, **more: ask(self, subjects, 0.006, **more))
    with (
        RedisProcess(tmp_path / "redis") as redis,
        TcpProxy(redis.port) as proxy,
        Service(
            Settings(
                grpc_address="127.0.0.1:0",
                metrics_address="127.0.0.1:0",
                data_dir=tmp_path / "data",
                redis_url=f"redis://127.0.0.1:{proxy.port}/0",
                decision_budget_ms=5000,
            )
        ) as service,
        grpc.insecure_channel(service.address) as patient,
        grpc.insecure_channel(service.address, (("grpc.use_local_subchannel_pool", 1),)) as impatient,
    ):
        asked = pb.DecideRequest(account_id="alice", ip="8.8.8.8")
        TargetingServiceStub(patient).Decide(asked, timeout=10)
        proxy.delay_s = 0.004
        before, hurry, calm = redis.connections_received(), [], []
        # A connection that resets more than 200 calls in some seconds is ended.
        for _ in range(180):
            hurry.append(TargetingServiceStub(impatient).Decide.future(asked, timeout=0.007))
            if len(hurry) % 10 == 0:
                calm.append(TargetingServiceStub(patient).Decide.future(asked, timeout=10))
            time.sleep(0.003)
        reasons = [reason for call in calm for reason in call.result().reasons]
        for call in hurry:
            call.exception()
        limited = len(reasons) - reasons.count(pb.REASON_NO_PROFILE)
        assert (limited == 0) == protected
        assert service.metrics.registry.get_sample_value("adtargeting_circuit_open") == 0 or not protected
        # Four for readings that wait at the same time, and a few of the health check.
        connections = redis.connections_received() - before
        figure(f"{limited} of {len(calm)} patient calls limited beside {len(hurry)}; {connections} connections made")
        assert connections < 20 or not protected
