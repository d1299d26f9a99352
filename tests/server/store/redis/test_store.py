"""The store on Redis, and what can go wrong with a Redis."""

import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from server.store.embedded.server import EmbeddedRedis
from server.store.ports import Committed, RecordChange, StoreTimeout, StoreUnavailable
from server.store.redis import batch_read
from server.store.redis.commit import UNREADABLE
from server.store.redis.connection import Connection
from server.store.redis.primary import Primary
from server.store.redis.store import RedisStore
from server.store.redis.url import RedisAddress
from targeting.model import Subject
from tests.server.store.conftest import OpenRedisStore, stopped
from tests.server.store.fake_store import PSEUDONYMS
from tests.server.store.redis.changes import ANNE, BEN, BUDGET_S, change, record
from tests.server.store.redis.scripted_server import saying, scripted_server

SHORT_S = 0.05


def ttl_s(store: OpenRedisStore, subject: Subject) -> Any:
    """Seconds until the preference expires; -1: never."""
    return store.command(b"TTL", PSEUDONYMS.locate(subject)[1])


def test_a_preference_that_expires_stays_once_it_is_written_without_an_end(redis_store: OpenRedisStore) -> None:
    (nothing,) = redis_store.read([ANNE], BUDGET_S)
    expiring = RecordChange(ANNE, nothing, preference=record(ANNE), preference_ttl_s=400)
    assert redis_store.commit([expiring], BUDGET_S)[0].landed
    assert 390 < ttl_s(redis_store, ANNE) <= 400
    (held,) = redis_store.read([ANNE], BUDGET_S)
    assert redis_store.commit([RecordChange(ANNE, held, preference=record(ANNE, 2))], BUDGET_S)[0].landed
    assert ttl_s(redis_store, ANNE) == -1


def test_preferences_stay_and_what_is_recorded_expires(redis_store: OpenRedisStore) -> None:
    redis_store.commit([change(redis_store)], BUDGET_S)
    keys = [redis_store.key(ANNE, name) for name in ("preference", "profile", "seen")]
    assert [redis_store.command(b"TTL", key) for key in keys] == [-1, 100, 50]


def test_a_change_of_the_profile_renews_its_life_and_nothing_else_does(redis_store: OpenRedisStore) -> None:
    redis_store.commit([change(redis_store)], BUDGET_S)
    redis_store.command(b"EXPIRE", redis_store.key(ANNE, "profile"), b"7")
    held = redis_store.read([ANNE], BUDGET_S)[0]
    redis_store.commit([RecordChange(ANNE, held, record(ANNE, 2), profile_ttl_s=100)], BUDGET_S)
    assert redis_store.command(b"TTL", redis_store.key(ANNE, "profile")) == 7
    redis_store.commit([change(redis_store)], BUDGET_S)
    assert redis_store.command(b"TTL", redis_store.key(ANNE, "profile")) == 100


def test_keys_and_values_hold_no_id(redis_store: OpenRedisStore) -> None:
    redis_store.commit([change(redis_store)], BUDGET_S)
    keys = redis_store.command(b"KEYS", b"*")
    assert isinstance(keys, list)
    assert len(keys) == 3
    assert not [key for key in keys if b"anne" in key]


def test_a_server_that_forgets_its_scripts_is_told_again(redis_store: OpenRedisStore) -> None:
    changes = [change(redis_store, ANNE), change(redis_store, BEN)]
    redis_store.command(b"SCRIPT", b"FLUSH")
    assert redis_store.commit(changes, BUDGET_S) == [Committed(landed=True)] * 2


def sent(store: OpenRedisStore) -> int:
    """How many bytes the server has sent so far."""
    info = store.command(b"INFO", b"stats")
    assert isinstance(info, bytes)
    return int(info.partition(b"total_net_output_bytes:")[2].split()[0])


def test_of_a_value_that_is_too_large_the_server_sends_no_more_than_a_part(own_store: OpenRedisStore) -> None:
    own_store.put(ANNE, profile=b"x" * 20_000_000)
    before = sent(own_store)
    assert own_store.fetch([ANNE], BUDGET_S)[0].profile == UNREADABLE
    assert sent(own_store) - before < 200_000
    own_store.command(b"GET", own_store.key(ANNE, "profile"))
    assert sent(own_store) - before > 20_000_000


