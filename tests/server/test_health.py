"""The watch over the store: health follows it, every change is one line, and no line holds a password."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.health import StoreWatch
from server.store.embedded.server import EmbeddedRedis
from server.store.redis.url import RedisAddress, parse_redis_url
from tests.server.doubles import ListGate
from tests.waiting import eventually

SERVICES = ("writes", "reads")


class HealthGate(ListGate):
    """Keeps what was reported."""

    def __init__(self) -> None:
        super().__init__()
        self.reported: list[tuple[str, bool]] = []

    def set_health(self, service: str, *, serving: bool) -> None:
        self.reported.append((service, serving))


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[EmbeddedRedis]:
    with EmbeddedRedis(tmp_path / "redis") as server:
        yield server


def watch(gate: HealthGate, address: RedisAddress) -> StoreWatch:
    return StoreWatch(gate, SERVICES, address, lambda: None)


def test_a_store_that_answers_is_reported_once_and_is_no_news(
    redis: EmbeddedRedis, caplog: pytest.LogCaptureFixture
) -> None:
    gate = HealthGate()
    watching = watch(gate, redis.address)
    for _ in range(3):
        watching.check()
    assert gate.reported == [("writes", True), ("reads", True)]
    assert caplog.messages == []


def test_every_change_is_reported_and_is_one_line(redis: EmbeddedRedis, caplog: pytest.LogCaptureFixture) -> None:
    gate, place = HealthGate(), str(redis.address)
    watching = watch(gate, redis.address)
    redis.stop()
    for _ in range(2):
        watching.check()
    redis.start()
    for _ in range(2):
        watching.check()
    assert gate.reported == [("writes", False), ("reads", False), ("writes", True), ("reads", True)]
    unreachable = "the store cannot be reached: its socket or a TLS file does not exist"
    assert caplog.messages == [
        f"store {place}: {unreachable}; preferences and profiles are NOT_SERVING",
        f"store {place}: it answers again; preferences and profiles are SERVING",
    ]


def test_the_line_names_the_address_without_user_and_password(caplog: pytest.LogCaptureFixture) -> None:
    watch(HealthGate(), parse_redis_url("redis://operator:pa55word@127.0.0.1:1/3")).check()
    [line] = caplog.messages
    assert line.startswith("store redis://127.0.0.1:1/3: ")
    assert "pa55word" not in line
    assert "operator" not in line


def test_it_looks_by_itself_and_outlives_a_fault_of_ours(
    redis: EmbeddedRedis, caplog: pytest.LogCaptureFixture
) -> None:
    gate = HealthGate()
    tended: list[int] = []

    def tend() -> None:
        tended.append(len(tended))
        raise RuntimeError("a secret")

    watching = StoreWatch(gate, SERVICES, redis.address, tend)
    watching.start()
    eventually(lambda: len(tended) > 1)
    watching.close()
    assert {record.levelno for record in caplog.records} == {logging.ERROR}
    assert "a secret" not in caplog.text
