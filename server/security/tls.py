"""The TLS certificate, its key and the certificate authorities of clients: PEM files, checked before they are used.

They are read again on SIGHUP and when they change. Invariant: files that cannot be used change nothing, and what is
served fits together. Knows nothing of the servers, which subscribe to changes.
"""

import logging
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from math import nan
from pathlib import Path
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from server.files.bounded_file import read_bounded
from server.files.file_changes import FileChanges
from server.settings import PREFIX, Settings, SettingsError

_LARGEST_FILE: Final = 1 << 20
_LEAST_RSA_BITS: Final = 2048
_CURVES: Final = frozenset({"secp256r1", "secp384r1", "secp521r1"})
_BLOCK: Final = re.compile(rb"-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----")
_LOG = logging.getLogger(__name__)


class TlsError(SettingsError):
    """TLS files that cannot be used, in one line: setting, file, line, and remedy."""


class TlsFiles(NamedTuple):
    """The paths of the files; ``client_ca`` is empty where no client certificates are asked for."""

    certificate: str
    key: str
    client_ca: str = ""


class TlsMaterial(NamedTuple):
    """The contents of the files (PEM)."""

    certificate: bytes
    key: bytes
    client_ca: bytes | None = None

    def __repr__(self) -> str:
        """Show no key."""
        return "TlsMaterial()"

    def certificate_ends_s(self) -> float:
        """Return when the first certificate of our chain expires, in seconds since 1970."""
        return _first_end_s(self.certificate)

    def client_ca_ends_s(self) -> float:
        """Return when the first authority of clients expires, in seconds since 1970; NaN without one."""
        return nan if self.client_ca is None else _first_end_s(self.client_ca)


def read_tls(files: TlsFiles, now_s: float) -> TlsMaterial:
    """Read and check the files, within bounds of size and time. Raises ``TlsError``."""
    certificate = _read("TLS_CERT", files.certificate)
    key = _read("TLS_KEY", files.key)
    leaf, line = _certificates("TLS_CERT", files.certificate, certificate)[0]
    place = f"{PREFIX}TLS_CERT: {files.certificate}:{line}"
    if now_s >= leaf.not_valid_after_utc.timestamp():
        raise TlsError(f"{place}: the certificate expired on {leaf.not_valid_after_utc:%Y-%m-%d}; renew it")
    if now_s < leaf.not_valid_before_utc.timestamp():
        begins = leaf.not_valid_before_utc
        raise TlsError(f"{place}: the certificate is not valid before {begins:%Y-%m-%d %H:%M} UTC; check the clock")
    if _public_key(files.key, key) != _spki(leaf.public_key()):
        raise TlsError(f"{PREFIX}TLS_KEY: {files.key}:1: does not fit the certificate in {files.certificate}")
    if not files.client_ca:
        return TlsMaterial(certificate, key)
    client_ca = _read("TLS_CLIENT_CA", files.client_ca)
    _certificates("TLS_CLIENT_CA", files.client_ca, client_ca)
    return TlsMaterial(certificate, key, client_ca)


class CurrentTls:
    """Holds the current TLS files. Reload from one thread only; read from any.

    Raises ``TlsError`` when the first read fails.
    """

    def __init__(self, files: TlsFiles, clock_s: Callable[[], float] = time.time) -> None:
        self.files = files
        self._clock_s = clock_s
        self._changes = FileChanges([path for path in files if path])
        self._subscribers: list[Callable[[], None]] = []
        self.material = read_tls(files, clock_s())

    def subscribe(self, renew: Callable[[], None]) -> None:
        """Call ``renew`` after each change, on the thread that reloads. It may raise; the old files then stay."""
        self._subscribers.append(renew)

    def reload(self) -> None:
        """Read the files again, and log the result in one line. Files that are refused change nothing."""
        self._changes.note_loaded()
        try:
            material = read_tls(self.files, self._clock_s())
        except TlsError as problem:
            _LOG.error("TLS files refused, the current ones stay: %s", problem)
            return
        if material == self.material:
            return
        self.material = material
        for renew in self._subscribers:
            try:
                renew()
            except Exception as problem:  # noqa: BLE001  # one listener's fault must not keep the others from renewing
                _LOG.error("a listener keeps its TLS files: unforeseen %s", type(problem).__name__)
        _LOG.info("TLS files loaded: the certificate ends on %s", _end_of(material))

    def reload_if_changed(self) -> None:
        """Reload the files if they have changed."""
        if self._changes.have_settled():
            self.reload()


def tls_files(settings: Settings) -> TlsFiles | None:
    """Return the files that the settings name, or None without TLS. Raises ``TlsError``."""
    files = TlsFiles(settings.tls_cert, settings.tls_key, settings.tls_client_ca)
    if not any(files):
        return None
    if not (files.certificate and files.key):
        raise TlsError(f"{PREFIX}TLS_{'KEY' if files.certificate else 'CERT'}: must be set too; TLS needs both")
    return files


def _read(setting: str, path: str) -> bytes:
    try:
        return read_bounded(Path(path), _LARGEST_FILE)
    except OSError as problem:
        raise TlsError(f"{PREFIX}{setting}: {path} cannot be read: {problem.strerror}") from problem


def _certificates(setting: str, path: str, content: bytes) -> list[tuple[x509.Certificate, int]]:
    """Return the certificates of a PEM text, each with the line that it begins on. Raises ``TlsError``."""
    found = []
    for block in _BLOCK.finditer(content):
        line = content.count(b"\n", 0, block.start()) + 1
        try:
            found.append((x509.load_pem_x509_certificate(block[0]), line))
        except ValueError:
            raise TlsError(f"{PREFIX}{setting}: {path}:{line}: is not a certificate; copy the file again") from None
    if not found:
        raise TlsError(f"{PREFIX}{setting}: {path}:1: has no certificate; it must be PEM")
    return found


def _public_key(path: str, content: bytes) -> bytes:
    try:
        key = load_pem_private_key(content, None).public_key()
        if _is_usable(key):
            return _spki(key)
        problem = "must be RSA of at least 2048 bits, ECDSA on P-256, P-384 or P-521, or Ed25519"
    except TypeError:
        problem = "is encrypted; store it without a passphrase, readable by the service only"
    except ValueError:
        problem = "has no private key; it must be PEM"
    raise TlsError(f"{PREFIX}TLS_KEY: {path}:1: {problem}") from None


def _is_usable(key: PublicKeyTypes) -> bool:
    """Whether every server can use a key of this kind."""
    if isinstance(key, rsa.RSAPublicKey):
        return key.key_size >= _LEAST_RSA_BITS
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.curve.name in _CURVES
    return isinstance(key, ed25519.Ed25519PublicKey)


def _spki(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _first_end_s(content: bytes) -> float:
    certificates = x509.load_pem_x509_certificates(content)
    return min(certificate.not_valid_after_utc.timestamp() for certificate in certificates)


def _end_of(material: TlsMaterial) -> str:
    ends = x509.load_pem_x509_certificate(material.certificate).not_valid_after_utc
    return datetime.fromtimestamp(ends.timestamp(), UTC).date().isoformat()
