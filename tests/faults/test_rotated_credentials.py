"""The store's password and its certificates are replaced while the service runs: it takes up the new ones by itself."""

from functools import cache
from pathlib import Path

import pytest
from adtargeting.v1 import preference_pb2 as preferences

from server.store.ports import StoreError
from server.store.redis import handshake
from tests.faults.known_person import KnownPerson, known_person
from tests.faults.redis_process import ON_DISK, RedisProcess
from tests.faults.tls_servers import TOPOLOGIES, server_with_tls
from tests.rpc import health
from tests.server.running_service import opt_out, wait_until
from tests.server.store.redis.test_tls import HERE, certificate

pytestmark = pytest.mark.fault(row=21)

PROTECTED = pytest.mark.parametrize("protected", [True, False], ids=["protected", "unprotected"])
WITH_TLS = pytest.mark.skipif(server_with_tls() is None, reason="needs a server built with TLS, such as redis-server")
WRITING = "adtargeting.v1.PreferenceService"


def is_taken_up(alice: KnownPerson, refusal: str, protected: bool) -> None:
    """Wait until the service uses the store again, or, with the protection off, until it is refused."""
    if protected:
        wait_until(lambda: health(alice.channel, WRITING) == "SERVING" and alice.is_behavioural())
        return
    wait_until(lambda: health(alice.channel, WRITING) == "NOT_SERVING")
    assert not alice.is_behavioural()
    wait_until(lambda: refusal in refusal_of(alice))


def refusal_of(alice: KnownPerson) -> str:
    """Return why the store cannot be used now; empty when it can."""
    try:
        alice.service.store.backend.ping(5.0)
    except StoreError as problem:
        return str(problem)
    return ""


@PROTECTED
def test_a_password_in_a_file(tmp_path: Path, caplog: pytest.LogCaptureFixture, protected: bool) -> None:
    """With the protection off the password stands in the URL, which is read once."""
    file = tmp_path / "password"
    file.write_text("first")
    with RedisProcess(tmp_path / "redis", *ON_DISK) as redis:
        redis.ask(b"ACL", b"SETUSER", b"service", b"on", b">first", b"~*", b"+@all")
        address = f"127.0.0.1:{redis.port}/0"
        given = (
            {"redis_url": f"redis://service@{address}", "redis_password_file": str(file)}
            if protected
            else {"redis_url": f"redis://service:first@{address}"}
        )
        with known_person(tmp_path, **given) as alice:
            redis.ask(b"ACL", b"SETUSER", b"service", b"resetpass", b">second")
            redis.ask(b"CLIENT", b"KILL", b"USER", b"service")
            wait_until(lambda: not alice.is_behavioural())
            file.write_text("second")
            is_taken_up(alice, "it refuses the user or the password", protected)
    assert "first" not in caplog.text


# Several servers each, which a busy machine takes long to start: one server is enough for `make test`.
LONGER = [pytest.param(name, marks=() if name == "one server" else pytest.mark.slow) for name in TOPOLOGIES]


@WITH_TLS
@pytest.mark.parametrize("topology", LONGER)
@PROTECTED
def test_certificates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, topology: str, protected: bool) -> None:
    """With the protection off the files are read once for all connections."""
    if not protected:
        monkeypatch.setattr(handshake, "tls_context", cache(handshake.tls_context))
    first, second, trusted = (tmp_path / name for name in ("first", "second", "trusted.pem"))
    certificates = [certificate(made(directory), names=HERE) for directory in (first, second)]
    trusted.write_bytes(certificates[0].read_bytes())
    with TOPOLOGIES[topology](tmp_path, certificates[0]) as servers:
        url = f"{servers.url}?ssl_ca_certs={trusted}"
        with known_person(tmp_path, redis_url=url) as alice:
            trusted.write_bytes(certificates[1].read_bytes())
            for server in servers.servers:
                server.use(certificates[1])
            is_taken_up(alice, "its TLS certificate is not trusted", protected)
            if protected:
                assert opt_out(alice.channel).durability == preferences.DURABILITY_CONFIRMED
                assert not alice.is_behavioural()


def made(directory: Path) -> Path:
    directory.mkdir()
    return directory
