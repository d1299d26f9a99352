"""The limits of the grpcio gate: on real connections, each beside one that the limit does not meet."""

import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import NamedTuple

import grpc
import pytest

from server.gate.assembly import make_gate
from server.gate.file_limit import raise_file_limit
from server.gate.grpcio import GrpcioGate
from server.gate.grpcio_limits import GrpcioLimits
from server.gate.methods import DECIDE
from server.gate.port import Call, DecisionLane
from server.security.doors import open_to_all
from server.settings import Settings
from tests.contracts.gates import own_channel, send, wait_until
from tests.waiting import PATIENCE_S


class Opened(NamedTuple):
    """A gate, what it was called, and from where."""

    gate: GrpcioGate
    address: str
    waiting: list[Call]
    lanes: list[DecisionLane]
    callers: set[str]

    def answer_all(self) -> None:
        while self.waiting:
            call = self.waiting.pop()
            self.gate._thread.loop.call_soon_threadsafe(self.lanes[0].answer, call, b"")


@contextmanager
def opened(limits: GrpcioLimits, *, answers: bool = True) -> Iterator[Opened]:
    gate = GrpcioGate("127.0.0.1:0", limits=limits)
    found = Opened(gate, gate.open(), [], [], set())

    async def work(lane: DecisionLane) -> None:
        found.lanes.append(lane)
        while True:
            await lane.arrival()
            while lane.waiting:
                call = lane.waiting.popleft()
                found.callers.add(call.caller.connection)
                if answers:
                    lane.answer(call, b"")
                else:
                    found.waiting.append(call)

    gate.decide_with(work)
    try:
        yield found
    finally:
        gate.close(0)


@pytest.mark.parametrize("age_s", [0.1, 600.0], ids=["old", "young"])
def test_an_old_connection_is_closed_and_its_caller_connects_again_without_a_failed_call(age_s: float) -> None:
    with opened(GrpcioLimits(age_s=age_s)) as gate, own_channel(gate.address) as channel:
        calls = 0

        def connected_again() -> bool:
            nonlocal calls
            calls += 1
            send(channel, DECIDE).result()
            return len(gate.callers) > 1 or (age_s > 1 and calls == 40)

        wait_until(connected_again)
        assert (len(gate.callers) > 1) == (age_s < 1)


def test_a_call_outlives_the_age_of_its_connection() -> None:
    with opened(GrpcioLimits(age_s=0.05), answers=False) as gate, own_channel(gate.address) as channel:
        long = send(channel, DECIDE)
        wait_until(lambda: len(gate.waiting) == 1)
        others = []

        def connected_again() -> bool:
            others.append(send(channel, DECIDE))
            return len(gate.callers) > 1

        wait_until(connected_again)
        assert not long.done()
        wait_until(lambda: gate.answer_all() is None and long.done())
        assert long.result() == b""


@pytest.mark.parametrize(("idle_s", "patience_s"), [(0.05, PATIENCE_S), (300.0, 0.3)], ids=["idle", "not yet idle"])
def test_an_idle_connection_is_closed(idle_s: float, patience_s: float) -> None:
    with opened(GrpcioLimits(idle_s=idle_s)) as gate:
        host, _, port = gate.address.rpartition(":")
        with socket.create_connection((host, int(port)), patience_s) as connection:
            connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
            with nullcontext() if idle_s < 1 else pytest.raises(TimeoutError):
                while connection.recv(4096):
                    """To its end."""


def test_a_connection_has_no_more_calls_in_flight_than_it_may() -> None:
    with opened(GrpcioLimits(streams=2), answers=False) as gate, own_channel(gate.address) as channel:
        sent = [send(channel, DECIDE) for _ in range(5)]
        seen = set()

        def all_answered() -> bool:
            seen.add(gate.gate.inflight())
            gate.answer_all()
            return all(call.done() for call in sent)

        wait_until(all_answered)
        assert max(seen) <= 2


@pytest.mark.parametrize(
    ("size", "code"),
    [(20_000, grpc.StatusCode.OK), (40_000, grpc.StatusCode.RESOURCE_EXHAUSTED)],
    ids=["more than gRPC's default", "too much"],
)
def test_metadata_are_bounded(size: int, code: grpc.StatusCode) -> None:
    with opened(GrpcioLimits()) as gate, own_channel(gate.address) as channel:
        decide: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(DECIDE.path)
        asked = decide.future(b"", timeout=10, metadata=(("x-more", "m" * size),))
        assert asked.code() == code


def test_the_settings_reach_it() -> None:
    gate = make_gate(Settings(gate="grpcio", max_streams=3, idle_timeout_s=7), open_to_all())
    assert isinstance(gate, GrpcioGate)
    options = dict(gate._options)
    assert (options["grpc.max_concurrent_streams"], options["grpc.max_connection_idle_ms"]) == (48, 7000)


@pytest.mark.parametrize(
    ("soft", "hard", "raised"),
    [
        pytest.param(1024, 65_536, (65_536, 65_536), id="to the hard limit"),
        pytest.param(65_536, 65_536, None, id="as high as it may be"),
        pytest.param(256, resource.RLIM_INFINITY, (10_240, resource.RLIM_INFINITY), id="as much as macOS takes"),
        pytest.param(20_000, resource.RLIM_INFINITY, None, id="never lowered"),
    ],
)
def test_the_limit_of_open_files_is_raised(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, raised: tuple[int, int] | None
) -> None:
    limits: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limit: limits.append(limit))
    assert raise_file_limit() == (raised[0] if raised else soft)
    assert limits == ([raised] if raised else [])


def test_opening_the_gate_raises_the_limit() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 1024), hard))
    try:
        with opened(GrpcioLimits()):
            assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == hard
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, hard), hard))
