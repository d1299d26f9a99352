"""How safe a change is once it was made: on how many replicas, and whether on disk."""

import os
import signal
from pathlib import Path

import pytest

from server.store.embedded.server import EmbeddedRedis
from server.store.ports import Committed, RecordChange
from server.store.redis.primary import Primary
from server.store.redis.store import RedisStore
from server.store.redis.url import RedisAddress
from targeting.records.stored_records import StoredRecords
from tests.server.store.conftest import OpenRedisStore
from tests.server.store.fake_store import PSEUDONYMS
from tests.server.store.plain_redis import plain_redis, replicate
from tests.server.store.redis.changes import ANNE, BEN, BUDGET_S, change, record
from tests.server.store.redis.scripted_server import saying, scripted_server
from tests.waiting import eventually


def test_replicas_that_hold_it_are_counted(tmp_path: Path) -> None:
    primary, replica = plain_redis(tmp_path / "primary"), plain_redis(tmp_path / "replica")
    with primary as (address, _), replica as (other, other_pid):
        replicate(address, other)
        store = RedisStore(Primary(address), PSEUDONYMS)
        assert store.commit_durably(change(store, ANNE), 1, BUDGET_S) == Committed(True, 1, False)
        os.kill(other_pid, signal.SIGSTOP)
        assert store.commit_durably(change(store, BEN), 1, 0.3) == Committed(True, 0, False)
        # What was waited for in vain is not waited for through the next call's budget, long as it is.
        assert store.commit_durably(change(store, BEN), 1, 600) == Committed(True, 0, False)
        os.kill(other_pid, signal.SIGCONT)
        eventually(lambda: store.commit_durably(change(store, BEN), 1, BUDGET_S).replicas == 1)
        store.close()


@pytest.mark.parametrize(
    ("setting", "value", "on_disk"),
    [
        ("appendfsync", "always", True),
        ("appendfsync", "everysec", False),
        ("appendonly", "no", False),
        ("no-appendfsync-on-rewrite", "yes", False),
    ],
)
def test_without_waitaof_only_a_server_that_syncs_every_write_has_it_on_disk(
    own_redis: EmbeddedRedis, own_store: OpenRedisStore, setting: str, value: str, *, on_disk: bool
) -> None:
    own_store.command(b"CONFIG", b"SET", setting.encode(), value.encode())
    own_store.command(b"ACL", b"SETUSER", b"older", b"on", b">hush", b"~*", b"+@all", b"-waitaof")
    store = RedisStore(
        Primary(RedisAddress(path=own_redis.address.path, username="older", password="hush")), PSEUDONYMS
    )
    assert store.commit_durably(change(store), 0, BUDGET_S) == Committed(True, 0, on_disk)
    store.close()


@pytest.mark.parametrize(("fsync", "on_disk"), [(b"everysec", True), (b"no", False)])
def test_with_waitaof_the_next_sync_is_awaited(own_store: OpenRedisStore, fsync: bytes, *, on_disk: bool) -> None:
    own_store.command(b"CONFIG", b"SET", b"appendfsync", fsync)
    assert own_store.commit_durably(change(own_store), 0, 3.0) == Committed(True, 0, on_disk)


def test_a_server_that_does_not_tell_is_taken_not_to(own_redis: EmbeddedRedis, own_store: OpenRedisStore) -> None:
    rules = (b"on", b">hush", b"~*", b"+@all", b"-config", b"-wait", b"-waitaof")
    own_store.command(b"ACL", b"SETUSER", b"limited", *rules)
    address = RedisAddress(path=own_redis.address.path, username="limited", password="hush")
    store = RedisStore(Primary(address), PSEUDONYMS)
    assert store.commit_durably(change(store), 0, BUDGET_S) == Committed(True, 0, False)
    store.close()


@pytest.mark.parametrize(
    ("replicas", "answers", "committed"),
    [
        pytest.param(0, [b":1\r\n", b":2\r\n", b"*2\r\n:1\r\n:0\r\n"], (True, 2, True), id="synced by now"),
        pytest.param(1, [b":1\r\n", b":1\r\n", b"*2\r\n:0\r\n:0\r\n"], (True, 1, False), id="not yet"),
        pytest.param(1, [b":1\r\n", b":1\r\n", b"-ERR unknown\r\n", b"*0\r\n"], (True, 1, False), id="before 7.2"),
        pytest.param(1, [b":1\r\n", b":1\r\n", b""], (True, 1, False), id="late"),
        pytest.param(1, [b":1\r\n", b""], (True, 0, False), id="silent"),
        pytest.param(1, [b":1\r\n", b"+OK\r\n", b"+OK\r\n"], (True, 0, False), id="answers of another form"),
        pytest.param(0, [b":1\r\n", b"*0\r\n", b"-ERR\r\n", b":3\r\n"], (True, 0, False), id="settings that are none"),
        pytest.param(1, [b":0\r\n", b"-ERR not to be asked\r\n"], (False, 0, False), id="stale"),
    ],
)
def test_how_safe_the_server_says_it_is(
    tmp_path: Path, replicas: int, answers: list[bytes], committed: tuple[bool, int, bool]
) -> None:
    attempt = RecordChange(ANNE, StoredRecords(ANNE.kind, PSEUDONYMS.owner(ANNE)), preference=record(ANNE))
    with scripted_server(tmp_path, saying(*answers)) as address:
        store = RedisStore(Primary(address), PSEUDONYMS)
        assert store.commit_durably(attempt, replicas, 0.3)[:3] == committed
        store.close()
