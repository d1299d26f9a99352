"""Stores in which others write at the same time, or whose answer is lost."""

from collections.abc import Sequence

from server.store.ports import Committed, RecordChange, StoreTimeout
from targeting.model import Subject, SubjectKind
from targeting.records.stored_records import StoredRecords
from tests.server.calls.direct_service import Service, saw
from tests.server.store.fake_store import FakeStore

ALICE = Subject(SubjectKind.ACCOUNT, "alice")


class Contended(FakeStore):
    """Another writer commits before each of the first commits; afterwards one answer may be lost."""

    def __init__(self, contentions: int, *, fails: bool = False) -> None:
        super().__init__()
        self.contentions = contentions
        self.fails = fails
        self.reads = 0

    def read(self, subjects: Sequence[Subject], budget_s: float) -> list[StoredRecords]:
        self.reads += 1
        return super().read(subjects, budget_s)

    def commit(self, changes: Sequence[RecordChange], budget_s: float) -> list[Committed]:
        if self.contentions and changes:
            self.contentions -= 1
            subject = changes[0].subject
            Service(Plain(self), Plain(self)).record(saw(account_id=subject.id))
        committed = super().commit(changes, budget_s)
        if self.fails and changes:
            self.fails = False
            raise StoreTimeout("the answer was lost")
        return committed


class Plain(FakeStore):
    """The same store as another writer sees it, without the behaviour of the original."""

    def __init__(self, of: FakeStore) -> None:
        super().__init__()
        self._kept = of._kept


class Stale(FakeStore):
    """Refuses the first changes, as if another writer had been faster."""

    def __init__(self, stale: int) -> None:
        super().__init__()
        self.stale = stale

    def commit(self, changes: Sequence[RecordChange], budget_s: float) -> list[Committed]:
        if self.stale:
            self.stale -= 1
            return [Committed(landed=False) for _ in changes]
        return super().commit(changes, budget_s)


class Reviving(FakeStore):
    """Another writer stores a profile after the first reading."""

    reviving = False

    def read(self, subjects: Sequence[Subject], budget_s: float) -> list[StoredRecords]:
        held = super().read(subjects, budget_s)
        if self.reviving:
            self.put(ALICE, profile=b"anything", seen=b"anything")
            self.reviving = False
        return held
