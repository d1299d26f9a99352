"""Preflight: what is checked, and what is said of it."""

from pathlib import Path

import pytest

from server.store.embedded.server import EmbeddedRedis
from server.store.epoch_memory import EpochMemory
from server.store.identity import StoreIdentity
from server.store.redis.preflight import Expected, Level, PreflightCheck, examine
from server.store.redis.server_facts import Facts, gather
from server.store.redis.url import RedisAddress
from tests.server.store.conftest import OpenRedisStore
from tests.server.store.plain_redis import plain_redis, replicate
from tests.server.store.redis.scripted_server import saying, scripted_server

KEY, PREFIX = "0123456789abcdef", b"adt"
EXPECTED = Expected(replicas=2, fingerprint=KEY)
IDENTITY = StoreIdentity.make(KEY, 1).encode()
INFO = {"redis_version": "7.2.5", "role": "master", "connected_slaves": "2"}
CONFIGURATION = {"maxmemory-policy": "noeviction", "appendonly": "yes", "appendfsync": "always"}
GOOD = Facts(INFO, CONFIGURATION, keys=10, ping_ms=0.2, identity=IDENTITY)


def test_a_fit_server_is_found_fit() -> None:
    found = examine(GOOD, EXPECTED)
    assert {finding.level for finding in found} == {Level.OK}
    assert not [finding for finding in found if finding.remedy]


