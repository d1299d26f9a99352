"""What a caller shows of itself in a request, as ASGI has it (the scope of HTTP, and its TLS extension)."""

from collections.abc import Mapping
from typing import Any

from server.security.admission import Presented


def presented_in(scope: Mapping[str, Any]) -> Presented:
    """Return the connection, the ``authorization`` headers, and the client's certificate, of a request."""
    extensions = scope.get("extensions")
    tls = extensions.get("tls") if extensions else None
    chain = tls["client_cert_chain"] if tls else None
    authorization = [value for name, value in scope["headers"] if name == b"authorization"]
    return Presented(connection_of(scope), authorization, chain[0].encode() if chain else b"")


def connection_of(scope: Mapping[str, Any]) -> str:
    """Return the address of a request's connection, ``host:port``; empty over a Unix socket."""
    client = scope.get("client")
    return f"{client[0]}:{client[1]}" if client else ""
