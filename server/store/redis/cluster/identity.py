"""The store's own record on a cluster, once in each part of the slots; see ``server.store.trust``.

Invariant: it counts as read only when every part has the same; a node that has lost its own is found out.
"""

import time
from collections.abc import Callable

from server.store.ports import StoreError
from server.store.redis.cluster.pipelines import Command, NodePipelines
from server.store.redis.cluster.slots import identity_keys
from server.store.redis.connection import Reply, pack
from server.store.redis.errors import ErrorReply, store_error

_TIMEOUT_S = 2.0
_MIXED = b"parts of the record differ"
_SETTLES_S = 0.1
_ATTEMPTS = 10
"""Another instance may be making the record just now, part by part."""


class ClusterIdentityRecord:
    """The record. ``has_records``: whether the store holds anything of ours."""

    def __init__(self, nodes: NodePipelines, prefix: bytes, has_records: Callable[[], bool]) -> None:
        self._nodes = nodes
        self._keys = identity_keys(prefix)
        self.has_records = has_records

    def read(self) -> bytes | None:
        """Return the record; None where no part has one. Raises ``StoreError``."""
        for attempt in range(_ATTEMPTS):
            parts = set(self._ask(*(Command(key, pack((b"GET", key))) for key in self._keys)))
            if len(parts) == 1:
                record: bytes | None = parts.pop()
                return record
            if attempt < _ATTEMPTS - 1:
                time.sleep(_SETTLES_S)
        return _MIXED

    def add(self, record: bytes) -> bytes:
        """Write the record unless there is one, and return the one that is there. Raises ``StoreError``."""
        first, *others = self._keys
        self._ask(Command(first, pack((b"SET", first, record, b"NX"))))
        (winner,) = self._ask(Command(first, pack((b"GET", first))))
        record = winner or record
        self._ask(*(Command(key, pack((b"SET", key, record, b"NX"))) for key in others))
        return self.read() or record

    def replace(self, record: bytes) -> None:
        """Write the record over the one that is there. Raises ``StoreError``."""
        self._ask(*(Command(key, pack((b"SET", key, record))) for key in self._keys))

    def now_ms(self) -> int:
        """Return a node's time, milliseconds since 1970. Raises ``StoreError``."""
        (reply,) = self._ask(Command(self._keys[0], pack((b"TIME",))))
        seconds, microseconds = reply
        return int(seconds) * 1000 + int(microseconds) // 1000

    def _ask(self, *commands: Command) -> list[Reply]:
        replies = self._nodes.run(commands, time.monotonic() + _TIMEOUT_S)
        for reply in replies:
            if isinstance(reply, StoreError):
                raise reply
            if isinstance(reply, ErrorReply):
                raise store_error(reply)
        return replies
