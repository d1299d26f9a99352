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
from server.store.redis.handshake import open_connection
from server.store.redis.primary import Primary
from server.store.redis.store import RedisStore
from server.store.redis.url import RedisAddress
from server.store.sealed import SealedDecisions, SealedRecords
from targeting.model import Subject
from targeting.records.stored_records import StoredRecords
from tests.server.store.fake_store import PSEUDONYMS, FakeStore


class Store(DecisionStore, RecordStore, Protocol):
    """A store with a back door."""

    def put(self, subject: Subject, **values: bytes | None) -> None: ...
    def spoil(self, subject: Subject, *fields: str) -> None: ...


class OpenRedisStore(RedisStore):
    """The real store, with a back door to the same server."""

    def __init__(self, address: RedisAddress) -> None:
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


@pytest.fixture(params=["fake", "redis", "sealed redis"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """Every store there is, empty."""
    if request.param == "fake":
        yield FakeStore()
        return
    kind = SealedRedisStore if request.param == "sealed redis" else OpenRedisStore
    redis = kind(request.getfixturevalue("redis_address"))
    yield redis
    redis.close()


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
