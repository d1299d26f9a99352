"""How safe a write is: which replicas hold it, and whether the primary's disk does.

Invariant: never claims more than the server said. Asks on the connection that wrote: the server answers for the
writes of the asking connection, and on a fresh one every replica would seem to hold everything.
"""

import time

from redis.exceptions import ResponseError

from server.store.ports import StoreError
from server.store.redis.connection import Connection, Reply, pack

_TICK_S = 0.102
"""How much earlier than the deadline a wait must end to be answered in time: Redis looks for ended waits when its
timer ticks, ten times a second (``hz``)."""


def safety(link: Connection, replicas: int, deadline_s: float, patience_s: float) -> tuple[int, bool]:
    """Tell how many replicas hold what this connection wrote, and whether it is on the primary's disk.

    Waits for so many replicas no longer than ``patience_s`` and the deadline (``time.monotonic``). What nobody said in
    time is not so.
    """
    on_disk = _synced_always(link, deadline_s)
    wait_ms = max(1, min(_patience_ms(deadline_s), int(patience_s * 1000)))
    holding = int(_ask(link, (b"WAIT", b"%d" % replicas, b"%d" % wait_ms), deadline_s) or 0)
    return holding, on_disk or _synced_by_now(link, deadline_s)


def _synced_always(link: Connection, deadline_s: float) -> bool:
    """Tell whether a write is on disk before it is answered. A server may forbid the question."""
    reply = _ask(link, (b"CONFIG", b"GET", b"*append*"), deadline_s) or []
    settings = dict(zip(reply[::2], reply[1::2], strict=True))
    return (
        settings.get(b"appendonly") == b"yes"
        and settings.get(b"appendfsync") == b"always"
        and settings.get(b"no-appendfsync-on-rewrite", b"no") == b"no"
    )


def _synced_by_now(link: Connection, deadline_s: float) -> bool:
    """Wait for the next sync of the append-only file. Before Redis 7.2 a server cannot tell of it."""
    reply = _ask(link, (b"WAITAOF", b"1", b"0", b"%d" % _patience_ms(deadline_s)), deadline_s)
    return bool(reply and reply[0])


def _ask(link: Connection, command: tuple[bytes, ...], deadline_s: float) -> Reply:
    """Give the server's answer, or None when it refuses or is late."""
    try:
        reply = link.exchange(pack(command), 1, deadline_s)[0]
    except StoreError:
        return None
    return None if isinstance(reply, ResponseError) else reply


def _patience_ms(deadline_s: float) -> int:
    """Give the milliseconds a wait may take on the server; at least one, as zero means for ever."""
    return max(1, int((deadline_s - _TICK_S - time.monotonic()) * 1000))
