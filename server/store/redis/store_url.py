"""URLs of a store, of every topology. No message holds a user name, a password or any other part of a URL.

``redis+sentinel://[user[:password]@]host[:port][,host[:port]…]/name[/database]`` names the sentinels and the primary
that they watch; the user and the password are the primary's. ``redis+cluster://[user[:password]@]host[:port][,…]``
names some nodes of a cluster.
"""

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from server.store.redis.cluster.slots import Node
from server.store.redis.cluster.topology import ClusterAddress
from server.store.redis.topology import Address, PasswordFromFile, SentinelAddress
from server.store.redis.url import RedisAddress, RedisUrlError, parse_redis_url

_SENTINEL, _CLUSTER = "redis+sentinel", "redis+cluster"
_PORTS = {_SENTINEL: 26379, _CLUSTER: 6379}
_SENTINEL_OPTIONS = ("sentinel_username", "sentinel_password")
_EXAMPLES = {_SENTINEL: "host:26379,host:26379/name", _CLUSTER: "host:6379,host:6379"}


def parse_store_url(url: str, password_file: str = "") -> Address:
    """Read the URL of a store. Raises ``RedisUrlError``."""
    scheme = url.partition(":")[0]
    if scheme == _CLUSTER:
        parts = _parts(url)
        if parts.path or parts.options:
            raise RedisUrlError(f"{_CLUSTER}:// takes no database and no options")
        # The password goes with every node's address, so the file is asked for each.
        return ClusterAddress(parts.hosts, _with_file(parts.login, password_file))
    return _with_file(_sentinel(_parts(url)) if scheme == _SENTINEL else parse_redis_url(url), password_file)


def _with_file(address: Address, password_file: str) -> Address:
    return PasswordFromFile(address, Path(password_file)) if password_file else address


class _Parts(NamedTuple):
    """A URL of several hosts. ``login`` has the user and the password."""

    hosts: tuple[Node, ...]
    login: RedisAddress
    path: str
    options: dict[str, str]


def _parts(url: str) -> _Parts:
    parts = urlsplit(url)
    login, _, hosts = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    return _Parts(
        hosts=tuple(_node(host, parts.scheme) for host in hosts.split(",")),
        login=RedisAddress(username=unquote(user), password=unquote(password)),
        path=parts.path.removeprefix("/"),
        options=dict(parse_qsl(parts.query, keep_blank_values=True)),
    )


def _sentinel(parts: _Parts) -> SentinelAddress:
    name, _, database = parts.path.partition("/")
    if not name:
        raise RedisUrlError(f"names no primary; write {_SENTINEL}://{_EXAMPLES[_SENTINEL]}")
    if not parts.options.keys() <= set(_SENTINEL_OPTIONS):
        raise RedisUrlError(f"unknown option; {_SENTINEL}:// takes {', '.join(_SENTINEL_OPTIONS)}")
    return SentinelAddress(
        sentinels=tuple((node.host, node.port) for node in parts.hosts),
        name=unquote(name),
        primary=replace(parts.login, database=parse_redis_url(f"redis://primary/{database}").database),
        login={option.removeprefix("sentinel_"): value for option, value in parts.options.items()},
    )


def _node(text: str, scheme: str) -> Node:
    try:
        parts = urlsplit(f"//{text}")
        port = parts.port or _PORTS[scheme]
    except ValueError:
        raise RedisUrlError("host and port cannot be read; percent-encode special characters") from None
    if not parts.hostname:
        raise RedisUrlError(f"has no host; write {scheme}://{_EXAMPLES[scheme]}")
    return Node(parts.hostname, port)