class TestTimeouts:
    def test_a_late_answer_is_not_taken_for_the_next(self, own_redis: EmbeddedRedis, own_store: OpenRedisStore) -> None:
        own_store.commit([change(own_store, ANNE), change(own_store, BEN)], BUDGET_S)
        with stopped(own_redis), pytest.raises(StoreTimeout):
            own_store.fetch([ANNE], SHORT_S)
        assert own_store.fetch([BEN], BUDGET_S)[0].preference == record(BEN)

    def test_no_call_outwaits_a_stopped_server(self, own_redis: EmbeddedRedis, own_store: OpenRedisStore) -> None:
        attempt = change(own_store)
        with stopped(own_redis):
            for call in (
                lambda: own_store.fetch([ANNE], SHORT_S),
                lambda: own_store.read([ANNE], SHORT_S),
                lambda: own_store.commit([attempt], SHORT_S),
                lambda: own_store.commit_durably(attempt, 0, SHORT_S),
            ):
                with pytest.raises(StoreTimeout):
                    call()
        assert own_store.read([ANNE], BUDGET_S)

    def test_a_connection_that_is_long_in_coming_is_there_for_a_later_call(self, tmp_path: Path) -> None:
        slow = {b"AUTH": b"+OK\r\n", b"GET": b"$-1\r\n", b"EXISTS": b":0\r\n", b"GETRANGE": b"$0\r\n\r\n"}

        def answer(connection: socket.socket, words: list[bytes]) -> None:
            if words[0] == b"AUTH":
                time.sleep(3 * SHORT_S)
            connection.sendall(slow[words[0]])

        with scripted_server(tmp_path, answer) as address:
            store = RedisStore(Primary(RedisAddress(path=address.path, password="hush")), PSEUDONYMS)
            with pytest.raises(StoreTimeout, match="not ready yet"):
                store.fetch([ANNE], SHORT_S)
            assert store.fetch([ANNE], BUDGET_S)[0].preference is None
            store.close()

    def test_a_store_that_is_closed_while_it_connects_leaves_no_connection(self, tmp_path: Path) -> None:
        left = threading.Event()

        def answer(connection: socket.socket, words: list[bytes]) -> None:
            time.sleep(3 * SHORT_S)
            connection.sendall(b"+OK\r\n")
            while connection.recv(1):
                pass
            left.set()

        with scripted_server(tmp_path, answer) as address:
            store = RedisStore(Primary(RedisAddress(path=address.path, password="hush")), PSEUDONYMS)
            with pytest.raises(StoreTimeout):
                store.fetch([ANNE], SHORT_S)
            store.close()
            assert left.wait(BUDGET_S)


def forgetting_what_is_due(post: Callable[..., None]) -> Callable[..., None]:
    """Take the next replies for those of the new question, as if the server owed none."""

    def forgetful(connection: Connection, *question: Any) -> None:
        connection._overdue = 0
        post(connection, *question)

    return forgetful


