"""Preflight: whether a Redis is fit to keep people's choices. The checks, as data.

``gather`` asks the server; ``examine`` judges the answers, without I/O. What the server does not let its user ask is
unknown, and reported as such.
"""

import time
from collections.abc import Iterator, Mapping
from enum import Enum
from statistics import median
from typing import NamedTuple

from server.store.ports import StoreError
from server.store.redis.connection import Connection, pack
from server.store.redis.errors import ErrorReply
from server.store.redis.handshake import open_connection
from server.store.redis.url import RedisAddress

OLDEST_VERSION = (6, 2)

_PINGS = 20
_SLOW_PING_MS = 2.0
_ASKED = (b"maxmemory-policy", b"appendonly", b"appendfsync", b"no-appendfsync-on-rewrite")


class Level(Enum):
    """How bad it is. With an ERROR an opt-out may be lost, or nothing works at all."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


class PreflightCheck(NamedTuple):
    """One check: what was found, and what to do about it (empty when nothing)."""

    level: Level
    what: str
    remedy: str = ""


class Facts(NamedTuple):
    """What a server reports about itself. None, or a missing name, is what it does not report."""

    info: Mapping[str, str] | None = None
    configuration: Mapping[str, str] | None = None
    keys: int | None = None
    ping_ms: float | None = None
    problem: str = ""
    """Why the server could not be asked at all."""


def preflight(address: RedisAddress, replicas: int, timeout_s: float = 1.0) -> list[PreflightCheck]:
    """Check a Redis. ``replicas`` is how many are to hold an opt-out before it counts as confirmed."""
    return examine(gather(address, timeout_s), replicas)


def gather(address: RedisAddress, timeout_s: float = 1.0) -> Facts:
    """Ask a server about itself. A ``StoreError`` is one of the facts, and not raised."""
    try:
        connection = open_connection(address, timeout_s)
    except StoreError as problem:
        return Facts(problem=str(problem))
    try:
        pings = [_ping_ms(connection, timeout_s) for _ in range(_PINGS)]
        return Facts(
            info=_info(connection, timeout_s),
            configuration=_configuration(connection, timeout_s),
            keys=_keys(connection, timeout_s),
            ping_ms=median(pings),
        )
    except StoreError as problem:
        return Facts(problem=str(problem))
    finally:
        connection.close()


def examine(facts: Facts, replicas: int) -> list[PreflightCheck]:
    """Judge the facts; errors first."""
    if facts.problem:
        remedy = "start it, or correct ADTARGETING_REDIS_URL; until then every decision is limited"
        return [_error(facts.problem, remedy)]
    found = [*_server(facts.info, replicas), *_settings(facts.configuration), *_use(facts)]
    return sorted(found, key=lambda check: -list(Level).index(check.level))


def _server(info: Mapping[str, str] | None, replicas: int) -> Iterator[PreflightCheck]:
    if info is None:
        yield _warning("INFO is not permitted", "permit INFO to the user of the URL")
        return
    version = info.get("redis_version", "")
    if _version(version) < OLDEST_VERSION:
        yield PreflightCheck(
            Level.ERROR, f"the server is Redis {version or 'of an unknown version'}", "use Redis 6.2 or newer"
        )
    else:
        yield _ok(f"the server is Redis {version}")
    if info.get("role") != "master":
        yield _error("the server is a replica: it takes no opt-out", "name the primary in the URL")
        return
    connected = int(info.get("connected_slaves", 0))
    what = f"{connected} replicas are connected, {replicas} are required"
    if connected < replicas:
        yield _warning(what, "connect more; until then opt-outs are acknowledged as UNCONFIRMED")
    else:
        yield _ok(what)


def _settings(configuration: Mapping[str, str] | None) -> Iterator[PreflightCheck]:
    if configuration is None:
        yield _warning(
            "CONFIG GET is not permitted",
            "permit CONFIG GET, or make sure that maxmemory-policy is noeviction and appendonly is yes",
        )
        return
    policy = configuration.get("maxmemory-policy", "unknown")
    if policy != "noeviction":
        yield PreflightCheck(
            Level.ERROR, f"maxmemory-policy is {policy}: opt-outs may be evicted", "set it to noeviction"
        )
    else:
        yield _ok("maxmemory-policy is noeviction")
    fsync = configuration.get("appendfsync", "unknown")
    if configuration.get("appendonly") != "yes":
        yield _error("appendonly is off: a restart loses opt-outs", "set appendonly to yes")
    elif fsync != "always":
        yield _warning(
            f"appendfsync is {fsync}: a power cut may lose the last opt-outs",
            "set it to always, or require replicas",
        )
    elif configuration.get("no-appendfsync-on-rewrite") == "yes":
        yield _warning(
            "no-appendfsync-on-rewrite is yes: a power cut during a rewrite may lose the last opt-outs",
            "set it to no, or require replicas",
        )
    else:
        yield _ok("every write is on disk before it is acknowledged")


def _use(facts: Facts) -> Iterator[PreflightCheck]:
    if facts.keys == 0:
        yield _warning(
            "the database is empty",
            "nothing, if it is new; else check the database number and the append-only file",
        )
    if facts.ping_ms is not None:
        slow = facts.ping_ms > _SLOW_PING_MS
        remedy = "move the server closer, or raise ADTARGETING_DECISION_BUDGET_MS" if slow else ""
        what = f"a round trip takes {facts.ping_ms:.2f} ms (median of {_PINGS})"
        yield PreflightCheck(Level.WARNING if slow else Level.OK, what, remedy)


def _ok(what: str) -> PreflightCheck:
    return PreflightCheck(Level.OK, what)


def _warning(what: str, remedy: str) -> PreflightCheck:
    return PreflightCheck(Level.WARNING, what, remedy)


def _error(what: str, remedy: str) -> PreflightCheck:
    return PreflightCheck(Level.ERROR, what, remedy)


def _version(text: str) -> tuple[int, ...]:
    parts = text.split(".")[:2]
    return tuple(int(part) for part in parts) if all(part.isdecimal() for part in parts) else ()


def _ping_ms(connection: Connection, timeout_s: float) -> float:
    started = time.perf_counter()
    connection.ask((b"PING",), time.monotonic() + timeout_s)
    return (time.perf_counter() - started) * 1000


def _info(connection: Connection, timeout_s: float) -> Mapping[str, str] | None:
    reply = connection.exchange(pack((b"INFO",)), 1, time.monotonic() + timeout_s)[0]
    if isinstance(reply, ErrorReply):
        return None
    lines = (line.partition(":") for line in reply.decode("utf-8", "replace").splitlines())
    return {name: value for name, colon, value in lines if colon}


def _configuration(connection: Connection, timeout_s: float) -> Mapping[str, str] | None:
    commands = b"".join(pack((b"CONFIG", b"GET", name)) for name in _ASKED)
    replies = connection.exchange(commands, len(_ASKED), time.monotonic() + timeout_s)
    if any(isinstance(reply, ErrorReply) for reply in replies):
        return None
    words = [word.decode("utf-8", "replace") for reply in replies for word in reply]
    return dict(zip(words[::2], words[1::2], strict=True))


def _keys(connection: Connection, timeout_s: float) -> int | None:
    reply = connection.exchange(pack((b"DBSIZE",)), 1, time.monotonic() + timeout_s)[0]
    return reply if isinstance(reply, int) else None
