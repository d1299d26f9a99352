"""The client's certificate of a TLS connection, for an application on a server that does not tell of it.

As ASGI's TLS extension has it: ``client_cert_chain`` in PEM, the client's own first.
"""

import ssl
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send


def with_certificate(app: ASGIApp, connection: Any) -> ASGIApp:
    """Return the application for one connection (``ssl.SSLObject``, or a server's own like it)."""
    certificate: bytes | None = connection.getpeercert(binary_form=True)
    chain = (ssl.DER_cert_to_PEM_cert(certificate),) if certificate else ()

    async def told(scope: Scope, receive: Receive, send: Send) -> None:
        extensions = {**scope.get("extensions", {}), "tls": {"client_cert_chain": chain}}
        await app({**scope, "extensions": extensions}, receive, send)

    return told
