"""The TLS files: what cannot be used is refused in one line that names setting, file and line."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from server.security.tls import CurrentTls, TlsError, TlsFiles, read_tls, tls_files
from server.settings import Settings
from tests.pki import DAY, HERE, Authority, key_pem

AUTHORITY = Authority()
SERVED = AUTHORITY.issue(sans=HERE)
Damage = Callable[[Path], object]


def files_in(directory: Path) -> TlsFiles:
    SERVED.write(directory)
    (directory / "ca.pem").write_bytes(AUTHORITY.certificate)
    return TlsFiles(str(directory / "server.pem"), str(directory / "server.key"), str(directory / "ca.pem"))


def writing(name: str, content: bytes) -> Damage:
    return lambda directory: (directory / name).write_bytes(content)


def removing(name: str) -> Damage:
    return lambda directory: (directory / name).unlink()


def unusual(key: PrivateKeyTypes) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


UNUSUAL = "TLS_KEY: {}/server.key:1: must be RSA of at least 2048 bits"
GARBAGE = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
ENCRYPTED = key_pem(ec.generate_private_key(ec.SECP256R1()), b"passphrase")
REFUSED: dict[str, tuple[Damage, str]] = {
    "no certificate file": (removing("server.pem"), "TLS_CERT: {}/server.pem cannot be read: No such file"),
    "no key file": (removing("server.key"), "TLS_KEY: {}/server.key cannot be read"),
    "no authorities file": (removing("ca.pem"), "TLS_CLIENT_CA: {}/ca.pem cannot be read"),
    "a certificate file without certificates": (writing("server.pem", b"x"), "TLS_CERT: {}/server.pem:1: has no cert"),
    "authorities without certificates": (writing("ca.pem", b""), "TLS_CLIENT_CA: {}/ca.pem:1: has no certificate"),
    "a damaged intermediate": (
        writing("server.pem", SERVED.certificate + GARBAGE),
        f"TLS_CERT: {{}}/server.pem:{SERVED.certificate.count(chr(10).encode()) + 1}: is not a certificate",
    ),
    "another key": (writing("server.key", AUTHORITY.issue().key), "TLS_KEY: {}/server.key:1: does not fit the cert"),
    "no key in the key file": (writing("server.key", b"x"), "TLS_KEY: {}/server.key:1: has no private key"),
    "an encrypted key": (writing("server.key", ENCRYPTED), "TLS_KEY: {}/server.key:1: is encrypted"),
    "a small RSA key": (writing("server.key", unusual(rsa.generate_private_key(65537, 1024))), UNUSUAL),
    "a key on another curve": (writing("server.key", key_pem(ec.generate_private_key(ec.SECP256K1()))), UNUSUAL),
    "a key of another kind": (writing("server.key", unusual(x25519.X25519PrivateKey.generate())), UNUSUAL),
    "an expired certificate": (
        lambda directory: AUTHORITY.issue(sans=HERE, valid_for=-DAY).write(directory),
        "TLS_CERT: {}/server.pem:1: the certificate expired on 20",
    ),
}


def test_files_that_fit_are_read(tmp_path: Path) -> None:
    material = read_tls(files_in(tmp_path), time.time())
    assert (material.certificate, material.key, material.client_ca) == (*SERVED, AUTHORITY.certificate)
    assert repr(material) == "TlsMaterial()"


@pytest.mark.fault(row=21)
@pytest.mark.parametrize(("damage", "problem"), REFUSED.values(), ids=REFUSED)
def test_files_that_cannot_be_used_are_refused_in_one_line(tmp_path: Path, damage: Damage, problem: str) -> None:
    files = files_in(tmp_path)
    damage(tmp_path)
    with pytest.raises(TlsError, match=re.escape(f"ADTARGETING_{problem.format(tmp_path)}")) as refused:
        read_tls(files, time.time())
    assert "\n" not in str(refused.value)


def test_a_certificate_that_is_not_valid_yet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TlsError, match=r"server.pem:1: the certificate is not valid before .*; check the clock"):
        read_tls(files_in(tmp_path), time.time() - 4 * DAY.total_seconds())


@pytest.mark.parametrize(
    ("settings", "missing"),
    [
        (Settings(tls_cert="a"), "TLS_KEY"),
        (Settings(tls_key="a"), "TLS_CERT"),
        (Settings(tls_client_ca="a"), "TLS_CERT"),
    ],
    ids=["no key", "no certificate", "authorities alone"],
)
def test_half_of_the_settings_is_refused(settings: Settings, missing: str) -> None:
    with pytest.raises(TlsError, match=f"ADTARGETING_{missing}: must be set too"):
        tls_files(settings)


def test_without_the_settings_there_is_no_tls() -> None:
    assert tls_files(Settings()) is None


def test_a_reload_tells_every_subscriber_of_new_files_and_of_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    told: list[str] = []

    def fails() -> None:
        raise OSError("secret-text")

    current = CurrentTls(files_in(tmp_path))
    current.subscribe(fails)
    current.subscribe(lambda: told.append("renewed"))
    current.reload()
    assert not told, "nothing has changed"
    writing("server.key", b"x")(tmp_path)
    current.reload()
    assert "TLS files refused, the current ones stay: ADTARGETING_TLS_KEY" in caplog.text
    AUTHORITY.issue(sans=HERE).write(tmp_path)
    current.reload_if_changed()
    assert not told, "it may still be written"
    current.reload_if_changed()
    assert told == ["renewed"]
    assert "a listener keeps its TLS files: unforeseen OSError" in caplog.text
    assert "secret-text" not in caplog.text
    assert "TLS files loaded: the certificate ends on 20" in caplog.text
