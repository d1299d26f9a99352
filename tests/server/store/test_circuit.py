"""The circuit: opens after failures in a row, probes by itself, closes on a sign of life."""

import threading
from collections.abc import Callable

import pytest

from server.store.circuit import Circuit
from server.store.ports import RecordChange, StoreError, StoreTimeout, StoreUnavailable
from tests.server.store.circuit_bench import ANNE, BUDGET_S, PATIENCE_S, Bench, bench

__all__ = ["bench"]


def test_while_all_is_well_it_is_not_there(bench: Bench) -> None:
    assert [bench.fetch() for _ in range(5)] == ["answered"] * 5
    assert (bench.circuit.is_open, bench.changes) == (False, [])


@pytest.mark.fault(row=1)
def test_it_opens_after_failures_in_a_row_and_then_the_store_is_not_asked(bench: Bench) -> None:
    bench.store.down = True
    said = [bench.fetch() for _ in range(5)]
    assert said == ["the store is down"] * 3 + ["the store is known to be down"] * 2
    assert bench.changes == [True]


def test_a_success_starts_the_count_anew(bench: Bench) -> None:
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
