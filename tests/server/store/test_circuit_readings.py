"""A reading that was begun counts for the circuit when it ends."""

from collections.abc import Sequence

import pytest

from server.store.circuit import Circuit, CircuitStore
from server.store.ports import StoreError, StoreTimeout, StoreUnavailable
from targeting.model import Subject, SubjectKind
from targeting.records.stored_records import StoredRecords
from tests.server.store.fake_store import FakeStore

PATIENCE_S = 10
BUDGET_S = 1.0
ANNE = Subject(SubjectKind.ACCOUNT, "anne")


class ScriptedReading:
    """A reading that ends as told."""

    def __init__(self) -> None:
        self.fails: StoreError | None = None

    def fileno(self) -> int:
        return 7

    def collect(self, deadline_s: float) -> list[StoredRecords]:
        if self.fails is not None:
            raise self.fails
        return []

    def give_up(self) -> None:
        """Nothing is left to do."""


class Begun(FakeStore):
    """A store whose readings a test ends."""

    def __init__(self) -> None:
        super().__init__()
        self.reading = ScriptedReading()

    def begin(self, subjects: Sequence[Subject], budget_s: float) -> ScriptedReading:  # type: ignore[override]  # one is begun
        self._answer_within(budget_s)
        return self.reading


def test_what_has_not_come_yet_is_no_failure_and_what_is_given_up_is_one() -> None:
    store, circuit = Begun(), Circuit(lambda: None, failures=1, probe_every_s=PATIENCE_S)
    reading = CircuitStore(store, circuit).begin([ANNE], BUDGET_S)
    assert reading is not None
    store.reading.fails = StoreTimeout("not yet")
    with pytest.raises(StoreTimeout):
        reading.collect(0.0)
    assert not circuit.is_open
    reading.give_up()
    assert circuit.is_open
    circuit.close()


def test_a_caller_in_a_hurry_says_nothing_of_the_store() -> None:
    circuit = Circuit(lambda: None, failures=1)
    reading = CircuitStore(Begun(), circuit, least_budget_s=0.02).begin([ANNE], 0.01)
    assert reading is not None
    reading.give_up()
    assert not circuit.is_open


@pytest.mark.parametrize("when", ["sending", "collecting"])
def test_failures_open_it_and_it_then_begins_nothing(when: str) -> None:
    store, circuit = Begun(), Circuit(lambda: None, failures=2, probe_every_s=PATIENCE_S)
    guarded = CircuitStore(store, circuit)
    store.down = when == "sending"
    store.reading.fails = StoreUnavailable("gone")
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            assert guarded.begin([ANNE], BUDGET_S).collect(0.0) is None  # type: ignore[union-attr]  # one is begun
    assert circuit.is_open
    with pytest.raises(StoreUnavailable, match="known to be down"):
        guarded.begin([ANNE], BUDGET_S)
    circuit.close()


@pytest.mark.fault(row=26)
@pytest.mark.parametrize("protected", [True, False], ids=["protected", "unprotected"])
def test_questions_that_waited_at_the_same_time_have_met_with_one_silence(
    monkeypatch: pytest.MonkeyPatch, protected: bool
) -> None:
    """A server that the machine keeps from running for a moment is not down."""
    circuit = Circuit(lambda: None, failures=4, probe_every_s=PATIENCE_S)
    if not protected:
        failed = circuit.failed
        monkeypatch.setattr(circuit, "failed", lambda _: failed())
    guarded = CircuitStore(Begun(), circuit)
    readings = [guarded.begin([ANNE], BUDGET_S) for _ in range(4)]
    for reading in readings:
        assert reading is not None
        reading.give_up()
    assert circuit.is_open == (not protected)
    circuit.close()


def test_an_answer_ends_the_row_of_failures() -> None:
    store, circuit = Begun(), Circuit(lambda: None, failures=2)
    for _ in range(5):
        reading = CircuitStore(store, circuit).begin([ANNE], BUDGET_S)
        assert reading is not None
        reading.give_up()
        assert reading.collect(0.0) == []
    assert not circuit.is_open


def test_a_store_that_cannot_begin_says_so() -> None:
    assert CircuitStore(FakeStore(), Circuit(lambda: None)).begin([ANNE], BUDGET_S) is None