@pytest.mark.fault(row=24)
@pytest.mark.parametrize(
    ("facts", "level", "what"),
    [
        (Facts(problem="the store cannot be reached"), Level.ERROR, "cannot be reached"),
        (GOOD._replace(info=INFO | {"redis_version": "6.0.16"}), Level.ERROR, "Redis 6.0.16"),
        (GOOD._replace(info=INFO | {"redis_version": "unstable"}), Level.ERROR, "Redis unstable"),
        (GOOD._replace(info=INFO | {"redis_version": ""}), Level.ERROR, "of an unknown version"),
        (GOOD._replace(info=INFO | {"role": "slave"}), Level.ERROR, "is a replica"),
        (GOOD._replace(info=INFO | {"redis_mode": "sentinel"}), Level.ERROR, "part of a sentinel"),
        (GOOD._replace(info=INFO | {"redis_mode": "cluster"}), Level.ERROR, "part of a cluster"),
        (GOOD._replace(info=INFO | {"server_mode": "sentinel"}), Level.ERROR, "part of a sentinel"),
        (GOOD._replace(info=INFO | {"server_mode": "cluster"}), Level.ERROR, "part of a cluster"),
        (GOOD._replace(identity=None), Level.WARNING, "but our secret key exists"),
        (GOOD._replace(info=INFO | {"slave0": "ip=10.0.0.1,state=wait_bgsave"}), Level.ERROR, "1 replicas"),
        (GOOD._replace(refusal="the store refuses: it is out of memory"), Level.ERROR, "out of memory"),
        (GOOD._replace(identity=None, has_records=True), Level.ERROR, "no record of its own"),
        (GOOD._replace(identity=StoreIdentity.make("anothers", 1).encode()), Level.ERROR, "belongs to the secret key"),
        (GOOD._replace(identity=b"rubbish"), Level.ERROR, "cannot be read"),
        (GOOD._replace(info=INFO | {"connected_slaves": "1"}), Level.ERROR, "1 replicas are connected, 2 are"),
        (GOOD._replace(info=INFO | {"connected_slaves": "3"}), Level.WARNING, "if another is promoted"),
        (GOOD._replace(info=None), Level.WARNING, "INFO is not permitted"),
        (GOOD._replace(configuration=None), Level.WARNING, "neither INFO nor CONFIG GET is permitted"),
        (GOOD._replace(configuration=CONFIGURATION | {"maxmemory-policy": "allkeys-lru"}), Level.ERROR, "evicted"),
        (GOOD._replace(configuration=CONFIGURATION | {"maxmemory-policy": "volatile-lru"}), Level.ERROR, "evicted"),
        (GOOD._replace(configuration=CONFIGURATION | {"appendonly": "no"}), Level.ERROR, "a restart loses"),
        (GOOD._replace(configuration=CONFIGURATION | {"appendfsync": "everysec"}), Level.WARNING, "within two seconds"),
        (GOOD._replace(configuration=CONFIGURATION | {"appendfsync": "no"}), Level.WARNING, "a power cut"),
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
    worst, *others = examine(facts, EXPECTED)
    assert (worst.level, what in worst.what, bool(worst.remedy)) == (level, True, True)
    assert {finding.level for finding in others} <= {Level.OK}


@pytest.mark.parametrize(
    ("identity", "what"),
    [
        pytest.param(None, "used with a store of epoch 0e", id="an empty store"),
        pytest.param(StoreIdentity("0d", KEY, 1_000).encode(), "a backup, or another store", id="an earlier store"),
    ],
)
def test_a_store_is_no_new_one_to_a_key_that_had_another(tmp_path: Path, identity: bytes | None, what: str) -> None:
    memory = EpochMemory(tmp_path / "secret.key")
    memory.remember(StoreIdentity("0e", KEY, 2_000))
    worst, *_ = examine(GOOD._replace(identity=identity), EXPECTED._replace(memory=memory))
    assert (worst.level, what in worst.what) == (Level.ERROR, True)


@pytest.mark.parametrize(
    ("required", "promotable", "level"),
    [(0, 2, Level.WARNING), (1, 0, Level.WARNING), (1, 2, Level.OK), (2, 0, Level.OK)],
    ids=["none is required", "one, and nothing says which could be promoted", "all that could be", "both"],
)
def test_replicas_that_need_not_hold_a_choice_are_told(required: int, promotable: int, level: Level) -> None:
    found = examine(GOOD._replace(promotable=promotable), EXPECTED._replace(replicas=required))
    assert [check.level for check in found if "replicas are connected" in check.what] == [level]


def test_a_store_that_cannot_confirm_is_told() -> None:
    found = examine(GOOD._replace(configuration=CONFIGURATION | {"appendonly": "no"}), EXPECTED._replace(replicas=0))
    assert any("only ever acknowledged as UNCONFIRMED" in what for what in texts(found))


def test_what_config_get_would_say_is_taken_from_info(own_redis: EmbeddedRedis, own_store: OpenRedisStore) -> None:
    own_store.command(b"CONFIG", b"SET", b"maxmemory-policy", b"allkeys-lru")
    own_store.command(b"CONFIG", b"SET", b"appendonly", b"no")
    own_store.command(b"ACL", b"SETUSER", b"limited", b"on", b">hush", b"~*", b"+@all", b"-config")
    found = texts(examine(gather(user(own_redis), PREFIX), Expected()))
    assert "maxmemory-policy is allkeys-lru: opt-outs may be evicted" in found
    assert "appendonly is off: a restart loses opt-outs" in found


def test_the_embedded_server_is_fit_and_empty(own_redis: EmbeddedRedis) -> None:
    found = examine(gather(own_redis.address, PREFIX, timeout_s=5), Expected())
    assert [check.what for check in found if check.level is not Level.OK] == ["the database is empty"]


def test_a_replica_is_told_from_its_primary(tmp_path: Path) -> None:
    with plain_redis(tmp_path / "primary") as (primary, _), plain_redis(tmp_path / "replica") as (replica, _):
        replicate(primary, replica)
        assert "1 replicas are connected, 1 are required" in texts(examine(gather(primary, PREFIX), Expected(1)))
        found = examine(gather(replica, PREFIX), Expected())
        assert [check.what for check in found if check.level is Level.ERROR][:2] == [
            "the server is a replica: it takes no opt-out",
            "a choice cannot be stored: the store refuses: it is a read-only replica",
        ]


REFUSING: dict[str, tuple[tuple[bytes, ...], str]] = {
    "memory is full": ((b"CONFIG", b"SET", b"maxmemory", b"1"), "out of memory"),
    "too few replicas": ((b"CONFIG", b"SET", b"min-replicas-to-write", b"1"), "too few replicas"),
    "no permission": ((b"ACL", b"SETUSER", b"limited", b"-evalsha", b"-eval"), "lacks a permission"),
}


@pytest.mark.fault(row=24)
@pytest.mark.parametrize(("fault", "problem"), REFUSING.values(), ids=REFUSING)
def test_a_store_that_would_refuse_a_choice_is_found(
    own_redis: EmbeddedRedis, own_store: OpenRedisStore, fault: tuple[bytes, ...], problem: str
) -> None:
    own_store.command(b"ACL", b"SETUSER", b"limited", b"on", b">hush", b"~*", b"+@all")
    own_store.command(*fault)
    worst = examine(gather(user(own_redis), PREFIX), Expected())[0]
    assert (worst.level, problem in worst.what) == (Level.ERROR, True)


def test_what_it_may_not_ask_is_unknown(own_redis: EmbeddedRedis, own_store: OpenRedisStore) -> None:
    own_store.command(b"ACL", b"SETUSER", b"limited", b"on", b">hush", b"~*", b"+ping")
    facts = gather(user(own_redis), PREFIX)
    assert facts._replace(ping_ms=None, refusal="") == Facts()


def test_a_server_that_is_not_there_or_not_well_is_one_finding(tmp_path: Path) -> None:
    assert len(examine(gather(RedisAddress(path=str(tmp_path / "nobody")), PREFIX), Expected())) == 1
    with scripted_server(tmp_path, saying(b"-LOADING Redis is loading\r\n")) as address:
        found = examine(gather(address, PREFIX), Expected())
    assert [(each.level, "loading" in each.what) for each in found] == [(Level.ERROR, True)]


def user(server: EmbeddedRedis) -> RedisAddress:
    return RedisAddress(path=server.address.path, username="limited", password="hush")


def texts(found: list[PreflightCheck]) -> list[str]:
    return [check.what for check in found]
