"""The listening socket of an HTTP server: host:port, or a Unix socket."""

import socket
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from server.settings import SettingsError

UNIX_PREFIX: Final = "unix:"
_MODE: Final = 0o660
"""A Unix socket is open to the service's own user and group: who may connect may name any account."""


def listen(setting: str, address: str) -> socket.socket:
    """Listen on ``address``, the value of ``setting``: host:port, or ``unix:`` and a path. Raises ``SettingsError``."""
    try:
        if address.startswith(UNIX_PREFIX):
            return _listen_unix(Path(address.removeprefix(UNIX_PREFIX)))
        host, _, port = address.rpartition(":")
        host = host.strip("[]")
        return socket.create_server((host, int(port)), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, ValueError, OverflowError) as problem:
        remedy = "set another host:port, or unix: and a path"
        raise SettingsError(f"{setting}: cannot listen on {address}; {remedy}") from problem


def bound_address(listener: socket.socket, address: str) -> str:
    """Return the address with the port that is bound, where port 0 asked for any."""
    if address.startswith(UNIX_PREFIX):
        return address
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


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
