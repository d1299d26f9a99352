"""Where the primary is: named by the URL, or asked of sentinels. Each new connection asks again.

``redis+sentinel://[user[:password]@]host[:port][,host[:port]…]/name[/database]`` names the sentinels and the primary
that they watch; the user and the password are the primary's. Sentinels are asked through redis-py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from server.files.bounded_file import read_bounded
from server.store.ports import StoreUnavailable, StoreUnreachable
from server.store.redis.url import RedisAddress, TlsOptions

_TIMEOUT_S = 0.5
_MAX_PASSWORD_BYTES = 4096


class Address(Protocol):
    """The address of a store, of whatever topology. Shows neither user nor password."""

    def resolve(self) -> RedisAddress:
        """Return where the primary is now, and how to log in there. Raises ``StoreError``."""
        ...


@dataclass(frozen=True, slots=True)
class SentinelAddress:
    """Sentinels, and the name of the primary that they watch. ``primary`` has everything but host and port.

    Where the primary is reached by TLS, the sentinels are too.
    """

    sentinels: tuple[tuple[str, int], ...]
    name: str
    primary: RedisAddress
    login: Mapping[str, str] = field(default_factory=dict, repr=False)
    """User and password at the sentinels, as redis-py names them."""

    def resolve(self) -> RedisAddress:
        """Ask the sentinels, one after the other, for the primary. Raises ``StoreUnreachable``."""
        # Only services with sentinels pay for the import.
        from redis.exceptions import RedisError  # noqa: PLC0415  # as above
        from redis.sentinel import Sentinel  # noqa: PLC0415  # as above

        asked = Sentinel(  # type: ignore[no-untyped-call]  # untyped there
            list(self.sentinels),
            sentinel_kwargs={
                "socket_timeout": _TIMEOUT_S,
                "socket_connect_timeout": _TIMEOUT_S,
                **self.login,
                **_tls_arguments(self.primary.tls),
            },
        )
        try:
            host, port = asked.discover_master(self.name)  # type: ignore[no-untyped-call]  # untyped there
        except (RedisError, OSError):
            raise StoreUnreachable(f"no sentinel names a primary of {self.name}") from None
        finally:
            for sentinel in asked.sentinels:
                sentinel.close()
        return replace(self.primary, host=host, port=port)

    def __str__(self) -> str:
        """Return the URL without user, password and options."""
        hosts = ",".join(f"{host}:{port}" for host, port in self.sentinels)
        scheme = "redis+sentinel" if self.primary.tls is None else "rediss+sentinel"
        return f"{scheme}://{hosts}/{self.name}/{self.primary.database}"


def _tls_arguments(tls: TlsOptions | None) -> dict[str, object]:
    """Return the options of TLS as redis-py names them."""
    if tls is None:
        return {}
    return {
        "ssl": True,
        "ssl_ca_certs": tls.ca_certs or None,
        "ssl_certfile": tls.certfile or None,
        "ssl_keyfile": tls.keyfile or tls.certfile or None,
        "ssl_check_hostname": tls.check_hostname,
    }


@dataclass(frozen=True, slots=True)
class PasswordFromFile:
    """Another address, whose password is read from a file for every connection, so that it can be rotated."""

    address: Address
    path: Path

    def resolve(self) -> RedisAddress:
        """Return the address with the password of the file. Raises ``StoreUnavailable``."""
        try:
            password = read_bounded(self.path, _MAX_PASSWORD_BYTES).decode("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise StoreUnavailable("the password of the store cannot be read from its file") from None
        return replace(self.address.resolve(), password=password)

    def __str__(self) -> str:
        """Return the other address."""
        return str(self.address)
