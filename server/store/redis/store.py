"""The store on one Redis server, the primary.

Invariants: a read is one round trip whatever the number of subjects; neither a value that is none of ours nor a server
that is no primary ever looks like absence. The rules for changes are those of ``server.store.redis.commit``.
"""

import time
from collections.abc import Sequence

from server.store.keys import Pseudonyms, identity_key
from server.store.ports import Committed, RecordChange
from server.store.redis.batch_read import BatchRead, Source
from server.store.redis.commit import apply, arguments, check
from server.store.redis.connector import Connector
from server.store.redis.durability import Patience, replicas_to_wait_for
from server.store.redis.primary import Primary
from server.store.redis.whole_records import read_whole
from targeting.model import Subject
from targeting.records.stored_records import StoredRecords


class RedisStore:
    """``DecisionStore`` and ``RecordStore`` on one connection, for exactly one thread."""

    def __init__(self, primary: Primary, pseudonyms: Pseudonyms) -> None:
        self._pseudonyms = pseudonyms
        self._primary = primary
        self._connector = Connector(primary.open, primary.renewal)
        self._source = Source(identity_key(pseudonyms.prefix), primary.check_identity)
        self._patience = Patience()

    def fetch(self, subjects: Sequence[Subject], budget_s: float) -> list[StoredRecords]:
        """Read preference and profile of every subject; see ``DecisionStore``."""
        deadline_s = time.monotonic() + budget_s
        owners, keys = self._places(subjects)
        return _records(subjects, owners, self._values(keys, deadline_s))

    def begin(self, subjects: Sequence[Subject], budget_s: float) -> "RedisReading | None":
        """Ask for preference and profile of every subject; see ``DecisionStore``."""
        connection = self._connector.connected()
        if connection is None:
            return None
        owners, keys = self._places(subjects)
        deadline_s = time.monotonic() + budget_s
        return RedisReading(subjects, owners, BatchRead(connection, keys, self._source, deadline_s))

    def read(self, subjects: Sequence[Subject], budget_s: float) -> list[StoredRecords]:
        """Read everything of every subject; see ``RecordStore``."""
        deadline_s = time.monotonic() + budget_s
        return read_whole(self._pseudonyms, subjects, lambda keys: self._values(keys, deadline_s))

    def commit(self, changes: Sequence[RecordChange], budget_s: float) -> list[Committed]:
        """Apply changes, each atomically; see ``RecordStore``."""
        deadline_s = time.monotonic() + budget_s
        prepared = [self._prepare(change) for change in changes]
        if not prepared:
            return []
        return apply(self._connector.connect(deadline_s), prepared, deadline_s)

    def commit_durably(
        self, change: RecordChange, replicas: int, budget_s: float, confirm_s: float | None = None
    ) -> Committed:
        """Apply one change and wait until it is safe; see ``RecordStore``."""
        deadline_s = time.monotonic() + budget_s
        prepared = self._prepare(change)
        connection = self._connector.connect(deadline_s)
        committed = apply(connection, [prepared], deadline_s)[0]
        if not committed.landed:
            return committed
        if confirm_s is not None:
            deadline_s = time.monotonic() + confirm_s
        promotable = self._primary.promotable
        safety = self._patience.wait(connection, replicas_to_wait_for(replicas, promotable), deadline_s)
        return committed._replace(replicas=safety.replicas, on_disk=safety.on_disk, promotable=promotable)

    def close(self) -> None:
        """Close the connection. Another call would open a new one."""
        self._connector.close()

    def _prepare(self, change: RecordChange) -> tuple[bytes, ...]:
        owner, preference_key, profile_key = self._pseudonyms.locate(change.subject)
        check(change, owner)
        linked_keys = [key for subject, _ in change.linked for key in self._pseudonyms.locate(subject)[1:]]
        return arguments(change, preference_key, profile_key, linked_keys)

    def _places(self, subjects: Sequence[Subject]) -> tuple[list[bytes], list[bytes]]:
        """Return the pseudonyms of subjects, and the keys of their preferences and profiles by turns."""
        owners: list[bytes] = []
        keys: list[bytes] = []
        for subject in subjects:
            owner, preference, profile = self._pseudonyms.locate(subject)
            owners.append(owner)
            keys += (preference, profile)
        return owners, keys

    def _values(self, keys: Sequence[bytes], deadline_s: float) -> list[bytes | None]:
        if not keys:
            return []
        return BatchRead(self._connector.connect(deadline_s), keys, self._source, deadline_s).collect(deadline_s)


class RedisReading:
    """A reading that was begun; see ``server.store.ports.Reading``."""

    def __init__(self, subjects: Sequence[Subject], owners: Sequence[bytes], reading: BatchRead) -> None:
        self._subjects = subjects
        self._owners = owners
        self._reading = reading

    def fileno(self) -> int:
        """Return the descriptor of the connection."""
        return self._reading.connection.fileno()

    def collect(self, deadline_s: float) -> list[StoredRecords]:
        """Return the records by the deadline; see ``Reading``."""
        return _records(self._subjects, self._owners, self._reading.collect_so_far(deadline_s))

    def give_up(self) -> None:
        """Leave what may still come to be skipped; see ``Reading``."""
        self._reading.connection.close_if_silent()


def _records(
    subjects: Sequence[Subject], owners: Sequence[bytes], values: Sequence[bytes | None]
) -> list[StoredRecords]:
    found = iter(values)
    return [
        StoredRecords(subject.kind, owner, preference, profile)
        for subject, owner, preference, profile in zip(subjects, owners, found, found, strict=True)
    ]
