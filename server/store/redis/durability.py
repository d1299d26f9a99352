"""How safe a write is: which replicas hold it, and whether the primary's disk does.

Invariant: never claims more than the server said. Asks on the connection that wrote: the server answers for the
writes of the asking connection, and on a new one every replica would seem to hold everything.
"""

import time
from typing import NamedTuple

from server.store.ports import StoreError
from server.store.redis.connection import Connection, Reply, pack
from server.store.redis.errors import ErrorReply

_DOUBT_S = 1.0
_PATIENCE_IN_DOUBT_S = 0.05
_TICK_S = 0.102
"""How much earlier than the deadline a wait must end to be answered in time: Redis looks for ended waits when its
timer ticks, ten times a second (``hz``)."""


class Safety(NamedTuple):
    """How many replicas hold a write, and whether it is on the primary's disk."""

    replicas: int = 0
    on_disk: bool = False

    def suffices(self, replicas: int) -> bool:
        """Whether as many replicas hold it as are required, or the disk where none is."""
        return self.replicas >= replicas if replicas else self.on_disk


def replicas_to_wait_for(required: int, promotable: int) -> int:
    """Return how many replicas must hold a choice: all that a failover could promote, and no fewer than required.

    One of two is not enough: while sentinels promote the other, the old primary still takes writes. None is waited for
    where none is required.
    """
    return max(required, promotable) if required else 0


class Patience:
    """How long one server is waited for. After a wait in vain, later ones are short for a while.

    A missing replica or a slow disk must not hold up every call, and one that is back answers at once.
    """

    def __init__(self) -> None:
        self._doubtful_until_s = 0.0

    def wait(self, connection: Connection, replicas: int, deadline_s: float) -> Safety:
        """Wait as ``wait_until_safe`` does, no longer than the server deserves."""
        now_s = time.monotonic()
        if now_s < self._doubtful_until_s:
            deadline_s = min(deadline_s, now_s + _PATIENCE_IN_DOUBT_S)
        safety = wait_until_safe(connection, replicas, deadline_s)
        if not safety.suffices(replicas):
            self._doubtful_until_s = time.monotonic() + _DOUBT_S
        return safety


def wait_until_safe(connection: Connection, replicas: int, deadline_s: float) -> Safety:
    """Wait until the required replicas hold what this connection wrote, or the disk where none is required.

    Ends by the deadline (``time.monotonic``). What the server does not confirm in time counts as not so.
    """
    holding = _ask(connection, (b"WAIT", b"%d" % replicas, b"%d" % _wait_ms(deadline_s)), deadline_s)
    # Where replicas are required the disk is only asked, not waited for.
    wait_ms = 1 if replicas else _wait_ms(deadline_s)
    return Safety(holding if isinstance(holding, int) else 0, _on_disk(connection, wait_ms, deadline_s))


def _on_disk(connection: Connection, wait_ms: int, deadline_s: float) -> bool:
    """Wait for the next sync of the append-only file."""
    try:
        reply = connection.exchange(pack((b"WAITAOF", b"1", b"0", b"%d" % wait_ms)), 1, deadline_s)[0]
    except StoreError:
        return False
    if isinstance(reply, ErrorReply):
        # Without an append-only file, without the permission, or before Redis 7.2.
        return _synced_always(connection, deadline_s)
    return isinstance(reply, list) and bool(reply) and reply[0] == 1


def _synced_always(connection: Connection, deadline_s: float) -> bool:
    """Whether every write is on disk before it is answered. A server may forbid the question."""
    reply = _ask(connection, (b"CONFIG", b"GET", b"*append*"), deadline_s)
    words = [word for word in reply if isinstance(word, bytes)] if isinstance(reply, list) else []
    settings = dict(zip(words[::2], words[1::2], strict=False))
    return (
        settings.get(b"appendonly") == b"yes"
        and settings.get(b"appendfsync") == b"always"
        and settings.get(b"no-appendfsync-on-rewrite", b"no") == b"no"
    )


def _ask(connection: Connection, command: tuple[bytes, ...], deadline_s: float) -> Reply:
    """Return the server's answer, or None when it refuses or is late."""
    try:
        reply = connection.exchange(pack(command), 1, deadline_s)[0]
    except StoreError:
        return None
    return None if isinstance(reply, ErrorReply) else reply


def _wait_ms(deadline_s: float) -> int:
    """Return the milliseconds a wait may take on the server; at least one, as zero means without end."""
    return max(1, int((deadline_s - _TICK_S - time.monotonic()) * 1000))
