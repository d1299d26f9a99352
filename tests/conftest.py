"""What several areas of tests share: a real Redis, started once a test process."""

import time
from collections.abc import Iterator

import pytest

from server.store.embedded import EmbeddedRedis
from server.store.link import open_link
from server.store.url import RedisAddress


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    """A running server, shared: what a test stops or reconfigures should be one of its own."""
    with EmbeddedRedis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis_address(redis_server: EmbeddedRedis) -> RedisAddress:
    """The shared server, emptied."""
    link = open_link(redis_server.address, 5)
    link.ask((b"FLUSHALL",), time.monotonic() + 5)
    link.close()
    return redis_server.address
