"""What several areas of tests share: a real Redis, started once a test process."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings

from server.store.embedded.server import EmbeddedRedis
from server.store.redis.handshake import open_connection
from server.store.redis.url import RedisAddress
from tests.faults.matrix.marks import FIGURE, Figure, add_claims

MEMORY = Path("/dev/shm")
"""Where there is a file system in memory, the many small writes of tests need not wait for a disk."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have every test tell which rows of the fault matrix it shows."""
    add_claims(items)


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Figure:
    """Records what a test measured, for the fault matrix."""
    return lambda text: record_property(FIGURE, text)


@pytest.fixture(scope="session")
def redis_server() -> Iterator[EmbeddedRedis]:
    """A running server, shared: what a test stops or reconfigures should be one of its own."""
    in_memory = TemporaryDirectory(prefix="adt-", dir=MEMORY if MEMORY.is_dir() else None)
    with in_memory as directory, EmbeddedRedis(Path(directory)) as server:
        yield server


@pytest.fixture
def redis_address(redis_server: EmbeddedRedis) -> RedisAddress:
    """The shared server, emptied."""
    link = open_connection(redis_server.address, 5)
    link.ask((b"FLUSHALL",), time.monotonic() + 5)
    link.close()
    return redis_server.address


# A slow machine is no failure: benchmarks look at time, tests do not.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
