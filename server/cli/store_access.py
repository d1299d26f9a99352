"""Access to the store itself, without the service.

A running embedded store is shared: two servers never run on one directory.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from server.settings import Settings
from server.store.embedded.server import EmbeddedRedis
from server.store.ports import StoreError
from server.store.redis.handshake import ping
from server.store.redis.store_url import parse_store_url
from server.store.redis.topology import Address
from server.store.redis.url import RedisAddress

Fsync = Literal["always", "everysec"]

_TIMEOUT_S = 1.0


@contextmanager
def open_store(settings: Settings, fsync: Fsync = "always") -> Iterator[Address]:
    """Yield the address of the store: configured, embedded and running, or embedded and started for this command.

    ``fsync`` applies to the last case: see ``EmbeddedRedis``. Raises ``RedisUrlError``, ``EmbeddedStoreError``.
    """
    if settings.redis_url:
        yield parse_store_url(settings.redis_url, settings.redis_password_file)
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
