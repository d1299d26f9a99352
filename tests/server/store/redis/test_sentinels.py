"""What sentinels say together: the primary of the newest epoch, and which replicas could be promoted."""

import socket
import threading

import pytest

from server.store.ports import StoreUnreachable
from server.store.redis import sentinels as asking
from server.store.redis.sentinels import Report, SentinelAddress, judge
from server.store.redis.url import RedisAddress
from tests.server.store.redis.scripted_server import scripted_tcp_server
from tests.server.store.redis.test_tls import PONG
from tests.server.store.redis.test_tls_topologies import HOST, RESP3, array, sentinel, text

OLD, NEW, THIRD = ("a", 1), ("b", 2), ("c", 3)


def report(*down: tuple[str, int], primary: tuple[str, int] = OLD, epoch: int = 1) -> Report:
    return Report(primary, epoch, 3, frozenset({OLD, NEW, THIRD} - {primary}), frozenset(down))


@pytest.mark.parametrize(
    ("reports", "expected"),
    [
        ([report(), report(), report()], (OLD, 2)),
        ([report(NEW), report(NEW), report(NEW)], (OLD, 1)),
        ([report(NEW), report(NEW)], (OLD, 1)),
        ([report(NEW), report(NEW), report()], (OLD, 2)),
        ([report(NEW), report(THIRD), report()], (OLD, 2)),
        ([report(NEW)], (OLD, 2)),
        ([report(), report(), report(primary=NEW, epoch=2)], (NEW, 2)),
        ([report(), report(OLD, primary=NEW, epoch=2), report(OLD, primary=NEW, epoch=2)], (NEW, 1)),
        ([report(OLD, primary=NEW, epoch=2), report(), report()], (NEW, 2)),
    ],
    ids=[
        "all are up",
        "all say that one is down",
        "a majority says so, and the third says nothing",
        "one still sees it",
        "each misses another",
        "a minority cannot tell who is down",
        "the newest epoch names the primary, whatever the others say",
        "a majority takes the former primary to be down",
        "a minority takes it to be down",
    ],
)
def test_a_judgement(reports: list[Report], expected: tuple[tuple[str, int], int]) -> None:
    assert judge(reports, 3) == expected
    assert judge(reports[::-1], 3) == expected


def test_sentinels_of_which_the_url_names_one_are_counted() -> None:
    assert judge([report(NEW)], 1) == (OLD, 2)


def test_one_that_never_answers_delays_no_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would, by ten minutes, which no test may take."""
    monkeypatch.setattr(asking, "_TIMEOUT_S", 600)
    silent = threading.Event()
    with (
        scripted_tcp_server(PONG) as primary,
        scripted_tcp_server(sentinel(primary)) as first,
        scripted_tcp_server(sentinel(primary)) as second,
        scripted_tcp_server(lambda *_: never(silent)) as third,
    ):
        address = SentinelAddress(tuple((HOST, port) for port in (third, first, second)), "main", RedisAddress())
        assert address.resolve().port == primary
        silent.set()


def never(until: threading.Event) -> None:
    until.wait()


@pytest.mark.parametrize(
    "masters",
    [array(array(text("name"), text("main"))), array(text("main")), b":7\r\n", b"+OK\r\n"],
    ids=["a primary without its address", "no facts", "a number", "a word"],
)
def test_an_answer_of_another_form_is_none(masters: bytes) -> None:
    def answer(connection: socket.socket, words: list[bytes]) -> None:
        replies = {b"HELLO": RESP3, b"MASTERS": masters, b"GET-MASTER-ADDR-BY-NAME": array(text(HOST), text("1"))}
        command = words[1] if words[0] == b"SENTINEL" else words[0]
        connection.sendall(replies.get(command.upper(), b"+OK\r\n"))

    with scripted_tcp_server(answer) as port, pytest.raises(StoreUnreachable, match="no sentinel names a primary"):
        SentinelAddress(((HOST, port),), "main", RedisAddress()).resolve()


def test_without_an_answer_nothing_is_named() -> None:
    with pytest.raises(StoreUnreachable, match="no sentinel names a primary of main"):
        SentinelAddress(((HOST, 1),), "main", RedisAddress()).resolve()
