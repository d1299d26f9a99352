"""How long the aio gate lets the event loop run after an answer (ADR 0013): by a clock that the tests turn."""

import time

import pytest

from server.gate.grpcio import DEFAULT_CAPACITY, GrpcioGate, _LaneQueue, _Pace
from server.gate.methods import DECIDE
from server.gate.port import Call, Lane


def paced(monkeypatch: pytest.MonkeyPatch, *answers: tuple[int, float]) -> float:
    """The pace after answers of so many calls, before each of which the loop computed so long (seconds)."""
    spent_s, pace = 0.0, _Pace()
    monkeypatch.setattr(time, "thread_time", lambda: spent_s)
    for calls, took_s in answers:
        spent_s += took_s
        pace.measure(calls)
    return pace.call_s


def test_the_pace_comes_near_to_what_the_loop_computes_for_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    assert paced(monkeypatch, *[(16, 16 * 0.0004)] * 50) == pytest.approx(0.0004, rel=0.01)
    one = paced(monkeypatch, (16, 16 * 0.0009))
    assert one == pytest.approx(0.0001 + (0.0009 - 0.0001) / 8)


def test_calls_alone_count_where_they_are_few_between_many(monkeypatch: pytest.MonkeyPatch) -> None:
    assert paced(monkeypatch, *[(1, 0.0004), (7, 7 * 0.0004)] * 50) == pytest.approx(0.0004, rel=0.01)


def test_calls_alone_are_no_measure_of_many(monkeypatch: pytest.MonkeyPatch) -> None:
    assert paced(monkeypatch, *[(1, 0.002)] * 50) == 0.0001
    assert paced(monkeypatch, *[(1, 0.002)] * 50, (16, 0.001)) == 0.0001
    afterwards = paced(monkeypatch, *[(1, 0.002)] * 50, (16, 0.001), (16, 16 * 0.0009))
    assert afterwards == pytest.approx(0.0001 + (0.0009 - 0.0001) / 8)


def test_no_pause_of_the_machine_makes_the_worker_wait_long(monkeypatch: pytest.MonkeyPatch) -> None:
    assert paced(monkeypatch, *[(2, 60.0)] * 50) <= 0.005


def slept(monkeypatch: pytest.MonkeyPatch, waiting: _LaneQueue, call_s: float) -> list[float]:
    times: list[float] = []
    monkeypatch.setattr(time, "sleep", times.append)
    waiting.yield_to_loop(call_s)
    return times


def test_the_worker_waits_for_as_many_calls_as_were_answered_and_only_once(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = _LaneQueue(DEFAULT_CAPACITY)
    waiting.answered = 4
    turn_s = 4 * 0.001
    assert slept(monkeypatch, waiting, 0.001) == pytest.approx([turn_s, turn_s / 4, turn_s / 4, turn_s / 4])
    assert slept(monkeypatch, waiting, 0.001) == []
    waiting.answered = 2
    for _ in range(2):
        waiting.enter(Call(DECIDE, b"", 0.0, 0.0, None))
    assert slept(monkeypatch, waiting, 0.001) == pytest.approx([0.002])
    waiting.answered = 1000
    assert sum(slept(monkeypatch, waiting, 0.001)) <= 1.75 * 0.005


def test_only_what_was_answered_together_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = GrpcioGate("127.0.0.1:0")
    monkeypatch.setattr(gate._pace, "measure", lambda _: None)
    gate.open()
    try:
        times: list[float] = []
        calls = [Call(DECIDE, b"", 0.0, 0.0, gate._loop.create_future()) for _ in range(6)]
        for answers in ([], calls[:1], calls[1:2]):
            gate.answer([(call, b"") for call in answers])
        with monkeypatch.context() as patched:
            patched.setattr(time, "sleep", times.append)
            assert gate.take(Lane.DECISIONS, 1, 0) == []
            assert times == []
            # Two groups, and somebody alone in between.
            for answers in (calls[2:4], calls[4:5], calls[4:6]):
                gate.answer([(call, b"") for call in answers])
            gate.take(Lane.DECISIONS, 1, 0)
        assert times[0] == pytest.approx(4 * 0.0001)
    finally:
        gate.close(0)
