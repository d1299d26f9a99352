"""Asking the store from the event loop: at once where it answers at once, and without standing still where not."""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence

import pytest

from server.decisions.decider import Stored
from server.decisions.fetcher import MAX_FETCHES, Fetcher, LoopFetcher
from server.metrics.metrics import Metrics
from server.store.ports import Reading, StoreTimeout
from targeting.model import Subject, SubjectKind
from targeting.reasons import Reason
from targeting.records.stored_records import StoredRecords
from tests.server.doubles import ScriptedStore
from tests.waiting import PATIENCE_S

SUBJECTS = [Subject(SubjectKind.ACCOUNT, "alice")]
RECORDS = [StoredRecords(SubjectKind.ACCOUNT, bytes(16))]
PROTECTED = pytest.mark.parametrize("protected", [True, False], ids=["protected", "unprotected"])


class Wire:
    """A store behind a socket: it answers when the test writes a byte."""

    def __init__(self) -> None:
        self.far, self._near = socket.socketpair()
        self._near.settimeout(0)
        self.waited: list[bool] = []
        self.given_up = 0

    def begin(self, subjects: Sequence[Subject], budget_s: float) -> Reading:
        return self

    def fetch(self, subjects: Sequence[Subject], budget_s: float) -> list[StoredRecords]:
        raise NotImplementedError

    def fileno(self) -> int:
        return self._near.fileno()

    def collect(self, deadline_s: float) -> list[StoredRecords]:
        self.waited.append(deadline_s > 0)
        try:
            self._near.recv(1)
        except BlockingIOError:
            raise StoreTimeout from None
        return RECORDS

    def give_up(self) -> None:
        self.given_up += 1

    def answer(self) -> None:
        self.far.send(b"x")

    def close(self) -> None:
        self.far.close()
        self._near.close()


class Clock:
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def wire() -> Iterator[Wire]:
    opened = Wire()
    yield opened
    opened.close()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


async def end_of(asked: Stored | Awaitable[Stored]) -> Stored:
    return await asked if isinstance(asked, asyncio.Future) else asked  # type: ignore[return-value]  # not a future


def test_a_store_that_answers_at_once_is_not_waited_for(wire: Wire, metrics: Metrics) -> None:
    async def ask() -> None:
        wire.answer()
        assert LoopFetcher(lambda: Fetcher(wire, metrics)).ask(SUBJECTS, 1.0) == RECORDS

    asyncio.run(ask())
    assert metrics.registry.get_sample_value("adtargeting_store_seconds_count", {"operation": "fetch"}) == 1


def test_nobody_to_ask_about_is_an_answer(metrics: Metrics) -> None:
    assert LoopFetcher(lambda: Fetcher(ScriptedStore(), metrics)).ask([], 1.0) == ()


def test_the_loop_goes_on_while_it_waits(wire: Wire, metrics: Metrics) -> None:
    async def ask() -> Stored:
        asked = LoopFetcher(lambda: Fetcher(wire, metrics)).ask(SUBJECTS, PATIENCE_S)
        assert isinstance(asked, asyncio.Future)
        for _ in range(10):
            await asyncio.sleep(0)
        assert not asked.done()
        wire.answer()
        return await asked

    assert asyncio.run(ask()) == RECORDS
    assert wire.given_up == 0


def test_a_store_that_never_answers_is_given_up_at_the_end_of_the_budget(wire: Wire, metrics: Metrics) -> None:
    async def ask() -> Stored:
        return await end_of(LoopFetcher(lambda: Fetcher(wire, metrics)).ask(SUBJECTS, 0.02))

    assert asyncio.run(ask()) is Reason.STORE_TIMEOUT
    assert wire.given_up == 1
    errors = {"operation": "fetch", "kind": "timeout"}
    assert metrics.registry.get_sample_value("adtargeting_store_errors_total", errors) == 1


def give_up_by_the_clock(fetcher: Fetcher, reading: Reading, deadline_s: float) -> None:
    """As if the time alone counted: nothing is taken any more."""


@PROTECTED
@pytest.mark.fault(row=26)
def test_an_answer_that_came_in_time_counts_although_the_loop_is_late(
    wire: Wire, metrics: Metrics, monkeypatch: pytest.MonkeyPatch, protected: bool
) -> None:
    async def ask() -> Stored:
        asked = LoopFetcher(lambda: Fetcher(wire, metrics)).ask(SUBJECTS, 0.01)
        await asyncio.sleep(0)
        if not protected:
            monkeypatch.setattr(Fetcher, "collect", give_up_by_the_clock)
        wire.answer()
        time.sleep(0.02)  # something else keeps the loop
        return await end_of(asked)

    assert asyncio.run(ask()) == (RECORDS if protected else Reason.STORE_TIMEOUT)
    assert wire.given_up == (not protected)


def test_a_store_that_has_been_slow_is_not_waited_for_at_once_for_a_while(wire: Wire, metrics: Metrics) -> None:
    clock = Clock()

    async def ask() -> None:
        fetcher = LoopFetcher(lambda: Fetcher(wire, metrics), clock_s=clock)

        async def asked_and_answered() -> bool:
            wire.waited.clear()
            asked = fetcher.ask(SUBJECTS, PATIENCE_S)
            wire.answer()
            assert await end_of(asked) == RECORDS
            return wire.waited[0]

        assert [await asked_and_answered() for _ in range(5)] == [True, True, True, False, False]
        clock.now_s += 1
        assert await asked_and_answered()

    asyncio.run(ask())


def test_as_many_questions_as_there_are_connections_wait_at_a_time(metrics: Metrics) -> None:
    wires: list[Wire] = []

    def make() -> Fetcher:
        wires.append(Wire())
        return Fetcher(wires[-1], metrics)

    async def ask() -> None:
        fetcher = LoopFetcher(make)
        asked = [fetcher.ask(SUBJECTS, PATIENCE_S) for _ in range(MAX_FETCHES)]
        room = asyncio.ensure_future(fetcher.room())
        await asyncio.sleep(0)
        assert not room.done()
        wires[0].answer()
        await room
        for wire in wires[1:]:
            wire.answer()
        assert [await end_of(each) for each in asked] == [RECORDS] * MAX_FETCHES

    asyncio.run(ask())
    for wire in wires:
        wire.close()


def failing(problem: Exception) -> ScriptedStore:
    store = ScriptedStore()
    store.fails = problem
    return store


class Unsendable(ScriptedStore):
    """Fails already when the question is sent."""

    def begin(self, subjects: Sequence[Subject], budget_s: float) -> None:
        raise LookupError("a fault")


@pytest.mark.parametrize("make", [lambda: failing(LookupError("a fault")), Unsendable], ids=["answer", "question"])
def test_a_fault_in_asking_is_a_reason_at_once(make: Callable[[], ScriptedStore], metrics: Metrics) -> None:
    async def ask() -> None:
        fetcher = LoopFetcher(lambda: Fetcher(make(), metrics))
        assert [fetcher.ask(SUBJECTS, 1.0) for _ in range(9)] == [Reason.STORE_UNAVAILABLE] * 9

    asyncio.run(ask())
