"""Connections over TCP, with TLS and without."""

import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from server.store.ports import StoreUnavailable
from server.store.redis.handshake import ping
from server.store.redis.url import RedisAddress, parse_redis_url
from tests.server.store.redis.scripted_server import saying, scripted_tcp_server

DAY = timedelta(days=1)
NOW = datetime.now(UTC)
PONG = saying(b"+PONG\r\n")
UNCHECKED = pytest.mark.fault(row=21, protection_off=True)


def certificate(directory: Path, *, names: x509.GeneralName, ends: datetime = NOW + DAY) -> Path:
    """Write a self-signed certificate with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "redis")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(NOW - 2 * DAY)
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName([names]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = directory / "certificate.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


def serving(path: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


HERE = x509.IPAddress(ip_address("127.0.0.1"))
ELSEWHERE = x509.DNSName("elsewhere.example")


def test_without_tls() -> None:
    with scripted_tcp_server(PONG) as port:
        ping(RedisAddress(host="127.0.0.1", port=port), 5)


@pytest.mark.parametrize(
    ("names", "options"),
    [
        pytest.param(HERE, "ssl_ca_certs={path}", id="trusted"),
        pytest.param(ELSEWHERE, "ssl_ca_certs={path}&ssl_check_hostname=false", id="by another name", marks=UNCHECKED),
    ],
)
def test_a_trusted_server_is_talked_to(tmp_path: Path, names: x509.GeneralName, options: str) -> None:
    path = certificate(tmp_path, names=names)
    with scripted_tcp_server(PONG, serving(path)) as port:
        ping(parse_redis_url(f"rediss://127.0.0.1:{port}?{options.format(path=path)}"), 5)


@pytest.mark.fault(row=21)
@pytest.mark.parametrize(
    ("make", "options"),
    [
        pytest.param(lambda where: certificate(where, names=HERE), "", id="unknown to anybody"),
        pytest.param(lambda where: certificate(where, names=HERE, ends=NOW - DAY), "ssl_ca_certs={path}", id="expired"),
        pytest.param(lambda where: certificate(where, names=ELSEWHERE), "ssl_ca_certs={path}", id="another's"),
        pytest.param(lambda where: certificate(where, names=HERE), "ssl_ca_certs=/no/file", id="no authority"),
    ],
)
def test_any_other_is_not(tmp_path: Path, make: Callable[[Path], Path], options: str) -> None:
    path = make(tmp_path)
    with scripted_tcp_server(PONG, serving(path)) as port, pytest.raises(StoreUnavailable):
        ping(parse_redis_url(f"rediss://127.0.0.1:{port}?{options.format(path=path)}"), 5)


@pytest.mark.fault(row=21)
def test_a_renewed_certificate_counts_from_the_next_connection_on(tmp_path: Path) -> None:
    trusted = tmp_path / "trusted.pem"
    for number in range(2):
        directory = tmp_path / str(number)
        directory.mkdir()
        path = certificate(directory, names=HERE)
        with scripted_tcp_server(PONG, serving(path)) as port:
            address = parse_redis_url(f"rediss://127.0.0.1:{port}?ssl_ca_certs={trusted}")
            with pytest.raises(StoreUnavailable, match="TLS"):
                ping(address, 5)
            trusted.write_bytes(path.read_bytes())
            ping(address, 5)
