"""The store on one Redis server.

Invariants: a read is one round trip whatever the number of subjects, and a value of a wrong type in Redis
never looks like absence. The rules for changes are those of ``server.store.redis.commit``.
"""

import time
from collections.abc import Sequence

from server.store.keys import Pseudonyms, seen_key
from server.store.ports import Committed, RecordChange
from server.store.redis.commit import UNREADABLE, apply, arguments, check
from server.store.redis.connection import Connection, pack
from server.store.redis.connector import Connector
from server.store.redis.durability import safety
from server.store.redis.url import RedisAddress
from targeting.model import Subject
from targeting.records.stored_records import StoredRecords

_DOUBT_S = 1.0
_PATIENCE_IN_DOUBT_S = 0.05
"""For ``_DOUBT_S`` after a wait for replicas in vain, later waits last only this long: a missing replica must not hold
up every call, and one that is back answers at once."""


class RedisStore:
    """``DecisionStore`` and ``RecordStore`` on one connection, for exactly one thread."""

    def __init__(self, address: RedisAddress, pseudonyms: Pseudonyms, connect_timeout_s: float = 1.0) -> None:
        self._pseudonyms = pseudonyms
        self._connector = Connector(address, connect_timeout_s)
        self._doubtful_until_s = 0.0

    def fetch(self, subjects: Sequence[Subject], budget_s: float) -> list[StoredRecords]:
        """Read preference and profile of every subject; see ``DecisionStore``."""
        deadline_s = time.monotonic() + budget_s
        owners: list[bytes] = []
        keys: list[bytes] = []
        for subject in subjects:
            owner, preference, profile = self._pseudonyms.locate(subject)
            owners.append(owner)
            keys += (preference, profile)
        values = iter(self._values(keys, deadline_s))
        return [
            StoredRecords(subject.kind, owner, preference, profile)
            for subject, owner, preference, profile in zip(subjects, owners, values, values, strict=True)
        ]

    def read(self, subjects: Sequence[Subject], budget_s: float) -> list[StoredRecords]:
        """Read everything of every subject; see ``RecordStore``."""
        deadline_s = time.monotonic() + budget_s
        places = [self._pseudonyms.locate(subject) for subject in subjects]
        keys = [key for _, preference, profile in places for key in (preference, profile, seen_key(profile))]
        values = iter(self._values(keys, deadline_s))
        return [
            StoredRecords(subject.kind, owner, *stored)
            for subject, (owner, _, _), *stored in zip(subjects, places, values, values, values, strict=True)
        ]

    def commit(self, changes: Sequence[RecordChange], budget_s: float) -> list[Committed]:
        """Apply changes, each atomically; see ``RecordStore``."""
        deadline_s = time.monotonic() + budget_s
        prepared = [self._prepare(change) for change in changes]
        if not prepared:
            return []
        return apply(self._connector.connect(deadline_s), prepared, deadline_s)

    def commit_durably(self, change: RecordChange, replicas: int, budget_s: float) -> Committed:
        """Apply one change and wait until it is safe; see ``RecordStore``."""
        deadline_s = time.monotonic() + budget_s
        prepared = self._prepare(change)
        connection = self._connector.connect(deadline_s)
        committed = apply(connection, [prepared], deadline_s)[0]
        if not committed.landed:
            return committed
        now_s = time.monotonic()
        patience_s = deadline_s - now_s if now_s >= self._doubtful_until_s else _PATIENCE_IN_DOUBT_S
        holding, on_disk = safety(connection, replicas, deadline_s, patience_s)
        if holding < replicas:
            self._doubtful_until_s = time.monotonic() + _DOUBT_S
        return committed._replace(replicas=holding, on_disk=on_disk)

    def close(self) -> None:
        """Close the connection. Another call would open a new one."""
        self._connector.close()

    def _prepare(self, change: RecordChange) -> tuple[bytes, ...]:
        owner, preference_key, profile_key = self._pseudonyms.locate(change.subject)
        check(change, owner)
        linked_keys = [key for subject, _ in change.linked for key in self._pseudonyms.locate(subject)[1:]]
        return arguments(change, preference_key, profile_key, linked_keys)

    def _values(self, keys: Sequence[bytes], deadline_s: float) -> list[bytes | None]:
        """Read values, in order.

        MGET answers nil for a key of another type, as if nothing were there. EXISTS counts such a key, for
        one integer more in the same round trip; only where the counts differ are the types asked for.
        """
        if not keys:
            return []
        connection = self._connector.connect(deadline_s)
        reading = pack((b"MGET", *keys))
        # Both commands have the same arguments, so they are packed once (RESP: a count, then every part).
        arguments = reading.partition(b"MGET\r\n")[2]
        counting = b"*%d\r\n$6\r\nEXISTS\r\n%b" % (len(keys) + 1, arguments)
        found, existing = connection.exchange(reading + counting, 2, deadline_s)
        values: list[bytes | None] = connection.accept(found)
        if connection.accept(existing) != len(values) - values.count(None):
            _mark_unreadable(connection, keys, values, deadline_s)
        return values


def _mark_unreadable(
    connection: Connection, keys: Sequence[bytes], values: list[bytes | None], deadline_s: float
) -> None:
    empty = [index for index, value in enumerate(values) if value is None]
    types = connection.exchange(b"".join(pack((b"TYPE", keys[index])) for index in empty), len(empty), deadline_s)
    for index, kind in zip(empty, types, strict=True):
        # A string was written after the reading, when nothing was there yet.
        if connection.accept(kind) not in (b"none", b"string"):
            values[index] = UNREADABLE
