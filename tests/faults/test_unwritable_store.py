"""A store that could not keep a choice: the writing services are NOT_SERVING, and one line of the log says why."""

import time
from collections.abc import Iterator
from contextlib import closing, nullcontext
from pathlib import Path

import grpc
import pytest
from adtargeting.v1 import preference_pb2 as preferences
from adtargeting.v1.preference_pb2_grpc import PreferenceServiceStub

from server.app import Service
from server.settings import Settings
from server.store.embedded.server import EmbeddedRedis
from server.store.ports import StoreUnavailable
from server.store.redis.handshake import open_connection
from server.store.redis.primary import Primary
from server.store.redis.probe import ServerCheck, StoreProbe
from server.store.refusals import WriteRefusals
from tests.faults.matrix.marks import Figure
from tests.faults.redis_process import ON_DISK, PATIENCE_S, RedisProcess
from tests.rpc import health
from tests.server.running_service import opt_out, settings, wait_until

WRITING = ("adtargeting.v1.PreferenceService", "adtargeting.v1.ProfileService")


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisProcess]:
    with RedisProcess(tmp_path / "redis", *ON_DISK) as process:
        yield process


def limited(tmp_path: Path, redis: RedisProcess, **more: int) -> Settings:
    """The settings of a service whose user may do everything, until a test takes something away."""
    redis.ask(b"ACL", b"SETUSER", b"limited", b"on", b">hush", b"~*", b"+@all")
    return settings(tmp_path, redis_url=f"redis://limited:hush@127.0.0.1:{redis.port}/0", **more)


FAULTS: dict[str, tuple[tuple[bytes, ...], tuple[bytes, ...], str]] = {
    "memory full": (
        (b"CONFIG", b"SET", b"maxmemory", b"1"),
        (b"CONFIG", b"SET", b"maxmemory", b"0"),
        "it is out of memory",
    ),
    "an evicting policy": (
        (b"CONFIG", b"SET", b"maxmemory-policy", b"allkeys-lru", b"maxmemory", b"100mb"),
        (b"CONFIG", b"SET", b"maxmemory-policy", b"noeviction"),
        "maxmemory-policy is allkeys-lru, which evicts them",
    ),
    "a replica": (
        (b"REPLICAOF", b"127.0.0.1", b"1"),
        (b"REPLICAOF", b"NO", b"ONE"),
        "it is a read-only replica",
    ),
    "no permission for scripts": (
        (b"ACL", b"SETUSER", b"limited", b"-evalsha", b"-eval"),
        (b"ACL", b"SETUSER", b"limited", b"+evalsha", b"+eval"),
        "its user lacks a permission",
    ),
    "too few replicas for its own settings": (
        (b"CONFIG", b"SET", b"min-replicas-to-write", b"1"),
        (b"CONFIG", b"SET", b"min-replicas-to-write", b"0"),
        "it has too few replicas",
    ),
}


ROWS = {"memory full": 6, "an evicting policy": 6}
CASES = [
    pytest.param(*fault, id=name, marks=pytest.mark.fault(row=ROWS.get(name, 24))) for name, fault in FAULTS.items()
]


@pytest.mark.parametrize(("fault", "repair", "cause"), CASES)
def test_it_is_told_with_its_cause_and_when_it_is_over(
    tmp_path: Path,
    redis: RedisProcess,
    caplog: pytest.LogCaptureFixture,
    fault: tuple[bytes, ...],
    repair: tuple[bytes, ...],
    cause: str,
) -> None:
    with Service(limited(tmp_path, redis)) as service, grpc.insecure_channel(service.address) as channel:
        assert opt_out(channel).durability == preferences.DURABILITY_CONFIRMED
        redis.ask(*fault)
        wait_until(lambda: {health(channel, each) for each in WRITING} == {"NOT_SERVING"})
        wait_until(lambda: is_writable(service) == 0)
        assert health(channel, "adtargeting.v1.TargetingService") == "SERVING"
        redis.ask(*repair)
        wait_until(lambda: {health(channel, each) for each in WRITING} == {"SERVING"})
        wait_until(lambda: is_writable(service) == 1)
    lines = [line for line in caplog.messages if "preferences and profiles are" in line]
    assert [cause in line for line in lines] == [True, False]
    assert "hush" not in caplog.text


def is_writable(service: Service) -> float | None:
    return service.metrics.registry.get_sample_value("adtargeting_store_writable")


EVICTING = [f"{keys}-{which}" for keys in ("allkeys", "volatile") for which in ("lru", "lfu", "random")]


@pytest.mark.fault(row=6)
@pytest.mark.parametrize("policy", [*EVICTING, "volatile-ttl"])
def test_every_policy_that_evicts_is_found_once_there_is_a_limit(redis_server: EmbeddedRedis, policy: str) -> None:
    primary = Primary(redis_server.address)
    with (
        closing(ServerCheck(primary.open, primary.renewal, b"adt:{meta}:probe", 0)) as check,
        closing(open_connection(redis_server.address, PATIENCE_S)) as link,
    ):
        for limit in (b"0", b"100mb"):
            link.ask((b"CONFIG", b"SET", b"maxmemory-policy", policy.encode(), b"maxmemory", limit), soon_s())
            with nullcontext() if limit == b"0" else pytest.raises(StoreUnavailable, match=f"{policy}, which evicts"):
                check.check(soon_s())
        link.ask((b"CONFIG", b"SET", b"maxmemory-policy", b"noeviction", b"maxmemory", b"0"), soon_s())


