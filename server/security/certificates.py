"""What a client's certificate says: its names and its end.

The TLS library has verified the certificate before it comes here. Only subject alternative names count (RFC 6125,
section 6.4.4): URIs and DNS names, never the common name.
"""

from functools import lru_cache
from typing import NamedTuple

from cryptography import x509

_REMEMBERED = 1024
_SCHEME = "://"
"""What a URI has and a DNS name has not, as in the clients file."""


class CertificateFacts(NamedTuple):
    """The names of a certificate (URIs as written, DNS names in lower case), and when it ends (Unix seconds)."""

    names: tuple[str, ...]
    expires_s: float


@lru_cache(_REMEMBERED)
def facts_of(pem: bytes) -> CertificateFacts:
    """Return what the first certificate of a PEM text says; no names if they cannot be read."""
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        expires_s = certificate.not_valid_after_utc.timestamp()
        alternative = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        uris = alternative.get_values_for_type(x509.UniformResourceIdentifier)
        hosts = alternative.get_values_for_type(x509.DNSName)
    except Exception:  # noqa: BLE001  # whatever the library has to say about a caller's bytes: no names
        return CertificateFacts((), 0.0)
    # A name counts as what it is by its type: a client of the file is known by one or the other.
    names = [uri for uri in uris if _SCHEME in uri] + [host.lower() for host in hosts if _SCHEME not in host]
    return CertificateFacts(tuple(names), expires_s)
