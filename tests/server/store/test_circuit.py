"""The circuit: opens after failures in a row, probes by itself, closes on a sign of life."""

import threading
from collections.abc import Callable, Iterator, Sequence

import pytest

from server.store.circuit import Circuit, CircuitRecords, CircuitStore
from server.store.ports import PartUnavailable, RecordChange, StoreError, StoreTimeout, StoreUnavailable
from server.store.refusals import WriteRefusals
from targeting.model import Subject, SubjectKind
from targeting.records.stored_records import StoredRecords
from tests.server.store.fake_store import FakeStore

PATIENCE_S = 10
BUDGET_S = 1.0
ANNE = Subject(SubjectKind.ACCOUNT, "anne")


class Bench:
    """A circuit over a fake store, whose probes a test lets through one by one."""

    def __init__(self) -> None:
        self.store = FakeStore()
        self.changes: list[bool] = []
        self.changed = threading.Semaphore(0)
        self.probes = threading.Semaphore(0)
        self.well = False
        self.circuit = Circuit(self._probe, failures=3, probe_every_s=0.001, on_change=self._note)
        self.guarded = CircuitStore(self.store, self.circuit)
        self.refusals = WriteRefusals()
        self.records = CircuitRecords(self.store, self.circuit, self.refusals, least_budget_s=0.02)

    def fetch(self, budget_s: float = BUDGET_S) -> str:
        try:
            self.guarded.fetch([ANNE], budget_s)
        except StoreError as problem:
            return str(problem)
        return "answered"

    def write(self, budget_s: float = BUDGET_S) -> str:
        try:
            self.records.commit([], budget_s)
        except StoreError as problem:
            return str(problem)
        return "answered"

    def _probe(self) -> None:
        self.probes.release()
        if not self.well:
            raise StoreUnavailable("still down")

    def _note(self, is_open: bool) -> None:  # the circuit's callback
        self.changes.append(is_open)
        self.changed.release()


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.circuit.close()


def test_while_all_is_well_it_is_not_there(bench: Bench) -> None:
    assert [bench.fetch() for _ in range(5)] == ["answered"] * 5
    assert (bench.circuit.is_open, bench.changes) == (False, [])


@pytest.mark.fault(row=1)
def test_it_opens_after_failures_in_a_row_and_then_the_store_is_not_asked(bench: Bench) -> None:
    bench.store.down = True
    said = [bench.fetch() for _ in range(5)]
    assert said == ["the store is down"] * 3 + ["the store is known to be down"] * 2
    assert bench.changes == [True]


def test_a_success_starts_the_count_again(bench: Bench) -> None:
    for down in (True, True, False, True, True):
        bench.store.down = down
        bench.fetch()
    assert not bench.circuit.is_open


@pytest.mark.fault(row=1)
def test_it_probes_until_the_store_is_well_and_closes(bench: Bench) -> None:
    bench.store.down = True
    for _ in range(3):
        bench.fetch()
    for _ in range(3):
        assert bench.probes.acquire(timeout=PATIENCE_S)
    assert bench.circuit.is_open
    bench.store.down, bench.well = False, True
    for _ in range(2):
        assert bench.changed.acquire(timeout=PATIENCE_S)
    assert (bench.fetch(), bench.changes) == ("answered", [True, False])


def test_it_opens_again_only_after_as_many_failures(bench: Bench) -> None:
    bench.well = bench.store.down = True
    for _ in range(3):
        bench.fetch()
    for _ in range(2):
        assert bench.changed.acquire(timeout=PATIENCE_S)
    bench.fetch()
    assert not bench.circuit.is_open


def test_a_probe_that_breaks_is_no_sign_of_life_and_not_the_last() -> None:
    probes = threading.Semaphore(0)

    def probe() -> None:
        probes.release()
        raise RuntimeError

    circuit = Circuit(probe, failures=1, probe_every_s=0.001)
    circuit.failed()
    for _ in range(3):
        assert probes.acquire(timeout=PATIENCE_S)
    assert circuit.is_open
    circuit.close()


@pytest.mark.parametrize(
    ("budget_s", "opens"), [pytest.param(0.001, False, id="hopeless"), pytest.param(0.005, True, id="fair")]
)
def test_timeouts_count_when_the_budget_was_fair(bench: Bench, budget_s: float, *, opens: bool) -> None:
    bench.store.slow_s = 0.006
    for _ in range(3):
        bench.fetch(budget_s)
    assert bench.circuit.is_open is opens


@pytest.mark.fault(row=9)
@pytest.mark.fault(row=26)
@pytest.mark.parametrize("protected", [True, False], ids=["protected", "unprotected"])
def test_calls_that_came_to_the_store_too_late_do_not_open_it(bench: Bench, *, protected: bool) -> None:
    """At half load some calls have waited for others, and have little of their budget left."""
    bench.store.slow_s = 0.006
    guarded = CircuitStore(bench.store, bench.circuit, **({} if protected else {"least_budget_s": 0.0}))
    for _ in range(10):
        with pytest.raises(StoreError):
            guarded.fetch([ANNE], 0.001)
    assert bench.circuit.is_open is not protected


