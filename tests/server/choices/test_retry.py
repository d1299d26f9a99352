"""Attempts at a change that others may overtake: how many, how far apart, and within which budget."""

import time
from collections.abc import Sequence

import pytest

from server.choices.retry import attempts, read_with_retry
from targeting.model import Subject, SubjectKind
from targeting.records.stored_records import StoredRecords
from tests.server.store.fake_store import FakeStore

ALICE = Subject(SubjectKind.ACCOUNT, "alice")


class Pauses:
    """Stands for chance and for sleep: draws the longest pause each time, and takes none of them."""

    def __init__(self) -> None:
        self.shortest: set[float] = set()
        self.drawn: list[float] = []
        self.slept: list[float] = []

    def draw(self, shortest_s: float, longest_s: float) -> float:
        self.shortest.add(shortest_s)
        self.drawn.append(longest_s)
        return longest_s


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> Pauses:
    made = Pauses()
    monkeypatch.setattr("server.choices.retry._DICE.uniform", made.draw)
    monkeypatch.setattr(time, "sleep", made.slept.append)
    return made


def test_after_each_of_32_attempts_it_pauses_up_to_twice_as_long_as_before_and_no_longer_than_16_ms(
    pauses: Pauses,
) -> None:
    assert len(list(attempts(lambda: 60.0))) == 32
    assert [round(pause_s * 10_000) for pause_s in pauses.drawn] == [2, 4, 8, 16, 32, 64, 128, *[160] * 25]
    assert pauses.shortest == {0.0}
    assert pauses.slept == pauses.drawn


@pytest.mark.parametrize(("left_s", "longest_s"), [(0.001, 0.001), (0.0, 0.0), (-1.0, 0.0)])
def test_no_pause_is_longer_than_what_is_left(pauses: Pauses, left_s: float, longest_s: float) -> None:
    assert len(list(attempts(lambda: left_s))) == 32
    assert max(pauses.drawn) == longest_s


class Budgeted(FakeStore):
    """Every read takes 0.2 s of a clock that does not run by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.clock_s = 100.0
        self.budgets: list[float] = []

    def read(self, subjects: Sequence[Subject], budget_s: float) -> list[StoredRecords]:
        self.budgets.append(round(budget_s, 3))
        self.clock_s += 0.2
        return [StoredRecords(subject.kind, bytes(16)) for subject in subjects]


def test_all_attempts_share_one_budget(monkeypatch: pytest.MonkeyPatch, pauses: Pauses) -> None:
    store = Budgeted()
    monkeypatch.setattr(time, "monotonic", lambda: store.clock_s)
    readings = read_with_retry(store, ALICE, 0.5)
    left = [round(left_s, 3) for _, (_, left_s) in zip(range(2), readings, strict=False)]
    assert (store.budgets, left) == ([0.5, 0.3], [0.3, 0.1])
