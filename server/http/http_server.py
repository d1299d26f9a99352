"""HTTP servers: h2corn, uvicorn, and the thread around either, so that no page and no scrape delays a decision."""

import asyncio
import importlib.util
import socket
import threading
import time
from collections.abc import Callable
from typing import Final, Protocol, TypeAlias

import uvicorn
from starlette.types import ASGIApp

from server.errors import note
from server.http.bounded_protocol import ACCEPTED_TOGETHER, ANSWER_S, BoundedProtocol
from server.http.server_context import ServerContext
from server.listening import ListenAddress, listen
from server.security.doors import Doors
from server.security.tls import CurrentTls

_MAX_CONNECTIONS: Final = 256
_MAX_HEAD_BYTES: Final = 32 * 1024
_MAX_BODY_BYTES: Final = 1024 * 1024
_IDLE_S: Final = 30
_HEAD_S: Final = 5
_GRACE_S: Final = 5
_STOP_AGAIN_S: Final = 0.2


class HttpServer(Protocol):
    """One of the two servers."""

    async def run(self) -> None:
        """Serve until ``stop``."""
        ...

    def stop(self) -> None:
        """Let requests under way end, and return from ``run``; any thread may call it."""
        ...

    def renew(self) -> None:
        """Serve new connections with the TLS files as they are now; any other thread may call it."""
        ...


MakeServer: TypeAlias = Callable[[ASGIApp, socket.socket, CurrentTls | None], HttpServer]


class H2cornServer:
    """h2corn: HTTP/1.1 and HTTP/2, written in Rust. Its times are of pauses: a client may send slowly for long."""

    def __init__(self, app: ASGIApp, listener: socket.socket, tls: CurrentTls | None = None) -> None:
        # There is not a wheel of it for every machine.
        from h2corn import Config  # noqa: PLC0415  # as above

        from server.gate.http2.limits import tls_options  # noqa: PLC0415  # as above
        from server.gate.http2.renewable_server import RenewableServer  # noqa: PLC0415  # as above

        def make_config() -> Config:
            return Config(
                bind=(f"fd://{listener.fileno()}",),
                access_log=False,
                lifespan="off",
                max_request_body_size=_MAX_BODY_BYTES,
                limit_request_head_size=_MAX_HEAD_BYTES,
                limit_connections=_MAX_CONNECTIONS,
                timeout_keep_alive=_IDLE_S,
                timeout_request_header=_HEAD_S,
                timeout_request_body_idle=_HEAD_S,
                timeout_graceful_shutdown=_GRACE_S,
                **tls_options(None if tls is None else tls.files),
            )

        self._servers = RenewableServer(app, listener, make_config, _IDLE_S)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Serve until ``stop``."""
        await self._servers.start()
        self._loop = asyncio.get_running_loop()
        await self._stopping.wait()
        await self._servers.stop()

    def stop(self) -> None:
        """Let requests under way end, and return from ``run``."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)

    def renew(self) -> None:
        """Serve new connections with the TLS files as they are now."""
        if self._loop is not None:
            asyncio.run_coroutine_threadsafe(self._servers.renew(), self._loop).result()


class UvicornServer:
    """uvicorn: HTTP/1.1, written in Python, with ``BoundedProtocol``: no client can lock others out."""

    def __init__(self, app: ASGIApp, listener: socket.socket, tls: CurrentTls | None = None) -> None:
        self._listener = listener
        self._context = context = None if tls is None else ServerContext(tls)
        config = uvicorn.Config(
            app,
            http=BoundedProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            # Our own line says what is served.
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=ACCEPTED_TOGETHER,
            h11_max_incomplete_event_size=_MAX_HEAD_BYTES,
            timeout_keep_alive=int(ANSWER_S),
            timeout_graceful_shutdown=_GRACE_S,
            ssl_context_factory=None if context is None else lambda *_: context.served,
        )
        self._server = uvicorn.Server(config)

    async def run(self) -> None:
        """Serve until ``stop``."""
        await self._server.serve(sockets=[self._listener])

    def stop(self) -> None:
        """Let requests under way end, and return from ``run``."""
        self._server.should_exit = True

    def renew(self) -> None:
        """Serve new connections with the TLS files as they are now."""
        if self._context is not None:
            self._context.renew()


def make_http_server(app: ASGIApp, listener: socket.socket, tls: CurrentTls | None = None) -> HttpServer:
    """Make h2corn's server where this machine has it, else uvicorn's; an application cannot tell which."""
    if importlib.util.find_spec("h2corn"):
        return H2cornServer(app, listener, tls)
    return UvicornServer(app, listener, tls)


class HttpThread:
    """The thread around an HTTP server, from ``open`` to ``close``. The socket is bound when it is made."""

    def __init__(self, name: str, setting: str, address: str, doors: Doors, make: MakeServer | None = None) -> None:
        """Listen on ``address``, the value of ``setting``. Raises ``SettingsError``."""
        where = ListenAddress(setting, address, doors.socket_mode)
        self._name = name
        self._make = make or make_http_server
        self._tls = doors.tls_at(address)
        self._listener = listen(where)
        self.address = where.bound(self._listener)

    def open(self, app: ASGIApp) -> None:
        """Start to serve."""
        self._server = self._make(app, self._listener, self._tls)
        if self._tls is not None:
            self._tls.subscribe(self._server.renew)
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Let requests under way end, then stop."""
        ends_s = time.monotonic() + _GRACE_S + 1
        while self._thread.is_alive() and time.monotonic() < ends_s:
            # A server that has not begun to serve yet does not hear it.
            self._server.stop()
            self._thread.join(_STOP_AGAIN_S)
        self._listener.close()

    def _run(self) -> None:
        try:
            asyncio.run(self._server.run())
        except Exception as problem:  # noqa: BLE001  # the end of the thread ends the process, and this says why
            note(problem)