def soon_s() -> float:
    return time.monotonic() + PATIENCE_S


@pytest.mark.fault(row=24)
def test_writes_that_are_refused_count_though_the_health_checks_own_is_not(
    tmp_path: Path, redis: RedisProcess, caplog: pytest.LogCaptureFixture
) -> None:
    with Service(limited(tmp_path, redis)) as service, grpc.insecure_channel(service.address) as channel:
        redis.ask(b"ACL", b"SETUSER", b"limited", b"resetkeys", b"~adt:{meta}:*", b"%R~*")
        for _ in range(3):
            with pytest.raises(grpc.RpcError):
                opt_out(channel)
        wait_until(lambda: health(channel, WRITING[0]) == "NOT_SERVING")
    assert "its user lacks a permission" in caplog.text


@pytest.mark.fault(row=24)
def test_without_the_replicas_that_are_required_it_is_not_served(
    tmp_path: Path, redis: RedisProcess, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        RedisProcess(tmp_path / "replica", *ON_DISK) as replica,
        Service(limited(tmp_path, redis, replicas=1)) as service,
        grpc.insecure_channel(service.address) as channel,
    ):
        assert health(channel, WRITING[0]) == "NOT_SERVING"
        replica.follow("127.0.0.1", redis.port)
        wait_until(lambda: health(channel, WRITING[0]) == "SERVING")
    assert "0 replicas are connected, 1 are required" in caplog.text


@pytest.fixture
def pings(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """The health check is a ping, of which this list has one each, and refused writes do not count: protection off."""
    made: list[None] = []
    check = StoreProbe.check

    def ping(probe: StoreProbe, timeout_s: float) -> None:
        if made:
            probe._server.connect(time.monotonic() + timeout_s).ask((b"PING",), time.monotonic() + timeout_s)
        else:
            check(probe, timeout_s)  # takes the store into use
        made.append(None)

    monkeypatch.setattr(StoreProbe, "check", ping)
    monkeypatch.setattr(WriteRefusals, "refused", lambda *_: None)
    return made


@pytest.mark.fault(row=24, protection_off=True)
def test_pinged_it_is_served_although_it_refuses_choices(
    tmp_path: Path, redis: RedisProcess, pings: list[None]
) -> None:
    with Service(limited(tmp_path, redis)) as service, grpc.insecure_channel(service.address) as channel:
        redis.ask(b"ACL", b"SETUSER", b"limited", b"-evalsha", b"-eval")
        for _ in range(3):
            with pytest.raises(grpc.RpcError):
                opt_out(channel)
        before = len(pings)
        wait_until(lambda: len(pings) >= before + 2)
        assert health(channel, WRITING[0]) == "SERVING"


@pytest.mark.fault(row=6, protection_off=True)
def test_pinged_it_is_served_although_it_evicts_opt_outs(
    tmp_path: Path, redis: RedisProcess, pings: list[None], figure: Figure
) -> None:
    redis.ask(b"CONFIG", b"SET", b"maxmemory-policy", b"allkeys-random")
    with Service(limited(tmp_path, redis)) as service, grpc.insecure_channel(service.address) as channel:
        people = [f"person {number}" for number in range(200)]
        for account in people:
            PreferenceServiceStub(channel).SetPreference(
                preferences.SetPreferenceRequest(account_id=account, choice=preferences.CHOICE_OPT_OUT), timeout=10
            )
        stored = opted_out(redis)
        while len(held := opted_out(redis)) == len(stored):
            redis.ask(b"CONFIG", b"SET", b"maxmemory", b"%d" % (used_bytes(redis) - 20_000))
        before = len(pings)
        wait_until(lambda: len(pings) >= before + 2)
        assert health(channel, WRITING[0]) == "SERVING"
    figure(f"{len(stored) - len(held)} of {len(stored)} opt-outs evicted while SERVING")


def opted_out(redis: RedisProcess) -> list[bytes]:
    keys = redis.ask(b"KEYS", b"adt:{a:*:pref")
    assert isinstance(keys, list)
    return keys


def used_bytes(redis: RedisProcess) -> int:
    info = redis.ask(b"INFO", b"memory")
    assert isinstance(info, bytes)
    return int(info.split(b"used_memory:")[1].split()[0])


def test_what_preflight_finds_is_told_at_the_start(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with (
        RedisProcess(tmp_path / "memory", "--appendonly", "no", "--maxmemory-policy", "allkeys-lru") as redis,
        Service(limited(tmp_path, redis)) as service,
        grpc.insecure_channel(service.address) as channel,
    ):
        assert opt_out(channel).durability == preferences.DURABILITY_UNCONFIRMED
        assert not service.store.can_confirm()
    for told in ("opt-outs may be evicted", "a restart loses opt-outs", "only ever acknowledged as UNCONFIRMED"):
        assert told in caplog.text