class TestReadings:
    """Readings that are begun, and collected as their answers come."""

    def test_none_is_begun_before_there_is_a_connection(self, own_store: OpenRedisStore) -> None:
        assert own_store.begin([ANNE], BUDGET_S) is None
        own_store.fetch([ANNE], BUDGET_S)
        assert own_store.begin([ANNE], BUDGET_S) is not None

    def test_it_finds_what_a_fetch_finds(self, own_store: OpenRedisStore, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(batch_read, "_SECOND_LOOK_S", BUDGET_S)
        own_store.commit([change(own_store)], BUDGET_S)
        own_store.put(BEN, preference=b"")
        reading = own_store.begin([ANNE, BEN], BUDGET_S)
        assert reading is not None
        assert reading.fileno() > 0
        found = reading.collect(time.monotonic() + BUDGET_S)
        assert found == own_store.fetch([ANNE, BEN], BUDGET_S)
        assert (found[0].preference, found[1].preference) == (record(ANNE), UNREADABLE)

    def test_it_is_collected_again_until_all_has_come(self, tmp_path: Path) -> None:
        may_end = threading.Event()
        answers = {b"GET": b"$-1\r\n", b"EXISTS": b":1\r\n"}

        def answer(connection: socket.socket, words: list[bytes]) -> None:
            if words[0] != b"GETRANGE":
                connection.sendall(answers[words[0]])
            elif words[1].endswith(b"pref"):
                connection.sendall(b"$3\r\nyes\r\n")
            else:
                may_end.wait(BUDGET_S)
                connection.sendall(b"$0\r\n\r\n")

        with scripted_server(tmp_path, answer) as address:
            store = RedisStore(Primary(address), PSEUDONYMS)
            may_end.set()
            store.fetch([ANNE], BUDGET_S)
            may_end.clear()
            reading = store.begin([ANNE], BUDGET_S)
            assert reading is not None
            for _ in range(3):
                with pytest.raises(StoreTimeout):
                    reading.collect(time.monotonic() + SHORT_S / 5)
            may_end.set()
            assert reading.collect(time.monotonic() + BUDGET_S)[0][2:4] == (b"yes", None)
            store.close()

    @pytest.mark.fault(row=8)
    @pytest.mark.parametrize("protected", [True, False], ids=["protected", "unprotected"])
    def test_what_was_given_up_is_never_taken_for_the_next_answer(
        self, own_redis: EmbeddedRedis, own_store: OpenRedisStore, monkeypatch: pytest.MonkeyPatch, protected: bool
    ) -> None:
        if not protected:
            monkeypatch.setattr(Connection, "post", forgetting_what_is_due(Connection.post))
        own_store.commit([change(own_store, ANNE)], BUDGET_S)
        with stopped(own_redis):
            given_up = own_store.begin([ANNE], BUDGET_S)
            assert given_up is not None
            with pytest.raises(StoreTimeout):
                given_up.collect(0.0)
            given_up.give_up()
            next_one = own_store.begin([BEN], BUDGET_S)
        assert next_one is not None
        found = next_one.collect(time.monotonic() + BUDGET_S)[0].preference
        assert found == (None if protected else record(ANNE))

    def test_a_server_that_says_nothing_for_long_loses_its_connection(
        self, own_redis: EmbeddedRedis, own_store: OpenRedisStore
    ) -> None:
        own_store.fetch([ANNE], BUDGET_S)
        with stopped(own_redis):
            reading = own_store.begin([ANNE], BUDGET_S)
            assert reading is not None
            time.sleep(3 * SHORT_S)
            reading.give_up()
            assert own_store.begin([ANNE], BUDGET_S) is None


class TestRefusals:
    def test_no_server_there(self, tmp_path: Path) -> None:
        store = RedisStore(Primary(RedisAddress(path=str(tmp_path / "nobody"))), PSEUDONYMS)
        with pytest.raises(StoreUnavailable):
            store.fetch([ANNE], BUDGET_S)

    def test_killed_and_started_again(self, own_redis: EmbeddedRedis, own_store: OpenRedisStore) -> None:
        own_store.commit([change(own_store)], BUDGET_S)
        os.kill(own_redis.pid, signal.SIGKILL)
        with pytest.raises(StoreUnavailable):
            own_store.fetch([ANNE], BUDGET_S)
        own_redis.stop()
        own_redis.start()
        assert own_store.fetch([ANNE], BUDGET_S)[0].preference == record(ANNE)

    def test_a_wrong_password(self, own_redis: EmbeddedRedis, own_store: OpenRedisStore) -> None:
        own_store.command(b"CONFIG", b"SET", b"requirepass", b"right")
        for password, problem in (("wrong", "the user or the password"), ("", "requires a password")):
            store = RedisStore(Primary(RedisAddress(path=own_redis.address.path, password=password)), PSEUDONYMS)
            with pytest.raises(StoreUnavailable, match=problem):
                store.fetch([ANNE], BUDGET_S)
            store.close()
        store = RedisStore(Primary(RedisAddress(path=own_redis.address.path, password="right")), PSEUDONYMS)
        assert store.fetch([ANNE], BUDGET_S)
        store.close()

    def test_a_primary_that_became_a_replica_and_primary_again(self, own_store: OpenRedisStore) -> None:
        attempt = change(own_store)
        own_store.command(b"REPLICAOF", b"127.0.0.1", b"1")
        with pytest.raises(StoreUnavailable, match="read-only replica"):
            own_store.commit([attempt], BUDGET_S)
        own_store.command(b"REPLICAOF", b"NO", b"ONE")
        assert own_store.commit_durably(attempt, 0, BUDGET_S).landed

    @pytest.mark.fault(row=6)
    def test_out_of_memory_nothing_is_half_written_and_all_can_be_erased(self, own_store: OpenRedisStore) -> None:
        own_store.commit([change(own_store, BEN)], BUDGET_S)
        attempt = change(own_store)
        own_store.command(b"CONFIG", b"SET", b"maxmemory", b"1")
        with pytest.raises(StoreUnavailable, match="out of memory"):
            own_store.commit([attempt], BUDGET_S)
        assert own_store.read([ANNE], BUDGET_S)[0][2:5] == (None, None, None)
        held = own_store.read([BEN], BUDGET_S)[0]
        assert own_store.commit([RecordChange(BEN, held, profile=b"", seen=b"")], BUDGET_S)[0].landed

    @pytest.mark.parametrize(
        "error", ["LOADING Redis is", "MISCONF no", "CLUSTERDOWN it is", "MASTERDOWN no", "MOVED 3999 10.0.0.1:6381"]
    )
    def test_errors_of_the_server(self, tmp_path: Path, error: str) -> None:
        with scripted_server(tmp_path, saying(b"-%b\r\n" % error.encode())) as address:
            store = RedisStore(Primary(address), PSEUDONYMS)
            with pytest.raises(StoreUnavailable, match="the store refuses"):
                store.fetch([ANNE], BUDGET_S)
            store.close()
