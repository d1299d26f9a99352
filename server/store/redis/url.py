"""Addresses of a Redis: ``redis://``, ``rediss://`` and ``unix://`` URLs, checked before anything connects.

No message and no ``repr`` holds a user name, a password or any other part of a URL that could be read as one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

SETTING = "ADTARGETING_REDIS_URL"

_DEFAULT_PORT = 6379
_TLS_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_TLS_SWITCH = "ssl_check_hostname"
TLS_OPTIONS = (*_TLS_FILES, _TLS_SWITCH)
_OPTIONS = {"redis": (), "rediss": TLS_OPTIONS, "unix": ("db",)}
_SWITCHES = {"true": True, "false": False}


class RedisUrlError(ValueError):
    """A URL that cannot be used: one line that names the setting and the remedy, and nothing of the URL."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"{SETTING}: {problem}")


class TlsOptions(NamedTuple):
    """How to verify the server, and to be known to it: paths of PEM files, empty where there is none."""

    ca_certs: str = ""
    certfile: str = ""
    keyfile: str = ""
    check_hostname: bool = True


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """Where a Redis is and how to get in. ``path`` is set for a Unix socket, ``host`` otherwise."""

    host: str = ""
    port: int = _DEFAULT_PORT
    path: str = ""
    database: int = 0
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    tls: TlsOptions | None = field(default=None, repr=False)
    """None is no TLS."""
    promotable: int = field(default=0, compare=False)
    """How many replicas a failover could promote, as sentinels said when they named this server."""

    def resolve(self) -> "RedisAddress":
        """Return this address: it names the server itself."""
        return self

    def __str__(self) -> str:
        """Return the URL without user, password and options, for people."""
        if self.path:
            return f"unix://{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'redis' if self.tls is None else 'rediss'}://{host}:{self.port}/{self.database}"


def parse_redis_url(url: str) -> RedisAddress:
    """Read ``redis[s]://[user[:password]@]host[:port][/database]`` or ``unix://[…@]/path[?db=…]``.

    ``rediss`` takes ``ssl_ca_certs``, ``ssl_certfile``, ``ssl_keyfile`` (paths) and ``ssl_check_hostname``
    (``true`` or ``false``). Raises ``RedisUrlError``.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORT
    except ValueError:
        raise RedisUrlError("host and port cannot be read; percent-encode special characters") from None
    _check_scheme(parts.scheme)
    if parts.fragment:
        raise RedisUrlError("contains '#'; percent-encode special characters in the password")
    options = _options(parts)
    return RedisAddress(
        host=_host(parts),
        port=port,
        path=_socket_path(parts),
        database=_database(options.pop("db", "") if parts.scheme == "unix" else parts.path.removeprefix("/")),
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        tls=tls_options(options) if parts.scheme == "rediss" else None,
    )


def _check_scheme(scheme: str) -> None:
    if scheme not in _OPTIONS:
        raise RedisUrlError("unknown scheme; use redis://, rediss://, unix://, redis+sentinel:// or redis+cluster://")


def _host(parts: SplitResult) -> str:
    host = unquote(parts.hostname or "")
    if parts.scheme == "unix" and host:
        raise RedisUrlError("unix:// takes no host; write unix:///path/to/socket")
    if parts.scheme != "unix" and not host:
        raise RedisUrlError(f"has no host; write {parts.scheme}://host:port/database")
    return host


def _socket_path(parts: SplitResult) -> str:
    if parts.scheme != "unix":
        return ""
    path = unquote(parts.path)
    if len(path) < 2 or "\0" in path:
        raise RedisUrlError("has no socket; write unix:///path/to/socket")
    return path


def _database(text: str) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        raise RedisUrlError("the database must be a number, as in redis://host:6379/0")
    return int(text)


def _options(parts: SplitResult) -> dict[str, str]:
    known = _OPTIONS[parts.scheme]
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if not options.keys() <= set(known):
        raise RedisUrlError(f"unknown option; {parts.scheme}:// takes {', '.join(known) or 'none'}")
    return options


def tls_options(options: Mapping[str, str]) -> TlsOptions:
    """Read the options of TLS; others are ignored. Raises ``RedisUrlError``."""
    check_hostname = options.get(_TLS_SWITCH, "true")
    if check_hostname not in _SWITCHES:
        raise RedisUrlError(f"{_TLS_SWITCH} must be true or false")
    paths = {name.removeprefix("ssl_"): options.get(name, "") for name in _TLS_FILES}
    return TlsOptions(**paths, check_hostname=_SWITCHES[check_hostname])
