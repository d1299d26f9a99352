"""Addresses of a store: sentinels, and a password that lies in a file."""

from pathlib import Path

import pytest

from server.store.embedded.server import EmbeddedRedis
from server.store.ports import StoreUnavailable
from server.store.redis.cluster.topology import ClusterAddress
from server.store.redis.handshake import open_connection, ping
from server.store.redis.sentinels import SentinelAddress
from server.store.redis.store_url import parse_store_url
from server.store.redis.topology import Address, PasswordFromFile
from server.store.redis.url import RedisAddress, RedisUrlError, TlsOptions
from tests.server.store.conftest import OpenRedisStore


def test_a_url_of_sentinels_is_understood() -> None:
    address = parse_store_url("redis+sentinel://us%3Aer:p%40ss@a:1,b,[::1]:3/main/2?sentinel_password=hush")
    assert address == SentinelAddress(
        sentinels=(("a", 1), ("b", 26379), ("::1", 3)),
        name="main",
        primary=RedisAddress(database=2, username="us:er", password="p@ss"),
        login={"password": "hush"},
    )
    assert str(address) == "redis+sentinel://a:1,b:26379,::1:3/main/2"
    assert "hush" not in repr(address)
    assert "p@ss" not in repr(address)


SECURE = "ssl_ca_certs=/etc/ca.pem&ssl_check_hostname=false"


@pytest.mark.parametrize(
    "url", ["rediss+sentinel://a:1,b:2/main/0", "rediss+cluster://a:1,b:2"], ids=["sentinels", "a cluster"]
)
@pytest.mark.parametrize("password_file", ["", "/run/password"], ids=["as it is", "with a password file"])
def test_tls_goes_with_every_topology(url: str, password_file: str) -> None:
    address = parse_store_url(f"{url}?{SECURE}", password_file)
    assert str(address) == url
    assert "ca_certs='/etc/ca.pem', certfile='', keyfile='', check_hostname=False" in repr(tls_of(address))


def tls_of(address: Address) -> TlsOptions | None:
    """The options of TLS with which the primary, or every node, is reached."""
    match address:
        case PasswordFromFile():
            return tls_of(address.address)
        case SentinelAddress():
            return address.primary.tls
        case ClusterAddress():
            return tls_of(address.login)
    assert isinstance(address, RedisAddress)
    return address.tls


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("redis+sentinel://a", "names no primary"),
        ("redis+sentinel:///main", "has no host"),
        ("redis+sentinel://a,,b/main", "has no host"),
        ("redis+sentinel://a:port/main", "host and port cannot be read"),
        ("redis+sentinel://a/main/people", "the database must be a number"),
        ("redis+sentinel://a/main?timeout=1", "takes sentinel_username, sentinel_password"),
        ("redis+sentinel://a/main?ssl_ca_certs=/ca", "takes sentinel_username, sentinel_password"),
        ("rediss+sentinel://a/main?ssl_check_hostname=no", "ssl_check_hostname must be true or false"),
        ("redis+sentinel://[::1/main", "hosts cannot be read"),
        ("redis+cluster://[::1", "hosts cannot be read"),
        ("redis+cluster://a/0", "takes no database"),
        ("redis+cluster://a?ssl_ca_certs=/ca", "takes none"),
        ("rediss+cluster://a?timeout=1", "takes ssl_ca_certs, ssl_certfile, ssl_keyfile, ssl_check_hostname"),
    ],
)
def test_one_that_is_not_is_refused(url: str, problem: str) -> None:
    with pytest.raises(RedisUrlError, match=f"^ADTARGETING_REDIS_URL: .*{problem}"):
        parse_store_url(url)


class TestPasswordFromFile:
    def test_it_is_read_for_every_connection_so_that_it_can_be_rotated(
        self, own_redis: EmbeddedRedis, own_store: OpenRedisStore, tmp_path: Path
    ) -> None:
        path = tmp_path / "password"
        address = parse_store_url(own_redis.url, str(path))
        for password in ("first", "second"):
            own_store.command(b"CONFIG", b"SET", b"requirepass", password.encode())
            with pytest.raises(StoreUnavailable):
                open_connection(address, 5)
            path.write_text(password + "\n", encoding="utf-8")
            ping(address, 5)

    @pytest.mark.parametrize("content", [None, b"\xff\xfe"], ids=["no file", "no text"])
    def test_one_that_cannot_be_read_is_told_without_it(self, tmp_path: Path, content: bytes | None) -> None:
        path = tmp_path / "password"
        if content is not None:
            path.write_bytes(content)
        address = PasswordFromFile(RedisAddress(host="cache"), path)
        with pytest.raises(StoreUnavailable, match="cannot be read from its file"):
            address.resolve()
        assert str(address) == "redis://cache:6379/0"
