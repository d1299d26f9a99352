"""What counts as a failure of the store, and what says more about its caller."""

from collections.abc import Sequence

import pytest

from server.store.circuit import Circuit, CircuitStore
from server.store.ports import PartUnavailable, StoreError, StoreUnavailable
from targeting.model import Subject
from targeting.records.stored_records import StoredRecords
from tests.server.store.circuit_bench import ANNE, BUDGET_S, Bench, bench
from tests.server.store.fake_store import FakeStore

__all__ = ["bench"]


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


def test_a_write_in_time_starts_the_count_of_late_writes_anew(bench: Bench) -> None:
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
