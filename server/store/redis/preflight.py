"""Preflight: is this Redis fit to keep people's choices? The checks, as data.

``gather`` asks the server; ``examine`` judges what was gathered and asks nobody. What the server does not let itself
be asked is unknown, and said to be.
"""

import time
from collections.abc import Iterator, Mapping
from enum import Enum
from statistics import median
from typing import NamedTuple

from redis.exceptions import ResponseError

from server.store.ports import StoreError
from server.store.redis.connection import Connection, open_connection, pack
from server.store.redis.url import RedisAddress

OLDEST_VERSION = (6, 2)

_PINGS = 20
_SLOW_PING_MS = 2.0
_ASKED = (b"maxmemory-policy", b"appendonly", b"appendfsync", b"no-appendfsync-on-rewrite")


class Level(Enum):
    """How bad a finding is. With an ERROR an opt-out may be lost, or nothing works at all."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


class Finding(NamedTuple):
    """One check: what was found, and what to do about it (empty when nothing)."""

    level: Level
    what: str
    remedy: str = ""


class Facts(NamedTuple):
    """What a server says of itself. None, or a missing name, is what it does not say."""

    info: Mapping[str, str] | None = None
    configuration: Mapping[str, str] | None = None
    keys: int | None = None
    ping_ms: float | None = None
    problem: str = ""
    """Why the server could not be asked at all."""


def preflight(address: RedisAddress, replicas: int, timeout_s: float = 1.0) -> list[Finding]:
    """Check a Redis. ``replicas`` is how many are to hold an opt-out before it counts as confirmed."""
    return examine(gather(address, timeout_s), replicas)


def gather(address: RedisAddress, timeout_s: float = 1.0) -> Facts:
    """Ask a server about itself. Never raises ``StoreError``: that is a fact too."""
    try:
        link = open_connection(address, timeout_s)
    except StoreError as problem:
        return Facts(problem=str(problem))
    try:
        pings = [_ping_ms(link, timeout_s) for _ in range(_PINGS)]
        return Facts(_info(link, timeout_s), _configuration(link, timeout_s), _keys(link, timeout_s), median(pings))
    except StoreError as problem:
        return Facts(problem=str(problem))
    finally:
        link.close()


def examine(facts: Facts, replicas: int) -> list[Finding]:
    """Judge the facts; errors first."""
    if facts.problem:
        remedy = "start it, or correct ADTARGETING_REDIS_URL; until then every decision is limited"
        return [Finding(Level.ERROR, facts.problem, remedy)]
    found = [*_server(facts.info, replicas), *_settings(facts.configuration), *_use(facts)]
    return sorted(found, key=lambda finding: -list(Level).index(finding.level))


def _server(info: Mapping[str, str] | None, replicas: int) -> Iterator[Finding]:
    if info is None:
        yield Finding(Level.WARNING, "the server does not tell its state", "permit INFO to the user of the URL")
        return
    version = info.get("redis_version", "")
    if _version(version) < OLDEST_VERSION:
        yield Finding(Level.ERROR, f"the server is Redis {version or 'of no version'}", "use Redis 6.2 or newer")
    else:
        yield Finding(Level.OK, f"the server is Redis {version}")
    if info.get("role") != "master":
        yield Finding(Level.ERROR, "the server is a replica: it takes no opt-out", "name the primary in the URL")
        return
    connected = int(info.get("connected_slaves", 0))
    what = f"{connected} replicas are connected, {replicas} are wanted"
    if connected < replicas:
        yield Finding(Level.WARNING, what, "connect more: until then opt-outs are acknowledged as UNCONFIRMED")
    else:
        yield Finding(Level.OK, what)


def _settings(configuration: Mapping[str, str] | None) -> Iterator[Finding]:
    if configuration is None:
        yield Finding(
            Level.WARNING,
            "the server does not tell its settings",
            "permit CONFIG GET, or see to it that maxmemory-policy is noeviction and appendonly is yes",
        )
        return
    policy = configuration.get("maxmemory-policy", "unknown")
    if policy != "noeviction":
        yield Finding(Level.ERROR, f"maxmemory-policy is {policy}: opt-outs may be evicted", "set it to noeviction")
    else:
        yield Finding(Level.OK, "maxmemory-policy is noeviction")
    fsync = configuration.get("appendfsync", "unknown")
    if configuration.get("appendonly") != "yes":
        yield Finding(Level.ERROR, "appendonly is off: a restart loses opt-outs", "set appendonly to yes")
    elif fsync != "always":
        yield Finding(
            Level.WARNING,
            f"appendfsync is {fsync}: a power cut may lose the last opt-outs",
            "set it to always, or want replicas",
        )
    elif configuration.get("no-appendfsync-on-rewrite") == "yes":
        yield Finding(
            Level.WARNING,
            "no-appendfsync-on-rewrite is yes: a power cut during a rewrite may lose the last opt-outs",
            "set it to no, or want replicas",
        )
    else:
        yield Finding(Level.OK, "every write is on disk before it is acknowledged")


def _use(facts: Facts) -> Iterator[Finding]:
    if facts.keys == 0:
        yield Finding(
            Level.WARNING,
            "the database is empty",
            "nothing, if it is new; else look for the right database number, and for its append-only file",
        )
    if facts.ping_ms is not None:
        slow = facts.ping_ms > _SLOW_PING_MS
        remedy = "bring the server nearer, or raise ADTARGETING_DECISION_BUDGET_MS" if slow else ""
        what = f"a round trip takes {facts.ping_ms:.2f} ms (median of {_PINGS})"
        yield Finding(Level.WARNING if slow else Level.OK, what, remedy)


def _version(text: str) -> tuple[int, ...]:
    parts = text.split(".")[:2]
    return tuple(int(part) for part in parts) if all(part.isdecimal() for part in parts) else ()


def _ping_ms(link: Connection, timeout_s: float) -> float:
    started = time.perf_counter()
    link.ask((b"PING",), time.monotonic() + timeout_s)
    return (time.perf_counter() - started) * 1000


def _info(link: Connection, timeout_s: float) -> Mapping[str, str] | None:
    reply = link.exchange(pack((b"INFO",)), 1, time.monotonic() + timeout_s)[0]
    if isinstance(reply, ResponseError):
        return None
    lines = (line.partition(":") for line in reply.decode("utf-8", "replace").splitlines())
    return {name: value for name, colon, value in lines if colon}


def _configuration(link: Connection, timeout_s: float) -> Mapping[str, str] | None:
    commands = b"".join(pack((b"CONFIG", b"GET", name)) for name in _ASKED)
    replies = link.exchange(commands, len(_ASKED), time.monotonic() + timeout_s)
    if any(isinstance(reply, ResponseError) for reply in replies):
        return None
    words = [word.decode("utf-8", "replace") for reply in replies for word in reply]
    return dict(zip(words[::2], words[1::2], strict=True))


def _keys(link: Connection, timeout_s: float) -> int | None:
    reply = link.exchange(pack((b"DBSIZE",)), 1, time.monotonic() + timeout_s)[0]
    return reply if isinstance(reply, int) else None
