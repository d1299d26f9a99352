"""What a caller shows of itself in a request, as ASGI has it (the scope of HTTP, and its TLS extension)."""

from collections.abc import Mapping
from typing import Any

from server.security.admission import Presented


def presented_in(scope: Mapping[str, Any]) -> Presented:
    """Return the connection, the ``authorization`` headers, and the client's certificate, of a request."""
    client, tls = scope.get("client"), scope.get("extensions", {}).get("tls")
    chain = tls["client_cert_chain"] if tls else ()
    return Presented(
        connection=f"{client[0]}:{client[1]}" if client else "",
        authorization=tuple([value for name, value in scope["headers"] if name == b"authorization"]),
        certificate=chain[0].encode() if chain else b"",
    )
