"""Preflight: whether a Redis is fit to keep people's choices. The checks, as data, made from what the server reports.

Without I/O. What the server does not let its user ask is unknown, and reported as such.
"""

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import NamedTuple

from server.store.epoch_memory import EpochMemory
from server.store.identity import IdentityUnreadable, StoreIdentity
from server.store.redis.durability import replicas_to_wait_for
from server.store.redis.probe import online_replicas, server_mode
from server.store.redis.server_facts import PINGS, Facts

OLDEST_VERSION = (6, 2)
_SLOW_PING_MS = 2.0
_ACCEPT = "see `adtargeting store show`, then accept it with `adtargeting store trust`"
_OTHER_MODES = {"sentinel": "redis+sentinel://", "cluster": "redis+cluster://"}


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


class Expected(NamedTuple):
    """What the service needs: replicas that hold a choice, and the fingerprint of its secret key (empty: none yet).

    ``memory`` has the epoch of the store that the key was last used with.
    """

    replicas: int = 0
    fingerprint: str = ""
    memory: EpochMemory = EpochMemory()


def examine(facts: Facts, expected: Expected, *, is_cluster: bool = False) -> list[PreflightCheck]:
    """Judge the facts; errors first."""
    if facts.problem:
        remedy = "start it, or correct ADTARGETING_REDIS_URL; until then every decision is LIMITED"
        return [_error(facts.problem, remedy)]
    found = [
        *_mode(facts.info, is_cluster=is_cluster),
        *_server(facts.info),
        *_replicas(facts, expected.replicas),
        *_writing(facts.refusal),
        *_identity(facts, expected),
        *_settings(facts, expected.replicas),
        *_use(facts),
    ]
    return sorted(found, key=lambda check: -list(Level).index(check.level))


def _mode(info: Mapping[str, str] | None, *, is_cluster: bool) -> Iterator[PreflightCheck]:
    mode = server_mode(info or {})
    if mode in _OTHER_MODES and not (is_cluster and mode == "cluster"):
        yield _error(f"the server is part of a {mode} system", f"use a {_OTHER_MODES[mode]} URL")


def _server(info: Mapping[str, str] | None) -> Iterator[PreflightCheck]:
    if info is None:
        yield _warning("INFO is not permitted", "permit INFO to the user of the URL")
        return
    version = info.get("redis_version", "")
    if _version(version) < OLDEST_VERSION:
        yield _error(f"the server is Redis {version or 'of an unknown version'}", "use Redis 6.2 or newer")
    else:
        yield _ok(f"the server is Redis {version}")
    if info.get("role", "master") != "master":
        yield _error("the server is a replica: it takes no opt-out", "name the primary in the URL")


def _replicas(facts: Facts, required: int) -> Iterator[PreflightCheck]:
    if facts.info is None or facts.info.get("role", "master") != "master":
        return
    online = online_replicas(facts.info)
    what = f"{online} replicas are connected, {required} are required"
    if online < required:
        yield _error(what, "connect more; until then preferences and profiles are NOT_SERVING")
    elif online > (holding := replicas_to_wait_for(required, facts.promotable)):
        what = f"{online} replicas are connected, and a CONFIRMED choice is held by {holding}: if another is promoted,"
        yield _warning(f"{what} the choice is lost", "set ADTARGETING_REPLICAS to how many could be promoted")
    else:
        yield _ok(what)


def _writing(refusal: str) -> Iterator[PreflightCheck]:
    if refusal:
        yield _error(f"a choice cannot be stored: {refusal}", "see docs/operate.md for what its user and settings need")
    else:
        yield _ok("choices can be stored")


def _identity(facts: Facts, expected: Expected) -> Iterator[PreflightCheck]:
    if facts.identity is None:
        if facts.has_records:
            what = "the store has records and no record of its own: it was emptied, restored or is another"
            yield _error(what, _ACCEPT)
        elif epoch := expected.memory.epoch:
            what = f"the store is empty, and our secret key was used with a store of epoch {epoch}"
            yield _error(f"{what}: it was emptied, or is another store", _ACCEPT)
        elif expected.fingerprint:
            what = "the store has neither records nor a record of its own, but our secret key exists: the service"
            what += " takes it for a new one, and choices that were stored elsewhere or are lost do not count"
            yield _warning(
                what, "nothing, if it is new; else restore it, or correct ADTARGETING_REDIS_URL, before the start"
            )
        return
    try:
        identity = StoreIdentity.decode(facts.identity)
    except IdentityUnreadable as problem:
        yield _error(str(problem), "see `adtargeting store show`")
        return
    if identity.fingerprint != expected.fingerprint:
        what = (
            f"the store belongs to the secret key {identity.fingerprint}, ours is {expected.fingerprint or 'missing'}"
        )
        yield _error(what, "use the key that the store was written with; with another no opt-out is found")
    elif expected.memory.is_later_than(identity):
        what = "the store's record is older than that of the store our secret key was last used with"
        yield _error(f"{what}: it is a backup, or another store", _ACCEPT)
    else:
        yield _ok("the store belongs to our secret key")


def _settings(facts: Facts, replicas: int) -> Iterator[PreflightCheck]:
    info, configuration = facts.info or {}, facts.configuration or {}
    policy = configuration.get("maxmemory-policy") or info.get("maxmemory_policy")
    if policy is None:
        remedy = "permit CONFIG GET, or make sure that maxmemory-policy is noeviction and appendonly is yes"
        yield _warning("neither INFO nor CONFIG GET is permitted", remedy)
        return
    if policy != "noeviction":
        yield _error(f"maxmemory-policy is {policy}: opt-outs may be evicted", "set it to noeviction")
    else:
        yield _ok("maxmemory-policy is noeviction")
    if "no" in (configuration.get("appendonly"), {"0": "no"}.get(info.get("aof_enabled", ""))):
        yield _error("appendonly is off: a restart loses opt-outs", "set appendonly to yes")
        if not replicas:
            what = "opt-outs are only ever acknowledged as UNCONFIRMED: they are in one server's memory"
            yield _warning(what, "set appendonly to yes, or require replicas (ADTARGETING_REPLICAS)")
    else:
        yield _sync(configuration)


def _sync(configuration: Mapping[str, str]) -> PreflightCheck:
    fsync = configuration.get("appendfsync", "unknown")
    if fsync == "everysec":
        return _warning(
            "appendfsync is everysec: an opt-out is confirmed within two seconds, and not at once",
            "set it to always, or require replicas",
        )
    if fsync != "always":
        return _warning(
            f"appendfsync is {fsync}: a power cut may lose the last opt-outs", "set it to always, or require replicas"
        )
    if configuration.get("no-appendfsync-on-rewrite") == "yes":
        what = "no-appendfsync-on-rewrite is yes: a power cut during a rewrite may lose the last opt-outs"
        return _warning(what, "set it to no, or require replicas")
    return _ok("every write is on disk before it is acknowledged")


def _use(facts: Facts) -> Iterator[PreflightCheck]:
    if facts.keys == 0:
        yield _warning(
            "the database is empty", "nothing, if it is new; else check the database number and the append-only file"
        )
    if facts.ping_ms is not None:
        slow = facts.ping_ms > _SLOW_PING_MS
        remedy = "move the server closer, or raise ADTARGETING_DECISION_BUDGET_MS" if slow else ""
        what = f"a round trip takes {facts.ping_ms:.2f} ms (median of {PINGS})"
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
