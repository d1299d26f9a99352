"""How safe a write is: which replicas hold it, and whether the primary's disk does.

Invariant: never claims more than the server said. Asks on the connection that wrote: the server answers for the
writes of the asking connection, and on a new one every replica would seem to hold everything.
"""

import time

from server.store.ports import StoreError
from server.store.redis.connection import Connection, Reply, pack
from server.store.redis.errors import ErrorReply

_TICK_S = 0.102
"""How much earlier than the deadline a wait must end to be answered in time: Redis looks for ended waits when its
timer ticks, ten times a second (``hz``)."""


def safety(connection: Connection, replicas: int, deadline_s: float, patience_s: float) -> tuple[int, bool]:
    """Return how many replicas hold what this connection wrote, and whether it is on the primary's disk.

    Waits for ``replicas`` replicas no longer than ``patience_s`` and the deadline (``time.monotonic``). What the
    server does not confirm in time counts as not so.
    """
    on_disk = _synced_always(connection, deadline_s)
    wait_ms = max(1, min(_wait_ms(deadline_s), int(patience_s * 1000)))
    holding = int(_ask(connection, (b"WAIT", b"%d" % replicas, b"%d" % wait_ms), deadline_s) or 0)
    return holding, on_disk or _synced_by_now(connection, deadline_s)


def _synced_always(connection: Connection, deadline_s: float) -> bool:
    """Whether every write is on disk before it is answered. A server may forbid the question."""
    reply = _ask(connection, (b"CONFIG", b"GET", b"*append*"), deadline_s) or []
    settings = dict(zip(reply[::2], reply[1::2], strict=True))
    return (
        settings.get(b"appendonly") == b"yes"
        and settings.get(b"appendfsync") == b"always"
        and settings.get(b"no-appendfsync-on-rewrite", b"no") == b"no"
    )


def _synced_by_now(connection: Connection, deadline_s: float) -> bool:
    """Wait for the next sync of the append-only file. A server before Redis 7.2 does not know the command."""
    reply = _ask(connection, (b"WAITAOF", b"1", b"0", b"%d" % _wait_ms(deadline_s)), deadline_s)
    return bool(reply and reply[0])


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
