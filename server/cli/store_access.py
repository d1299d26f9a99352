"""How a command gets at the store itself, past the service.

The embedded store of a running service is used as it runs: two servers on one directory are never tried.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from server.settings import Settings
from server.store.embedded.server import EmbeddedRedis
from server.store.ports import StoreError
from server.store.redis.handshake import ping
from server.store.redis.url import RedisAddress, parse_redis_url

Fsync = Literal["always", "everysec"]

_TIMEOUT_S = 1.0


@contextmanager
def reached_store(settings: Settings, fsync: Fsync = "always") -> Iterator[RedisAddress]:
    """Give the address of the store: the configured one, the running embedded one, or one that runs meanwhile.

    ``fsync`` is for the last: see ``EmbeddedRedis``. Raises ``RedisUrlError``, ``EmbeddedStoreError``.
    """
    if settings.redis_url:
        yield parse_redis_url(settings.redis_url)
    elif (running := _running(settings.data_dir)) is not None:
        yield running
    else:
        with EmbeddedRedis(settings.data_dir, fsync=fsync) as embedded:
            yield embedded.address


def _running(data_dir: Path) -> RedisAddress | None:
    address = RedisAddress(path=str((data_dir / "redis.sock").absolute()))
    try:
        ping(address, _TIMEOUT_S)
    except StoreError:
        return None
    return address
