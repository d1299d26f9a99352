"""Stores whose records are encrypted at rest: opened when read, sealed when written.

Invariant: a change is compared to the values as the store holds them, so sealing never changes who wins a race; and
records in clear, of before, are read, and sealed when they next change.
"""

from collections.abc import Callable, Sequence

from server.store.ports import Committed, DecisionStore, Reading, RecordChange, RecordStore
from server.store.record_cipher import RecordCipher
from targeting.model import Subject
from targeting.records.stored_records import StoredRecords

Opening = Callable[[bytes | None, bytes], bytes | None]
"""Opens a value of an owner."""


class SealedDecisions:
    """A ``DecisionStore`` that opens what it reads."""

    def __init__(self, store: DecisionStore, cipher: RecordCipher) -> None:
        self._store = store
        self._open = cipher.open

    def fetch(self, subjects: Sequence[Subject], budget_s: float) -> list[StoredRecords]:
        """Fetch; see ``DecisionStore``."""
        return _opened(self._store.fetch(subjects, budget_s), self._open)

    def begin(self, subjects: Sequence[Subject], budget_s: float) -> "SealedReading | None":
        """Begin to fetch; see ``DecisionStore``."""
        reading = self._store.begin(subjects, budget_s)
        return None if reading is None else SealedReading(reading, self._open)


class SealedReading:
    """A ``Reading`` that opens what it reads."""

    def __init__(self, reading: Reading, opening: Opening) -> None:
        self.fileno = reading.fileno
        self.give_up = reading.give_up
        self._reading = reading
        self._opening = opening

    def collect(self, deadline_s: float) -> list[StoredRecords]:
        """Return the records by the deadline; see ``Reading``."""
        return _opened(self._reading.collect(deadline_s), self._opening)


def _opened(records: Sequence[StoredRecords], opening: Opening) -> list[StoredRecords]:
    return [
        StoredRecords(
            kind,
            owner,
            None if preference is None else opening(preference, owner),
            None if profile is None else opening(profile, owner),
        )
        for kind, owner, preference, profile, *_ in records
    ]


class SealedRecords:
    """A ``RecordStore`` that opens what it reads, and seals what it writes unless ``seals`` is False."""

    def __init__(self, store: RecordStore, cipher: RecordCipher, *, seals: bool = True) -> None:
        self._store = store
        self._cipher = cipher
        self._seals = seals

    def read(self, subjects: Sequence[Subject], budget_s: float) -> list[StoredRecords]:
        """Read; see ``RecordStore``."""
        return [self._opened(stored) for stored in self._store.read(subjects, budget_s)]

    def commit(self, changes: Sequence[RecordChange], budget_s: float) -> list[Committed]:
        """Commit; see ``RecordStore``."""
        written: dict[bytes, bytes] = {}
        return self._store.commit([self._sealed(change, written) for change in changes], budget_s)

    def commit_durably(
        self, change: RecordChange, replicas: int, budget_s: float, confirm_s: float | None = None
    ) -> Committed:
        """Commit durably; see ``RecordStore``."""
        return self._store.commit_durably(self._sealed(change, {}), replicas, budget_s, confirm_s)

    def _opened(self, stored: StoredRecords) -> StoredRecords:
        opening, owner = self._cipher.open, stored.owner
        opened = StoredRecords(
            stored.kind,
            owner,
            preference=opening(stored.preference, owner),
            profile=opening(stored.profile, owner),
            seen=opening(stored.seen, owner),
        )
        return stored if opened == stored else opened._replace(as_held=stored)

    def _sealed(self, change: RecordChange, written: dict[bytes, bytes]) -> RecordChange:
        """Return the change in sealed form. ``written`` are the records of the call's earlier changes, sealed."""
        expected = change.expected.held()
        change = change._replace(
            expected=expected._replace(
                preference=_as_written(expected.preference, written), profile=_as_written(expected.profile, written)
            )
        )
        if not self._seals:
            return change
        cipher, owner = self._cipher, expected.owner
        sealed = change._replace(
            preference=change.preference and cipher.seal_preference(change.preference, owner),
            profile=change.profile and cipher.seal(change.profile, owner),
            seen=change.seen and cipher.seal(change.seen, owner),
        )
        pairs = ((change.preference, sealed.preference), (change.profile, sealed.profile))
        written |= {record: sealed_record for record, sealed_record in pairs if record and sealed_record}
        return sealed


def _as_written(record: bytes | None, written: dict[bytes, bytes]) -> bytes | None:
    """Return the sealed form of a record that an earlier change of the call writes, and any other as it is."""
    return record if record is None else written.get(record, record)