def test_refusals_count_whatever_the_budget(bench: Bench) -> None:
    bench.store.down = True
    for _ in range(3):
        bench.fetch(0.001)
    assert bench.circuit.is_open


@pytest.mark.parametrize("problem", [StoreTimeout, StoreUnavailable])
def test_the_stores_own_error_is_what_the_caller_gets(bench: Bench, problem: type[StoreError]) -> None:
    bench.store.down, bench.store.slow_s = problem is StoreUnavailable, 0.01
    with pytest.raises(problem):
        bench.guarded.fetch([ANNE], 0.008)


def test_while_it_is_open_nothing_of_the_records_is_asked_either(bench: Bench) -> None:
    change = RecordChange(ANNE, bench.records.read([ANNE], BUDGET_S)[0])
    assert bench.records.commit([change], BUDGET_S)[0].landed
    assert bench.records.commit_durably(change, 0, BUDGET_S).landed
    bench.store.down = True
    for _ in range(3):
        bench.fetch()
    asking: list[Callable[[], object]] = [
        lambda: bench.records.read([ANNE], BUDGET_S),
        lambda: bench.records.commit([change], BUDGET_S),
        lambda: bench.records.commit_durably(change, 0, BUDGET_S),
    ]
    for ask in asking:
        with pytest.raises(StoreUnavailable, match="known to be down"):
            ask()


@pytest.mark.parametrize(
    ("budget_s", "down", "opens"),
    [
        pytest.param(0.02, False, True, id="late"),
        pytest.param(0.01, False, False, id="late on a hopeless budget"),
        pytest.param(0.02, True, False, id="refused, as by a store without memory"),
    ],
)
def test_writes_that_are_late_open_it(bench: Bench, budget_s: float, *, down: bool, opens: bool) -> None:
    bench.store.slow_s, bench.store.down = 0.03, down
    for _ in range(3):
        bench.write(budget_s)
    assert bench.circuit.is_open is opens


def test_a_write_in_time_starts_the_count_of_late_writes_again(bench: Bench) -> None:
    for slow_s in (0.03, 0.03, 0, 0.03, 0.03):
        bench.store.slow_s = slow_s
        bench.write(0.02 if slow_s else BUDGET_S)
    assert not bench.circuit.is_open


def test_writes_in_time_do_not_hide_that_the_store_is_too_slow_for_decisions(bench: Bench) -> None:
    bench.store.slow_s = 0.006
    for _ in range(3):
        bench.fetch(0.005)
        assert bench.circuit.is_open or bench.write() == "answered"
    assert bench.circuit.is_open


def test_writes_that_are_refused_are_told_of_until_one_is_stored(bench: Bench) -> None:
    bench.store.down = True
    for _ in range(3):
        bench.write()
        with pytest.raises(StoreUnavailable):
            bench.records.read([ANNE], BUDGET_S)
    assert bench.refusals.problem() == "the store is down"
    bench.store.down = False
    bench.write()
    assert bench.refusals.problem() == ""


def test_an_untrusted_store_is_no_reason_not_to_ask_it(bench: Bench) -> None:
    bench.store.untrusted = True
    for _ in range(5):
        assert bench.fetch() == "the store is another"
    assert not bench.circuit.is_open


def test_a_part_that_is_gone_is_no_reason_not_to_ask_the_rest() -> None:
    class Parted(FakeStore):
        def fetch(self, subjects: Sequence[Subject], budget_s: float) -> list[StoredRecords]:
            raise PartUnavailable("a node is gone")

    circuit = Circuit(lambda: None, failures=1)
    for _ in range(5):
        with pytest.raises(PartUnavailable):
            CircuitStore(Parted(), circuit).fetch([ANNE], BUDGET_S)
    assert not circuit.is_open


def test_failures_of_many_threads_open_it_once(bench: Bench) -> None:
    bench.store.down = True
    at_once(lambda: [bench.fetch() for _ in range(20)])
    assert bench.changes == [True]


def test_closed_for_good_it_neither_opens_nor_probes(bench: Bench) -> None:
    bench.circuit.close()
    bench.store.down = True
    for _ in range(5):
        assert bench.fetch() == "the store is down"
    assert not bench.probes.acquire(blocking=False)


def test_closing_while_it_probes_ends_the_probing(bench: Bench) -> None:
    bench.store.down = True
    for _ in range(3):
        bench.fetch()
    bench.circuit.close()
    assert "store-probe" not in {thread.name for thread in threading.enumerate()}


def at_once(call: Callable[[], object], threads: int = 8) -> None:
    running = [threading.Thread(target=call) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
