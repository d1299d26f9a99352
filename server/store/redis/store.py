"""The store on Redis, through redis-py's blocking client.

Invariants: a read is one round trip whatever the number of subjects, and a value of a wrong type in Redis
never looks like absence. What changes must hold to, ``server.store.redis.commit`` says.
"""

import time
from collections.abc import Sequence

from server.store.keys import Pseudonyms, seen_key
from server.store.ports import Change, Committed
from server.store.redis.commit import UNREADABLE, apply, arguments, check
from server.store.redis.connection import Connection, pack
from server.store.redis.connector import Connector
from server.store.redis.durability import safety
from server.store.redis.url import RedisAddress
from targeting.model import Subject
from targeting.records.stored_records import StoredRecords

_DOUBT_S = 1.0
_PATIENCE_IN_DOUBT_S = 0.05
"""Once replicas were waited for in vain, they are waited for this briefly, for so many seconds: one that is missing
must not hold up all calls, and one that is back answers at once."""


class RedisStore:
    """``DecisionStore`` and ``RecordStore`` on one connection, for exactly one thread: make one a thread."""

    def __init__(self, address: RedisAddress, pseudonyms: Pseudonyms, connect_timeout_s: float = 1.0) -> None:
        self._pseudonyms = pseudonyms
        self._dialler = Connector(address, connect_timeout_s)
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

    def commit(self, changes: Sequence[Change], budget_s: float) -> list[Committed]:
        """Apply changes, each atomically; see ``RecordStore``."""
        deadline_s = time.monotonic() + budget_s
        prepared = [self._prepare(change) for change in changes]
        if not prepared:
            return []
        return apply(self._dialler.link(deadline_s), prepared, deadline_s)

    def commit_durably(self, change: Change, replicas: int, budget_s: float) -> Committed:
        """Apply one change and wait until it is safe; see ``RecordStore``."""
        deadline_s = time.monotonic() + budget_s
        prepared = self._prepare(change)
        link = self._dialler.link(deadline_s)
        committed = apply(link, [prepared], deadline_s)[0]
        if not committed.landed:
            return committed
        now_s = time.monotonic()
        patience_s = deadline_s - now_s if now_s >= self._doubtful_until_s else _PATIENCE_IN_DOUBT_S
        holding, on_disk = safety(link, replicas, deadline_s, patience_s)
        if holding < replicas:
            self._doubtful_until_s = time.monotonic() + _DOUBT_S
        return committed._replace(replicas=holding, on_disk=on_disk)

    def close(self) -> None:
        """Close the connection. Another call would open a new one."""
        self._dialler.close()

    def _prepare(self, change: Change) -> tuple[bytes, ...]:
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
        link = self._dialler.link(deadline_s)
        reading = pack((b"MGET", *keys))
        # Both commands have the same arguments, so they are packed once (RESP: a count, then every part).
        arguments = reading.partition(b"MGET\r\n")[2]
        counting = b"*%d\r\n$6\r\nEXISTS\r\n%b" % (len(keys) + 1, arguments)
        found, existing = link.exchange(reading + counting, 2, deadline_s)
        values: list[bytes | None] = link.accept(found)
        if link.accept(existing) != len(values) - values.count(None):
            _mark_unreadable(link, keys, values, deadline_s)
        return values


def _mark_unreadable(link: Connection, keys: Sequence[bytes], values: list[bytes | None], deadline_s: float) -> None:
    empty = [at for at, value in enumerate(values) if value is None]
    types = link.exchange(b"".join(pack((b"TYPE", keys[at])) for at in empty), len(empty), deadline_s)
    for at, kind in zip(empty, types, strict=True):
        # A string came into being after the reading, when nothing was there yet.
        if link.accept(kind) not in (b"none", b"string"):
            values[at] = UNREADABLE
