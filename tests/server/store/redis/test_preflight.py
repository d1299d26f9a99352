"""Preflight: what is checked, and what is said of it."""

from pathlib import Path

import pytest

from server.store.embedded.server import EmbeddedRedis
from server.store.redis.preflight import Facts, Level, PreflightCheck, examine, gather, preflight
from server.store.redis.url import RedisAddress
from tests.server.store.conftest import OpenRedisStore
from tests.server.store.plain_redis import plain_redis, replicate
from tests.server.store.redis.scripted_server import saying, scripted_server

INFO = {"redis_version": "7.2.5", "role": "master", "connected_slaves": "2"}
CONFIGURATION = {"maxmemory-policy": "noeviction", "appendonly": "yes", "appendfsync": "always"}
GOOD = Facts(INFO, CONFIGURATION, keys=10, ping_ms=0.2)


def test_a_fit_server_is_found_fit() -> None:
    found = examine(GOOD, replicas=2)
    assert {finding.level for finding in found} == {Level.OK}
    assert not [finding for finding in found if finding.remedy]


@pytest.mark.parametrize(
    ("facts", "level", "what"),
    [
        (Facts(problem="the store cannot be reached"), Level.ERROR, "cannot be reached"),
        (GOOD._replace(info=INFO | {"redis_version": "6.0.16"}), Level.ERROR, "Redis 6.0.16"),
        (GOOD._replace(info=INFO | {"redis_version": "unstable"}), Level.ERROR, "Redis unstable"),
        (GOOD._replace(info=INFO | {"redis_version": ""}), Level.ERROR, "of an unknown version"),
        (GOOD._replace(info=INFO | {"role": "slave"}), Level.ERROR, "is a replica"),
        (GOOD._replace(info=INFO | {"connected_slaves": "1"}), Level.WARNING, "1 replicas are connected, 2 are"),
        (GOOD._replace(info=None), Level.WARNING, "INFO is not permitted"),
        (GOOD._replace(configuration=None), Level.WARNING, "CONFIG GET is not permitted"),
        (GOOD._replace(configuration=CONFIGURATION | {"maxmemory-policy": "allkeys-lru"}), Level.ERROR, "evicted"),
        (GOOD._replace(configuration=CONFIGURATION | {"maxmemory-policy": "volatile-lru"}), Level.ERROR, "evicted"),
        (GOOD._replace(configuration=CONFIGURATION | {"appendonly": "no"}), Level.ERROR, "a restart loses"),
        (GOOD._replace(configuration=CONFIGURATION | {"appendfsync": "everysec"}), Level.WARNING, "a power cut"),
        (
            GOOD._replace(configuration=CONFIGURATION | {"no-appendfsync-on-rewrite": "yes"}),
            Level.WARNING,
            "during a rewrite",
        ),
        (GOOD._replace(keys=0), Level.WARNING, "the database is empty"),
        (GOOD._replace(ping_ms=7.5), Level.WARNING, "7.50 ms"),
    ],
)
def test_each_fault_is_found_with_its_remedy_and_comes_first(facts: Facts, level: Level, what: str) -> None:
    worst, *others = examine(facts, replicas=2)
    assert (worst.level, what in worst.what, bool(worst.remedy)) == (level, True, True)
    assert {finding.level for finding in others} <= {Level.OK}


def test_the_embedded_server_is_fit_and_empty(own_redis: EmbeddedRedis) -> None:
    found = preflight(own_redis.address, replicas=0, timeout_s=5)
    assert [finding.what for finding in found if finding.level is not Level.OK] == ["the database is empty"]


def test_a_replica_is_told_from_its_primary(tmp_path: Path) -> None:
    with plain_redis(tmp_path / "primary") as (primary, _), plain_redis(tmp_path / "replica") as (replica, _):
        replicate(primary, replica)
        assert "1 replicas are connected, 1 are required" in texts(preflight(primary, replicas=1))
        assert any("is a replica" in what for what in texts(preflight(replica, replicas=0)))


def test_what_it_may_not_ask_is_unknown(own_redis: EmbeddedRedis, own_store: OpenRedisStore) -> None:
    rules = (b"on", b">hush", b"~*", b"+ping", b"+mget", b"+exists")
    own_store.command(b"ACL", b"SETUSER", b"limited", *rules)
    facts = gather(RedisAddress(path=own_redis.address.path, username="limited", password="hush"))
    assert facts._replace(ping_ms=None) == Facts()


def test_a_server_that_is_not_there_or_not_well_is_one_finding(tmp_path: Path) -> None:
    assert len(preflight(RedisAddress(path=str(tmp_path / "nobody")), replicas=0)) == 1
    with scripted_server(tmp_path, saying(b"-LOADING Redis is loading\r\n")) as address:
        assert [(each.level, "loading" in each.what) for each in preflight(address, 0)] == [(Level.ERROR, True)]


def texts(found: list[PreflightCheck]) -> list[str]:
    return [check.what for check in found]
