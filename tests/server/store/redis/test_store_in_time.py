"""The store on Redis and time: no call outwaits a server, and no late answer is taken for the next one's."""

import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from server.store.embedded.server import EmbeddedRedis
from server.store.ports import StoreTimeout
from server.store.redis import batch_read
from server.store.redis.commit import UNREADABLE
from server.store.redis.connection import Connection
from server.store.redis.primary import Primary
from server.store.redis.store import RedisStore
from server.store.redis.url import RedisAddress
from tests.server.store.conftest import OpenRedisStore, stopped
from tests.server.store.fake_store import PSEUDONYMS
from tests.server.store.redis.changes import ANNE, BEN, BUDGET_S, SHORT_S, change, record
from tests.server.store.redis.scripted_server import scripted_server


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
