"""What a caller shows of itself over grpcio, and what the gate shows to it.

grpcio asks for a client's certificate only where it also requires one: with ``ADTARGETING_TLS_CLIENT_CA`` every client
of this gate needs a certificate, also one that then shows a token. The http2 gate asks, and does not require.
"""

from typing import TypeAlias

import grpc

from server.security.admission import Presented
from server.security.tls import CurrentTls, TlsMaterial

Context: TypeAlias = "grpc.aio.ServicerContext[bytes, bytes]"
_CERTIFICATE = "x509_pem_cert"


def presented_by(context: Context) -> Presented:
    """Return the connection, the ``authorization`` metadata, and the client's certificate, of a call."""
    metadata = context.invocation_metadata() or ()
    certificates = list(context.auth_context().get(_CERTIFICATE, ()))
    return Presented(
        connection=context.peer(),
        authorization=[_bytes(value) for name, value in metadata if name == "authorization"],
        certificate=certificates[0] if certificates else b"",
    )


def server_credentials(tls: CurrentTls) -> grpc.ServerCredentials:
    """Return credentials that follow the TLS files: every handshake takes the current ones."""
    return grpc.dynamic_ssl_server_credentials(
        _configuration(tls.material),
        _Fetcher(tls),  # type: ignore[arg-type]  # it may return None, says gRPC's documentation, not its stubs
        require_client_authentication=tls.material.client_ca is not None,
    )


class _Fetcher:
    """Called by gRPC at each handshake, on threads of its own."""

    def __init__(self, tls: CurrentTls) -> None:
        self._tls = tls
        self._served = tls.material

    def __call__(self) -> grpc.ServerCertificateConfiguration | None:
        """Return the new configuration, or None if nothing has changed."""
        material = self._tls.material
        if material is self._served:
            return None
        self._served = material
        return _configuration(material)


def _configuration(material: TlsMaterial) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration([(material.key, material.certificate)], material.client_ca)


def _bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value
