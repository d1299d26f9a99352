"""Random histories keep the invariants; with a guard removed, the model finds a violation."""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from server.store.ports import Committed, RecordChange
from targeting.records.envelope import PREFIX
from targeting.records.preference import Choice
from tests.properties import histories
from tests.properties.histories import MemoryStore, Ran, Violation, run_histories

HISTORIES = 20_000
MILLION = 1_000_000
AT_ONCE = 10_000


@pytest.mark.fault(row=7)
def test_random_histories_hold_the_invariants() -> None:
    ran = run_histories(0, HISTORIES)
    assert ran.histories == HISTORIES
    assert min(ran.written, ran.behavioural) > HISTORIES / 4, "too little happened to prove anything"


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_million_random_histories_hold_the_invariants() -> None:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        parts = list(processes.map(run_histories, range(0, MILLION, AT_ONCE), [AT_ONCE] * (MILLION // AT_ONCE)))
    total = Ran(*map(sum, zip(*parts, strict=True)))
    assert total.histories == MILLION
    assert min(total.written, total.behavioural) > MILLION / 4


class Unguarded(MemoryStore):
    """Writes without comparing versions."""

    def commit(self, changes: Sequence[RecordChange], budget_s: float) -> list[Committed]:
        for change in changes:
            values = {"preference": change.preference, "profile": change.profile, "seen": change.seen}
            self.put(change.subject, **{name: value or None for name, value in values.items() if value is not None})
        return [Committed(landed=True) for _ in changes]


def unchecked(value: bytes, magic: bytes, schema: int, owner: bytes) -> bytes:
    """Reads records without checking their owner."""
    return value[PREFIX.size :]


class TestWithout:
    """With each protection removed, the histories must find a violation."""

    @pytest.mark.fault(row=7, protection_off=True)
    def test_the_write_guard_a_write_lands_after_an_opt_out(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(histories, "MemoryStore", Unguarded)
        with pytest.raises(Violation, match="I2"):
            run_histories(0, HISTORIES)

    def test_the_judge_of_choices_a_person_who_opted_out_is_targeted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("targeting.judge.CHOICES_THAT_ALLOW", frozenset(Choice))
        with pytest.raises(Violation, match=r"I1|I2"):
            run_histories(0, HISTORIES)

    def test_the_owner_in_the_seal_another_person_is_shown(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for reader in ("preference", "profile", "deduplication"):
            monkeypatch.setattr(f"targeting.records.{reader}.unseal", unchecked)
        with pytest.raises(Violation, match=r"I1|I5"):
            run_histories(0, HISTORIES)
