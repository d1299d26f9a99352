"""Stores for tests: the shared Redis and the fake in one dress, and servers that a test may mistreat."""

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import pytest

from server.store.embedded.server import EmbeddedRedis
from server.store.keys import seen_key
from server.store.ports import Committed, DecisionStore, RecordChange, RecordStore
from server.store.record_cipher import RecordCipher
from server.store.redis.cluster.store import ClusterStore
from server.store.redis.cluster.topology import Cluster, ClusterAddress
from server.store.redis.handshake import open_connection
from server.store.redis.primary import Primary, accept_any
from server.store.redis.store import RedisStore
from server.store.redis.store_url import parse_store_url
from server.store.redis.topology import Address
from server.store.redis.url import RedisAddress
from server.store.sealed import SealedDecisions, SealedRecords
from targeting.model import Subject
from targeting.records.stored_records import StoredRecords
from tests.faults.cluster_nodes import ClusterNodes, cluster_nodes
from tests.faults.redis_process import ON_DISK
from tests.faults.sentinels import Watched, watched
from tests.server.store.fake_store import PSEUDONYMS, FakeStore


class Store(DecisionStore, RecordStore, Protocol):
    """A store with a back door."""

    def put(self, subject: Subject, **values: bytes | None) -> None: ...
    def spoil(self, subject: Subject, *fields: str) -> None: ...


class OpenRedisStore(RedisStore):
    """The real store, with a back door to the same server."""

    def __init__(self, address: Address) -> None:
        super().__init__(Primary(address), PSEUDONYMS)
        self._back_door = open_connection(address, 5)

    def put(self, subject: Subject, **values: bytes | None) -> None:
        for name, value in values.items():
            self.command(b"DEL", self.key(subject, name))
            if value is not None:
                self.command(b"SET", self.key(subject, name), value)

    def spoil(self, subject: Subject, *fields: str) -> None:
        for name in fields:
            self.command(b"DEL", self.key(subject, name))
            self.command(b"HSET", self.key(subject, name), b"field", b"value")

    def key(self, subject: Subject, name: str) -> bytes:
        _, preference, profile = PSEUDONYMS.locate(subject)
        return {"preference": preference, "profile": profile, "seen": seen_key(profile)}[name]

    def command(self, *words: bytes) -> object:
        return self._back_door.ask(words, time.monotonic() + 5)

    def close(self) -> None:
        super().close()
        self._back_door.close()


class SealedRedisStore(OpenRedisStore):
    """The real store with its records encrypted at rest."""

    def __init__(self, address: RedisAddress) -> None:
        super().__init__(address)
        cipher, plain = RecordCipher(b"a key for tests"), RedisStore(Primary(address), PSEUDONYMS)
        self._plain = plain
        self._decisions, self._records = SealedDecisions(plain, cipher), SealedRecords(plain, cipher)

    def fetch(self, subjects: Sequence[Subject], budget_s: float) -> list[StoredRecords]:
        return self._decisions.fetch(subjects, budget_s)

    def read(self, subjects: Sequence[Subject], budget_s: float) -> list[StoredRecords]:
        return self._records.read(subjects, budget_s)

    def commit(self, changes: Sequence[RecordChange], budget_s: float) -> list[Committed]:
        return self._records.commit(changes, budget_s)

    def commit_durably(
        self, change: RecordChange, replicas: int, budget_s: float, confirm_s: float | None = None
    ) -> Committed:
        return self._records.commit_durably(change, replicas, budget_s, confirm_s)

    def close(self) -> None:
        super().close()
        self._plain.close()


@contextmanager
def stopped(server: EmbeddedRedis) -> Iterator[None]:
    """Stop the process, as a hung machine would, and let it go on."""
    os.kill(server.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.pid, signal.SIGCONT)


class OpenClusterStore(ClusterStore):
    """The store on a cluster, with a back door to the same nodes."""

    def __init__(self, nodes: ClusterNodes) -> None:
        self._cluster = cluster_of(nodes)
        super().__init__(self._cluster, PSEUDONYMS)

    def put(self, subject: Subject, **values: bytes | None) -> None:
        for name, value in values.items():
            self._do(subject, name, b"DEL")
            if value is not None:
                self._do(subject, name, b"SET", value)

    def spoil(self, subject: Subject, *fields: str) -> None:
        for name in fields:
            self._do(subject, name, b"DEL")
            self._do(subject, name, b"HSET", b"field", b"value")

    def _do(self, subject: Subject, name: str, command: bytes, *arguments: bytes) -> None:
        _, preference, profile = PSEUDONYMS.locate(subject)
        key = {"preference": preference, "profile": profile, "seen": seen_key(profile)}[name]
        deadline_s = time.monotonic() + 5
        self._nodes.connect(self._nodes.node_of(key, deadline_s), deadline_s).ask(
            (command, key, *arguments), deadline_s
        )


def cluster_of(nodes: ClusterNodes) -> Cluster:
    """The cluster as a service knows it; of its record any will do."""
    address = parse_store_url(nodes.url)
    assert isinstance(address, ClusterAddress)
    return Cluster(address, accept_any)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterNodes]:
    """Three nodes, without replicas, that put every write on disk."""
    with cluster_nodes(tmp_path_factory.mktemp("cluster"), *ON_DISK, replicas=0) as nodes:
        yield nodes


@pytest.fixture(scope="session")
def sentinels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """A primary that three sentinels watch."""
    with watched(tmp_path_factory.mktemp("sentinels"), *ON_DISK) as made:
        yield made


def open_fake(_: pytest.FixtureRequest) -> Store:
    return FakeStore()


def open_redis(request: pytest.FixtureRequest) -> Store:
    return OpenRedisStore(request.getfixturevalue("redis_address"))


def open_sealed_redis(request: pytest.FixtureRequest) -> Store:
    return SealedRedisStore(request.getfixturevalue("redis_address"))


def open_by_sentinels(request: pytest.FixtureRequest) -> Store:
    made: Watched = request.getfixturevalue("sentinels")
    made.primary().ask(b"FLUSHALL")
    return OpenRedisStore(parse_store_url(made.url))


def open_cluster(request: pytest.FixtureRequest) -> Store:
    nodes: ClusterNodes = request.getfixturevalue("cluster")
    nodes.empty()
    return OpenClusterStore(nodes)


STORES = {
    "fake": open_fake,
    "redis": open_redis,
    "sealed redis": open_sealed_redis,
    "sentinel": open_by_sentinels,
    "cluster": open_cluster,
}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """Every store there is, empty."""
    opened = STORES[request.param](request)
    yield opened
    if isinstance(opened, RedisStore | ClusterStore):
        opened.close()


@pytest.fixture
def redis_store(redis_address: RedisAddress) -> Iterator[OpenRedisStore]:
    """The real store, empty."""
    redis = OpenRedisStore(redis_address)
    yield redis
    redis.close()


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[EmbeddedRedis]:
    """A server of the test's own, to be stopped, killed and misconfigured."""
    with EmbeddedRedis(tmp_path / "own") as server:
        yield server


@pytest.fixture
def own_store(own_redis: EmbeddedRedis) -> Iterator[OpenRedisStore]:
    """A store on the test's own server."""
    redis = OpenRedisStore(own_redis.address)
    yield redis
    redis.close()
