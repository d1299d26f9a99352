"""The listening socket of the gRPC port, and why there may be none."""

import errno
import socket
from typing import Any, Final

from server.gate.port import GateError

_SETTING: Final = "ADTARGETING_GRPC_ADDRESS"
_BACKLOG: Final = 1024
_REASONS: Final = {
    errno.EADDRINUSE: "the port is in use; set another port, or stop what listens there",
    errno.EADDRNOTAVAIL: "this machine has no such address; set one of its own",
    errno.EACCES: "this user may not listen on the port; set one above 1023",
}


def listen(address: str) -> socket.socket:
    """Listen on ``host:port`` and return the socket, non-blocking. Raises ``GateError``."""
    # Connections of a former server that are still closing do not hinder the next.
    listener = _bind(address, socket.SO_REUSEADDR)
    listener.listen(_BACKLOG)
    listener.settimeout(0)
    return listener


def reserve(address: str) -> socket.socket:
    """Bind ``host:port`` without listening: others of this user may listen there, with SO_REUSEPORT."""
    # Nothing may listen there yet; with SO_REUSEPORT alone another service's port would be shared in silence.
    _bind(address, socket.SO_REUSEADDR).close()
    return _bind(address, socket.SO_REUSEPORT)


def _bind(address: str, option: int) -> socket.socket:
    family, kind, protocol, where = _resolve(address)
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, option, 1)
        listener.bind(where)
    except OSError as problem:
        listener.close()
        reason = _REASONS.get(problem.errno or 0, f"{problem.strerror}; set another host:port")
        raise GateError(f"{_SETTING}: cannot listen on {address}: {reason}") from problem
    return listener


def _resolve(address: str) -> tuple[socket.AddressFamily, socket.SocketKind, int, Any]:
    host, _, port = address.rpartition(":")
    if not (host and port.isascii() and port.isdecimal() and int(port) < 1 << 16):
        raise GateError(f"{_SETTING}: must be host:port, with a port from 0 to 65535")
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as problem:
        raise GateError(
            f"{_SETTING}: the host of {address} cannot be resolved; set a name or an address of this machine"
        ) from problem
    return family, kind, protocol, where
