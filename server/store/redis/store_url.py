"""URLs of a store, of every topology. No message holds a user name, a password or any other part of a URL.

``redis+sentinel://[user[:password]@]host[:port][,host[:port]…]/name[/database]`` names the sentinels and the primary
that they watch; the user and the password are the primary's. ``redis+cluster://[user[:password]@]host[:port][,…]``
names some nodes of a cluster. With ``rediss+sentinel://`` and ``rediss+cluster://`` every connection is made by TLS, to
the sentinels too, with the options of ``rediss://``.
"""

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from server.store.redis.cluster.slots import Node
from server.store.redis.cluster.topology import ClusterAddress
from server.store.redis.sentinels import SentinelAddress
from server.store.redis.topology import Address, PasswordFromFile
from server.store.redis.url import TLS_OPTIONS, RedisAddress, RedisUrlError, parse_redis_url, tls_options

_SENTINEL, _CLUSTER = "redis+sentinel", "redis+cluster"
_SECURE = {"rediss+sentinel": _SENTINEL, "rediss+cluster": _CLUSTER}
_PORTS = {_SENTINEL: 26379, _CLUSTER: 6379}
_SENTINEL_OPTIONS = ("sentinel_username", "sentinel_password")
_EXAMPLES = {_SENTINEL: "host:26379,host:26379/name", _CLUSTER: "host:6379,host:6379"}


def parse_store_url(url: str, password_file: str = "") -> Address:
    """Read the URL of a store. Raises ``RedisUrlError``."""
    scheme = url.partition(":")[0]
    topology = _SECURE.get(scheme, scheme)
    if topology == _CLUSTER:
        parts = _parts(url, topology)
        if parts.path:
            raise RedisUrlError(f"{scheme}:// takes no database")
        parts.check_options(())
        # The password goes with every node's address, so the file is asked for each.
        login = _with_file(parts.login, password_file)
        return ClusterAddress(parts.hosts, login, uses_tls=parts.login.tls is not None)
    return _with_file(
        _sentinel(_parts(url, topology)) if topology == _SENTINEL else parse_redis_url(url), password_file
    )


def _with_file(address: Address, password_file: str) -> Address:
    return PasswordFromFile(address, Path(password_file)) if password_file else address


class _Parts(NamedTuple):
    """A URL of several hosts. ``login`` has the user, the password and TLS."""

    scheme: str
    hosts: tuple[Node, ...]
    login: RedisAddress
    path: str
    options: dict[str, str]

    def check_options(self, own: tuple[str, ...]) -> None:
        """Raise ``RedisUrlError`` for an option that is neither the topology's own nor one of TLS."""
        known = (*own, *(TLS_OPTIONS if self.login.tls else ()))
        if not self.options.keys() <= set(known):
            raise RedisUrlError(f"unknown option; {self.scheme}:// takes {', '.join(known) or 'none'}")


def _parts(url: str, topology: str) -> _Parts:
    try:
        parts = urlsplit(url)
    except ValueError:
        raise RedisUrlError("hosts cannot be read; percent-encode special characters") from None
    login, _, hosts = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    tls = tls_options(options) if parts.scheme in _SECURE else None
    return _Parts(
        scheme=parts.scheme,
        hosts=tuple(_node(host, topology) for host in hosts.split(",")),
        login=RedisAddress(username=unquote(user), password=unquote(password), tls=tls),
        path=parts.path.removeprefix("/"),
        options=options,
    )


def _sentinel(parts: _Parts) -> SentinelAddress:
    name, _, database = parts.path.partition("/")
    if not name:
        raise RedisUrlError(f"names no primary; write {_SENTINEL}://{_EXAMPLES[_SENTINEL]}")
    parts.check_options(_SENTINEL_OPTIONS)
    return SentinelAddress(
        sentinels=tuple((node.host, node.port) for node in parts.hosts),
        name=unquote(name),
        primary=replace(parts.login, database=parse_redis_url(f"redis://primary/{database}").database),
        login={
            name.removeprefix("sentinel_"): value for name, value in parts.options.items() if name in _SENTINEL_OPTIONS
        },
    )


def _node(text: str, topology: str) -> Node:
    try:
        parts = urlsplit(f"//{text}")
        port = parts.port or _PORTS[topology]
    except ValueError:
        raise RedisUrlError("host and port cannot be read; percent-encode special characters") from None
    if not parts.hostname:
        raise RedisUrlError(f"has no host; write {topology}://{_EXAMPLES[topology]}")
    return Node(parts.hostname, port)
