"""What the tests of the circuit share: a circuit over a fake store, whose probes a test lets through one by one."""

import threading
from collections.abc import Iterator

import pytest

from server.store.circuit import Circuit, CircuitRecords, CircuitStore
from server.store.ports import StoreError, StoreUnavailable
from server.store.refusals import WriteRefusals
from targeting.model import Subject, SubjectKind
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
