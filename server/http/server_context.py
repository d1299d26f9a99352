"""The TLS context of a server in Python, which takes new files without being replaced."""

import ssl

from server.security.tls import CurrentTls


class ServerContext:
    """Serves every handshake with the current TLS files. Client certificates are asked for, not required."""

    def __init__(self, tls: CurrentTls) -> None:
        self._tls = tls
        self.served = self._current = _context(tls)
        """The context to serve with."""
        # Called for every handshake, also without a server name.
        self.served.sni_callback = self._use_current

    def renew(self) -> None:
        """Take the files as they are now. Raises ``ssl.SSLError``, ``OSError``."""
        self._current = _context(self._tls)

    def _use_current(self, connection: ssl.SSLObject, _: str | None, __: ssl.SSLContext) -> None:
        connection.context = self._current


def _context(tls: CurrentTls) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(tls.files.certificate, tls.files.key)
    if tls.material.client_ca is not None:
        context.load_verify_locations(cadata=tls.material.client_ca.decode("ascii"))
        context.verify_mode = ssl.CERT_OPTIONAL
    return context
