"""What several areas of tests share: a real Redis, started once a test process."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings

from server.geo import ip_location
from server.geo.country_table import load_country_table
from server.store.embedded.server import EmbeddedRedis
from server.store.redis.url import RedisAddress, parse_redis_url
from tests.faults.matrix.collector import EvidenceRecorder
from tests.faults.matrix.marks import FIGURE, Figure, add_claims
from tests.faults.matrix.staging import OPTION, empty, runs_on_any_store

MEMORY = Path("/dev/shm")
"""Where there is a file system in memory, the many small writes of tests need not wait for a disk."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the fault matrix run on an operator's own store, and keep what a run has shown of it."""
    parser.addoption("--fault-evidence", type=Path, metavar="FILE", help="write what the run showed of each row")
    parser.addoption(OPTION, default="", metavar="URL", help="an empty store for the tests that run on any store")


def pytest_configure(config: pytest.Config) -> None:
    """Keep the evidence, in the one process that sees all tests."""
    path = config.getoption("--fault-evidence")
    if path is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(EvidenceRecorder(path))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Have every test tell which rows of the fault matrix it shows; on an operator's store, keep what runs on any."""
    add_claims(items)
    if config.getoption(OPTION):
        config.hook.pytest_deselected(items=[item for item in items if not runs_on_any_store(item)])
        items[:] = [item for item in items if runs_on_any_store(item)]


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Figure:
    """Records what a test measured, for the fault matrix."""
    return lambda text: record_property(FIGURE, text)


@pytest.fixture(scope="session", autouse=True)
def one_country_table() -> Iterator[None]:
    """The bundled table of countries, read once a test process: it is immutable, and takes longest of a start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ip_location, "load_country_table", cache(load_country_table))
        yield


def in_memory() -> TemporaryDirectory[str]:
    """Return a directory in memory, where there is such a place."""
    return TemporaryDirectory(prefix="adt-", dir=MEMORY if MEMORY.is_dir() else None)


@pytest.fixture(scope="session")
def redis_server() -> Iterator[EmbeddedRedis]:
    """A running server, shared: what a test stops or reconfigures should be one of its own."""
    with in_memory() as directory, EmbeddedRedis(Path(directory)) as server:
        yield server


@pytest.fixture
def redis_address(request: pytest.FixtureRequest) -> Iterator[RedisAddress]:
    """The shared server, emptied; or an operator's, emptied before and after."""
    url = request.config.getoption(OPTION)
    address: RedisAddress = parse_redis_url(url) if url else request.getfixturevalue("redis_server").address
    empty(address)
    yield address
    if url:
        empty(address)


@pytest.fixture(scope="module")
def store_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """An operator's store, emptied before and after; without one the empty text, which is a service's own store."""
    url: str = request.config.getoption(OPTION)
    if url:
        empty(parse_redis_url(url))
    yield url
    if url:
        empty(parse_redis_url(url))


@pytest.fixture
def empty_store_url(store_url: str) -> str:
    """The same, without the record of a service that another test of the module has run."""
    if store_url:
        empty(parse_redis_url(store_url))
    return store_url


# A slow machine is no failure: benchmarks look at time, tests do not.
settings.register_profile("untimed", deadline=None, max_examples=50)
settings.register_profile("thorough", deadline=None, max_examples=1000)
settings.load_profile("untimed")
