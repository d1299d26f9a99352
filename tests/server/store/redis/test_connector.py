"""Connecting: an attempt ends, however it ends."""

import threading
import time
from pathlib import Path

import pytest

from server.store.ports import StoreUnavailable
from server.store.redis import connector
from server.store.redis.connector import Connector
from server.store.redis.handshake import open_connection
from server.store.redis.url import RedisAddress


def soon(seconds: float = 5.0) -> float:
    return time.monotonic() + seconds


def test_an_unforeseen_exception_ends_the_attempt_and_the_next_call_tries_again(
    redis_address: RedisAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    problems = [RuntimeError("a fault of ours"), MemoryError()]

    def open_or_fail(address: RedisAddress, timeout_s: float) -> object:
        if problems:
            raise problems.pop()
        return open_connection(address, timeout_s)

    monkeypatch.setattr(connector, "open_connection", open_or_fail)
    tried = Connector(redis_address, 5)
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="the connection failed"):
            tried.connect(soon())
    assert tried.connect(soon()).ask((b"PING",), soon()) == b"PONG"
    tried.close()


def test_it_keeps_a_connection_as_long_as_that_is_usable(redis_address: RedisAddress) -> None:
    kept = Connector(redis_address, 5)
    first = kept.connect(soon())
    assert kept.connect(soon()) is first
    first.close()
    assert kept.connect(soon()) is not first
    kept.close()


def test_a_server_that_is_not_there_leaves_no_thread(tmp_path: Path) -> None:
    absent = Connector(RedisAddress(path=str(tmp_path / "absent.sock")), 5)
    with pytest.raises(StoreUnavailable, match="does not exist"):
        absent.connect(soon())
    assert "store-connect" not in {thread.name for thread in threading.enumerate()}
