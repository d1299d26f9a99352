"""The port of a gate for parts of the service itself: a Unix socket on which they call as any client does.

A call without the credential is refused; with it, its caller is the part.
"""

import socket
from pathlib import Path
from typing import Final

from google.rpc import code_pb2

from server.gate.port import Refusal

NO_CREDENTIAL: Final = Refusal(code_pb2.UNAUTHENTICATED, "this port is for the service itself")
_BACKLOG: Final = 8


def listen_on(path: Path) -> socket.socket:
    """Listen on a new Unix socket, non-blocking. Raises ``OSError``."""
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(str(path))
        listener.listen(_BACKLOG)
        listener.settimeout(0)
    except OSError:
        listener.close()
        raise
    return listener
