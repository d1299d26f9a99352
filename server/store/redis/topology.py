"""Where the primary is: named by the URL, or asked of sentinels. Each new connection asks anew.

``redis+sentinel://[user[:password]@]host[:port][,host[:port]…]/name[/database]`` names the sentinels and the primary
that they watch; the user and the password are the primary's. Sentinels are asked through redis-py.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

from server.bounded_file import read_bounded
from server.store.ports import StoreUnavailable, StoreUnreachable
from server.store.redis.url import RedisAddress, RedisUrlError, parse_redis_url

_SENTINEL_SCHEME = "redis+sentinel"
_SENTINEL_PORT = 26379
_SENTINEL_OPTIONS = ("sentinel_username", "sentinel_password")
_TIMEOUT_S = 0.5
_MAX_PASSWORD_BYTES = 4096


class Address(Protocol):
    """The address of a store, of whatever topology. Shows neither user nor password."""

    def resolve(self) -> RedisAddress:
        """Return where the primary is now, and how to log in there. Raises ``StoreError``."""
        ...


@dataclass(frozen=True, slots=True)
class SentinelAddress:
    """Sentinels, and the name of the primary that they watch. ``primary`` has everything but host and port."""

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
            sentinel_kwargs={"socket_timeout": _TIMEOUT_S, "socket_connect_timeout": _TIMEOUT_S, **self.login},
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
        return f"{_SENTINEL_SCHEME}://{hosts}/{self.name}/{self.primary.database}"


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


def parse_store_url(url: str, password_file: str = "") -> Address:
    """Read the URL of a store. Raises ``RedisUrlError``."""
    parse: Callable[[str], Address] = _parse_sentinel_url if url.startswith(_SENTINEL_SCHEME + ":") else parse_redis_url
    address = parse(url)
    return PasswordFromFile(address, Path(password_file)) if password_file else address


def _parse_sentinel_url(url: str) -> SentinelAddress:
    parts = urlsplit(url)
    login, _, hosts = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    name, _, database = parts.path.removeprefix("/").partition("/")
    if not name:
        raise RedisUrlError(f"names no primary; write {_SENTINEL_SCHEME}://host:26379,host:26379/name")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if not options.keys() <= set(_SENTINEL_OPTIONS):
        raise RedisUrlError(f"unknown option; {_SENTINEL_SCHEME}:// takes {', '.join(_SENTINEL_OPTIONS)}")
    return SentinelAddress(
        sentinels=tuple(_host_and_port(host) for host in hosts.split(",")),
        name=unquote(name),
        primary=replace(
            parse_redis_url(f"redis://primary/{database}"), username=unquote(user), password=unquote(password)
        ),
        login={option.removeprefix("sentinel_"): value for option, value in options.items()},
    )


def _host_and_port(text: str) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{text}")
        port = parts.port or _SENTINEL_PORT
    except ValueError:
        raise RedisUrlError("host and port cannot be read; percent-encode special characters") from None
    if not parts.hostname:
        raise RedisUrlError(f"has no host; write {_SENTINEL_SCHEME}://host:26379,host:26379/name")
    return parts.hostname, port
