"""A renewed server: its former connections go on, and end when nothing uses them any more."""

import asyncio
import http.client
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import h2corn
import pytest

from server.gate.http2 import renewable_server
from server.gate.http2.asgi import Receive, Scope, Send, respond
from server.gate.http2.renewable_server import RenewableServer
from tests.waiting import eventually


async def application(_: Scope, __: Receive, send: Send) -> None:
    await respond(send, 200, [], b"served")


class Renewed:
    """A renewable server on a loop of its own."""

    def __init__(self, idle_s: float) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0)
        self.usable = True
        self.server = RenewableServer(application, self._listener, self._config, idle_s)
        self.run(self.server.start())

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    def renew(self) -> None:
        self.run(self.server.renew())

    def connect(self) -> http.client.HTTPConnection:
        host, port = self._listener.getsockname()
        return http.client.HTTPConnection(host, port, timeout=10)

    @property
    def generations(self) -> int:
        return len(self.server._generations)

    def close(self) -> None:
        self.run(self.server.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._listener.close()

    def _config(self) -> h2corn.Config:
        if not self.usable:
            raise ValueError("unusable")
        return h2corn.Config(bind=(f"fd://{self._listener.fileno()}",), access_log=False, lifespan="off")


Make = Callable[[float], Renewed]


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[Renewed] = []

    def make_one(idle_s: float) -> Renewed:
        made.append(Renewed(idle_s))
        return made[-1]

    yield make_one
    for each in made:
        each.close()


def answer(connection: http.client.HTTPConnection) -> bytes:
    connection.request("GET", "/")
    return connection.getresponse().read()


def await_end(connection: http.client.HTTPConnection) -> None:
    """Ask until the server has ended the connection, which takes it a moment."""
    connection.auto_open = False
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        eventually(lambda: not answer(connection))


@pytest.mark.parametrize("protected", [True, False], ids=["protected", "unprotected"])
def test_a_connection_outlives_a_renewal(make: Make, monkeypatch: pytest.MonkeyPatch, protected: bool) -> None:
    renewed = make(60)
    former = renewed.connect()
    assert answer(former) == b"served"
    kept = former.sock
    if not protected:
        monkeypatch.setattr(renewable_server._Generation, "stop_accepting", lambda generation, _: generation.end())
    renewed.renew()
    if protected:
        assert answer(former) == b"served"
        assert former.sock is kept, "it has connected again"
    else:
        await_end(former)
    new = renewed.connect()
    assert answer(new) == b"served"
    former.close()
    new.close()


def test_a_former_server_ends_when_nothing_uses_it_any_more(make: Make) -> None:
    renewed = make(0.05)
    former = renewed.connect()
    assert answer(former) == b"served"
    renewed.renew()
    eventually(lambda: renewed.generations == 1)
    await_end(former)
    former.close()
    for _ in range(5):
        renewed.renew()
        eventually(lambda: renewed.generations == 1)
    connection = renewed.connect()
    assert answer(connection) == b"served"
    connection.close()


def test_former_servers_are_bounded(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewable_server, "MOST_FORMER", 2)
    renewed = make(60)
    for _ in range(4):
        renewed.renew()
    assert renewed.generations == 3


def test_a_server_that_stops_by_itself_is_reported(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    renewed = make(60)
    renewed.renew()
    assert renewed.server.is_serving
    renewed.server._generations[-1]._server.shutdown()
    eventually(lambda: not renewed.server.is_serving)
    assert "the HTTP/2 server has stopped by itself" in caplog.text


def test_a_server_that_was_stopped_is_no_failure(make: Make) -> None:
    renewed = make(0.05)
    renewed.renew()
    eventually(lambda: renewed.generations == 1)
    renewed.run(renewed.server.stop())
    assert renewed.server.is_serving


def test_a_renewal_that_cannot_start_changes_nothing(make: Make) -> None:
    renewed = make(60)
    renewed.usable = False
    with pytest.raises(ValueError, match="unusable"):
        renewed.renew()
    connection = renewed.connect()
    assert answer(connection) == b"served"
    connection.close()
    assert renewed.generations == 1
