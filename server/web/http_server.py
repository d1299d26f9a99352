"""Serves the pages: an HTTP server on a loop and threads of its own, so that no page delays a decision.

h2corn serves where there is a wheel of it, else uvicorn; the pages cannot tell which. The socket is bound here, so an
address that cannot be listened on stops the start.
"""

import asyncio
import importlib.util
import socket
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Protocol

from starlette.types import ASGIApp

from server.errors import note
from server.settings import PREFIX, SettingsError

UNIX_PREFIX: Final = "unix:"
_SETTING: Final = f"{PREFIX}WEB_ADDRESS"
_MODE: Final = 0o660
"""A Unix socket is open to the service's own user and group: who may connect may name any account."""

_MAX_CONNECTIONS: Final = 256
_MAX_HEAD_BYTES: Final = 32 * 1024
_MAX_BODY_BYTES: Final = 1024 * 1024
_IDLE_S: Final = 30
_HEAD_S: Final = 5
_GRACE_S: Final = 5


class HttpServer(Protocol):
    """One of the two servers."""

    async def run(self) -> None:
        """Serve until ``stop``."""
        ...

    def stop(self) -> None:
        """Let requests under way end, and return from ``run``; any thread may call it."""
        ...


class H2cornServer:
    """h2corn: HTTP/1.1 and HTTP/2, written in Rust."""

    def __init__(self, app: ASGIApp, listener: socket.socket) -> None:
        from h2corn import Config, Server, _lib  # noqa: PLC0415  # there is not a wheel of it for every machine

        # Our own line says what is served; there is no public way to leave h2corn's out.
        setattr(_lib, "emit_banner", _say_nothing)  # noqa: B010  # its type says what it prints
        config = Config(
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
        )
        self._server = Server(app, config)

    async def run(self) -> None:
        """Serve until ``stop``."""
        await self._server.serve()

    def stop(self) -> None:
        """Let requests under way end, and return from ``run``."""
        self._server.shutdown()


class UvicornServer:
    """uvicorn: HTTP/1.1, written in Python."""

    def __init__(self, app: ASGIApp, listener: socket.socket) -> None:
        import uvicorn  # noqa: PLC0415  # only where there is no h2corn

        self._listener = listener
        config = uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=_MAX_CONNECTIONS,
            h11_max_incomplete_event_size=_MAX_HEAD_BYTES,
            timeout_keep_alive=_IDLE_S,
            timeout_graceful_shutdown=_GRACE_S,
        )
        self._server = uvicorn.Server(config)

    async def run(self) -> None:
        """Serve until ``stop``."""
        await self._server.serve(sockets=[self._listener])

    def stop(self) -> None:
        """Let requests under way end, and return from ``run``."""
        self._server.should_exit = True


def _say_nothing(*_: object) -> None:
    """Print no banner."""


def make_http_server(app: ASGIApp, listener: socket.socket) -> HttpServer:
    """Make the server that this machine has."""
    if importlib.util.find_spec("h2corn"):
        return H2cornServer(app, listener)
    return UvicornServer(app, listener)


class WebServer:
    """The thread around an HTTP server, from ``open`` to ``close``."""

    def __init__(self, address: str) -> None:
        """Listen on ``address``: host:port, or ``unix:`` and a path. Raises ``SettingsError``."""
        try:
            self._listener = _listen(address)
        except (OSError, ValueError, OverflowError) as problem:
            remedy = "set another host:port, or unix: and a path"
            raise SettingsError(f"{_SETTING}: cannot listen on {address}; {remedy}") from problem
        self.address = _address(self._listener, address)

    def open(self, app: ASGIApp) -> None:
        """Start to serve."""
        self._server = make_http_server(app, self._listener)
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Let requests under way end, then stop."""
        self._server.stop()
        self._thread.join(_GRACE_S + 1)
        self._listener.close()

    def _run(self) -> None:
        try:
            asyncio.run(self._server.run())
        except Exception as problem:  # noqa: BLE001  # decisions go on without pages
            note(problem)


def _listen(address: str) -> socket.socket:
    if address.startswith(UNIX_PREFIX):
        return _listen_unix(Path(address.removeprefix(UNIX_PREFIX)))
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    return socket.create_server((host, int(port)), family=socket.AF_INET6 if ":" in host else socket.AF_INET)


def _listen_unix(path: Path) -> socket.socket:
    # One that a process has left behind cannot be bound again.
    if path.is_socket():
        path.unlink()
    with ExitStack() as closing:
        listener = closing.enter_context(socket.socket(socket.AF_UNIX))
        listener.bind(str(path))
        path.chmod(_MODE)
        listener.listen()
        closing.pop_all()
        return listener


def _address(listener: socket.socket, setting: str) -> str:
    if setting.startswith(UNIX_PREFIX):
        return setting
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
