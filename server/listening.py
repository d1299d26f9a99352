"""Listening sockets: host:port or a Unix socket, and why there may be none.

Knows nothing of who serves on them.
"""

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from server.settings import UNIX_PREFIX, SettingsError

_BACKLOG: Final = 1024
_ASK_S: Final = 1.0
_REMEDY: Final = "set another path, of at most 100 bytes, in a folder that this user may write"
_REASONS: Final = {
    errno.EADDRINUSE: "it is in use; set another address, or stop what listens there",
    errno.EADDRNOTAVAIL: "this machine has no such address; set one of its own",
    errno.EACCES: "this user may not listen on the port; set one above 1023",
}


class ListenError(SettingsError):
    """An address that cannot be listened on. The message names the setting and the remedy."""


class ListenAddress(NamedTuple):
    """Where to listen: ``host:port``, or ``unix:`` and a path, and the setting that says so."""

    setting: str
    address: str
    mode: int = 0o660
    """The permissions of a Unix socket."""

    @property
    def unix_path(self) -> Path | None:
        """The path of a Unix socket; None for host:port."""
        if not self.address.startswith(UNIX_PREFIX):
            return None
        return Path(self.address.removeprefix(UNIX_PREFIX))

    def bound(self, listener: socket.socket) -> str:
        """Return the address with the port that is bound, where port 0 asked for any."""
        if self.unix_path is not None:
            return self.address
        return f"{self.address.rpartition(':')[0]}:{listener.getsockname()[1]}"


def listen(where: ListenAddress) -> socket.socket:
    """Listen and return the socket, non-blocking. Raises ``ListenError``."""
    path = where.unix_path
    # Connections of a former server that are still closing do not hinder the next.
    listener = _bind(where, socket.SO_REUSEADDR) if path is None else _bind_unix(where, path)
    listener.listen(_BACKLOG)
    listener.settimeout(0)
    return listener


def reserve(where: ListenAddress) -> socket.socket:
    """Bind ``host:port`` without listening: others of this user may listen there, with SO_REUSEPORT."""
    # Nothing may listen there yet; with SO_REUSEPORT alone another service's port would be shared in silence.
    _bind(where, socket.SO_REUSEADDR).close()
    return _bind(where, socket.SO_REUSEPORT)


def clear_unix(where: ListenAddress, path: Path) -> None:
    """Remove the file of a Unix socket that a former process has left. Raises ``ListenError`` if one still listens."""
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(_ASK_S)
        try:
            asking.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
        except OSError as problem:
            raise _unix_error(where, problem) from problem
    raise ListenError(f"{where.setting}: cannot listen on {where.address}: {_REASONS[errno.EADDRINUSE]}")


@contextmanager
def unix_mode(mode: int) -> Iterator[None]:
    """Have Unix sockets that are bound within get these permissions, from their first moment."""
    former = os.umask(0o777 & ~mode)
    try:
        yield
    finally:
        os.umask(former)


def _bind_unix(where: ListenAddress, path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    try:
        clear_unix(where, path)
        with unix_mode(where.mode):
            listener.bind(str(path))
    except OSError as problem:
        listener.close()
        raise _unix_error(where, problem) from problem
    except ListenError:
        listener.close()
        raise
    return listener


def _unix_error(where: ListenAddress, problem: OSError) -> ListenError:
    return ListenError(f"{where.setting}: cannot listen on {where.address}: {problem.strerror or problem}; {_REMEDY}")


def _bind(where: ListenAddress, option: int) -> socket.socket:
    family, kind, protocol, address = _resolve(where)
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, option, 1)
        listener.bind(address)
    except OSError as problem:
        listener.close()
        reason = _REASONS.get(problem.errno or 0, f"{problem.strerror}; set another host:port")
        raise ListenError(f"{where.setting}: cannot listen on {where.address}: {reason}") from problem
    return listener


def _resolve(where: ListenAddress) -> tuple[socket.AddressFamily, socket.SocketKind, int, Any]:
    host, _, port = where.address.rpartition(":")
    if not (host and port.isascii() and port.isdecimal() and int(port) < 1 << 16):
        raise ListenError(f"{where.setting}: must be host:port, with a port from 0 to 65535")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as problem:
        raise ListenError(
            f"{where.setting}: the host of {where.address} cannot be resolved; set a name or an address of this machine"
        ) from problem
    return family, kind, protocol, address
