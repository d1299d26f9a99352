"""How safe a write is: which replicas hold it, and whether the primary's disk does.

Invariant: never claims more than the server said. Asks on the connection that wrote: the server answers for
the writes of the asking connection, and on a fresh one every replica would seem to hold everything.
"""

import time

from redis.exceptions import ResponseError

from server.store.link import Link, Reply, pack
from server.store.ports import StoreError

_REPLY_MARGIN_S = 0.002
"""How much earlier than the deadline a wait ends on the server, so that its answer is back in time."""


def safety(link: Link, replicas: int, deadline_s: float) -> tuple[int, bool]:
    """Tell how many replicas hold what this connection wrote, and whether it is on the primary's disk.

    Waits for so many replicas until the deadline (``time.monotonic``). Raises ``StoreError``.
    """
    configuration, holding = link.exchange(
        pack((b"CONFIG", b"GET", b"append*")) + pack((b"WAIT", b"%d" % replicas, _patience_ms(deadline_s))),
        2,
        deadline_s,
    )
    count = holding if isinstance(holding, int) else 0
    return count, _synced_always(configuration) or _synced_by_now(link, deadline_s)


def _patience_ms(deadline_s: float) -> bytes:
    """Give the milliseconds a wait may take on the server; at least one, as zero means for ever."""
    return b"%d" % max(1, int((deadline_s - _REPLY_MARGIN_S - time.monotonic()) * 1000))


def _synced_always(configuration: Reply) -> bool:
    """Tell whether a write is on disk before it is answered. A server that does not say is taken not to."""
    if isinstance(configuration, ResponseError):
        return False
    settings = dict(zip(configuration[::2], configuration[1::2], strict=True))
    return settings.get(b"appendonly") == b"yes" and settings.get(b"appendfsync") == b"always"


def _synced_by_now(link: Link, deadline_s: float) -> bool:
    """Wait for the next sync of the append-only file. Before Redis 7.2 a server cannot tell of it."""
    try:
        reply = link.exchange(pack((b"WAITAOF", b"1", b"0", _patience_ms(deadline_s))), 1, deadline_s)[0]
    except StoreError:
        return False
    return not isinstance(reply, ResponseError) and bool(reply[0])
