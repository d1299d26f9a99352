"""The store is emptied, replaced, restored or another's: everyone is LIMITED, nothing is recorded, and it is told."""

import io
import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import grpc
import pytest
from adtargeting.v1 import profile_pb2 as profiles
from adtargeting.v1 import targeting_pb2 as pb
from adtargeting.v1.profile_pb2_grpc import ProfileServiceStub
from adtargeting.v1.targeting_pb2_grpc import TargetingServiceStub
from prometheus_client import generate_latest

from server.app import Service
from server.cli.main import main
from server.settings import Settings, SettingsError
from server.store.epoch_memory import SUFFIX
from server.store.keys import Pseudonyms
from server.store.redis.handshake import open_connection
from server.store.redis.primary import Primary
from server.store.redis.store import RedisStore
from targeting.model import Mode
from tests.faults.redis_process import ON_DISK, RedisProcess
from tests.rpc import health
from tests.server.calls.direct_service import Service as DirectService
from tests.server.calls.direct_service import viewed
from tests.server.running_service import BOB, opt_out, settings, wait_until
from tests.server.store.fake_store import PSEUDONYMS

ALICE = pb.DecideRequest(account_id="alice", ip="8.8.8.8")
IDENTITY = b"adt:{meta}:store"
WRITING = ("adtargeting.v1.PreferenceService", "adtargeting.v1.ProfileService")


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisProcess]:
    with RedisProcess(tmp_path / "redis", *ON_DISK) as process:
        yield process


@pytest.fixture
def of_redis(redis: RedisProcess, tmp_path: Path) -> Settings:
    return settings(tmp_path, redis_url=f"redis://127.0.0.1:{redis.port}/0")


@pytest.fixture
def service(of_redis: Settings) -> Iterator[Service]:
    with Service(of_redis) as running:
        yield running


@pytest.fixture
def channel(service: Service) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(service.address) as opened:
        yield opened


def decided(channel: grpc.Channel, request: pb.DecideRequest = BOB) -> str:
    answer = TargetingServiceStub(channel).Decide(request, timeout=10)
    return " ".join([pb.Mode.Name(answer.mode)[5:], *(pb.Reason.Name(reason)[7:] for reason in answer.reasons)])


def record(channel: grpc.Channel, account: str = "bob") -> str:
    request = profiles.RecordActivityRequest(activities=[viewed(account_id=account)])
    try:
        answer = ProfileServiceStub(channel).RecordActivity(request, timeout=10)
    except grpc.RpcError as problem:
        return str(problem.code().name)
    return profiles.Outcome.Name(answer.results[0].outcome)[8:]


def known(channel: grpc.Channel) -> None:
    """Bob has a profile, and Alice has opted out."""
    assert record(channel) == "RECORDED"
    opt_out(channel)
    assert decided(channel) == "BEHAVIOURAL"


def of_another_epoch(redis: RedisProcess) -> bytes:
    """Return the store's record as an earlier or later store of the same key would have it."""
    record = redis.ask(b"GET", IDENTITY)
    assert isinstance(record, bytes)
    return re.sub(rb"(?<=epoch=)\w+", lambda epoch: epoch[0][::-1], record)


def restore_an_earlier_store(redis: RedisProcess) -> None:
    """Put a backup in the place of the store: of another epoch, and without any record of a person."""
    record = of_another_epoch(redis)
    redis.ask(b"FLUSHALL")
    redis.ask(b"SET", IDENTITY, record)


LOSSES: dict[str, Callable[[RedisProcess], object]] = {
    "emptied": lambda redis: redis.ask(b"FLUSHALL"),
    "restarted empty": RedisProcess.lose_data,
    "another database in its place": lambda redis: redis.ask(b"SWAPDB", b"0", b"1"),
    "its record removed": lambda redis: redis.ask(b"DEL", IDENTITY),
    "its record of another type": lambda redis: (redis.ask(b"DEL", IDENTITY), redis.ask(b"HSET", IDENTITY, b"a", b"b")),
    "a backup of another service's store": lambda redis: redis.ask(b"SET", IDENTITY, b"adt1 epoch=00 key=00 made=1"),
    "a backup of another store of this service": lambda redis: redis.ask(b"SET", IDENTITY, of_another_epoch(redis)),
}


class Operator(Protocol):
    """Runs a command line against the store of the service, and types what it asks for."""

    def __call__(self, *argv: str, typed: str = "") -> int: ...


@pytest.fixture
def operator(of_redis: Settings, monkeypatch: pytest.MonkeyPatch) -> Operator:
    monkeypatch.setenv("ADTARGETING_REDIS_URL", of_redis.redis_url)
    monkeypatch.setenv("ADTARGETING_DATA_DIR", str(of_redis.data_dir))

    def run(*argv: str, typed: str = "") -> int:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed + "\n"))
        return main(argv)

    return run


class TestWhileItServes:
    @pytest.mark.parametrize("lose", LOSSES.values(), ids=LOSSES)
    @pytest.mark.fault(row=3)
    def test_everybody_is_limited_and_nothing_is_recorded(
        self,
        lose: Callable[[RedisProcess], object],
        redis: RedisProcess,
        service: Service,
        channel: grpc.Channel,
        operator: Operator,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        known(channel)
        lose(redis)
        wait_until(lambda: decided(channel) == "LIMITED PREFERENCE_LOST")
        assert decided(channel, ALICE) == "LIMITED PREFERENCE_LOST"
        assert record(channel, "carol") == "UNAVAILABLE"
        with pytest.raises(grpc.RpcError):
            opt_out(channel)
        wait_until(lambda: {health(channel, each) for each in WRITING} == {"NOT_SERVING"})
        wait_until(lambda: b"adtargeting_store_trusted 0.0" in generate_latest(service.metrics.registry))
        assert "store not trusted" in caplog.text
        assert operator("preflight") == 1

    @pytest.mark.fault(row=3)
    def test_an_operator_accepts_it_and_it_is_used_again(
        self,
        redis: RedisProcess,
        service: Service,
        channel: grpc.Channel,
        operator: Operator,
    ) -> None:
        known(channel)
        redis.ask(b"FLUSHALL")
        wait_until(lambda: health(channel, WRITING[0]) == "NOT_SERVING")
        assert operator("store", "trust", typed=f"redis://127.0.0.1:{redis.port}/0 7") == 1
        assert decided(channel) == "LIMITED PREFERENCE_LOST"
        assert operator("store", "trust", typed=f"redis://127.0.0.1:{redis.port}/0 0") == 0
        wait_until(lambda: health(channel, WRITING[0]) == "SERVING")
        assert decided(channel) == "LIMITED NO_PROFILE"
        assert record(channel) == "RECORDED"
        assert decided(channel) == "BEHAVIOURAL"

    @pytest.mark.fault(row=3, protection_off=True)
    def test_unchecked_an_opted_out_person_becomes_behavioural(self, redis: RedisProcess) -> None:
        with closing(RedisStore(Primary(redis.address), PSEUDONYMS)) as store:
            service = DirectService(store, store)
            service.opt_out(account_id="alice")
            redis.ask(b"FLUSHALL")
            service.record(viewed(account_id="alice"))
            assert service.decide("alice").mode is Mode.BEHAVIOURAL


class TestAtTheStart:
    @pytest.mark.fault(row=22)
    def test_two_instances_with_two_keys_cannot_both_serve(
        self, service: Service, channel: grpc.Channel, of_redis: Settings, tmp_path: Path
    ) -> None:
        known(channel)
        with pytest.raises(SettingsError, match=f"belongs to the secret key {service.store.key.fingerprint}"):
            Service(with_key(of_redis, tmp_path)).__enter__()

    @pytest.mark.fault(row=22, protection_off=True)
    def test_unchecked_confirmed_opt_outs_are_invisible_to_the_second(self, redis: RedisProcess) -> None:
        other = Pseudonyms(b"another secret of a second instance")
        with (
            closing(RedisStore(Primary(redis.address), PSEUDONYMS)) as first,
            closing(RedisStore(Primary(redis.address), other)) as second,
        ):
            DirectService(first, first).opt_out(account_id="alice")
            unaware = DirectService(second, second)
            unaware.record(viewed(account_id="alice"))
            assert unaware.decide("alice").mode is Mode.BEHAVIOURAL

    def test_two_with_one_key_serve_the_same_choices(
        self, service: Service, channel: grpc.Channel, of_redis: Settings, tmp_path: Path
    ) -> None:
        known(channel)
        key = of_redis.data_dir / "secret.key"
        with (
            Service(replace(of_redis, data_dir=tmp_path / "second", secret_key_file=str(key))) as second,
            grpc.insecure_channel(second.address) as to_second,
        ):
            assert (decided(to_second), decided(to_second, ALICE)) == ("BEHAVIOURAL", "LIMITED ACCOUNT_OPT_OUT")

    @pytest.mark.parametrize("accepted", [False, True], ids=["as it is", "once accepted"])
    @pytest.mark.fault(row=3)
    def test_records_without_a_record_of_the_store_limit_everybody(
        self, redis: RedisProcess, of_redis: Settings, operator: Operator, *, accepted: bool
    ) -> None:
        with Service(of_redis) as service, grpc.insecure_channel(service.address) as channel:
            known(channel)
        redis.ask(b"DEL", IDENTITY)
        if accepted:
            assert operator("store", "trust", typed=f"redis://127.0.0.1:{redis.port}/0 3") == 0
        with Service(of_redis) as service, grpc.insecure_channel(service.address) as channel:
            assert decided(channel) == ("BEHAVIOURAL" if accepted else "LIMITED PREFERENCE_LOST")
            assert health(channel, WRITING[0]) == ("SERVING" if accepted else "NOT_SERVING")

    @pytest.mark.parametrize("protected", [True, False], ids=["protected", "unprotected"])
    @pytest.mark.parametrize("lose", [LOSSES["emptied"], restore_an_earlier_store], ids=["emptied", "backup"])
    @pytest.mark.fault(row=3)
    def test_a_store_that_was_lost_while_nothing_ran_is_not_used(
        self,
        lose: Callable[[RedisProcess], object],
        redis: RedisProcess,
        of_redis: Settings,
        operator: Operator,
        *,
        protected: bool,
    ) -> None:
        """The protection is the epoch beside the key, which is removed to have it off."""
        with Service(of_redis) as service, grpc.insecure_channel(service.address) as channel:
            known(channel)
        lose(redis)
        if not protected:
            (of_redis.data_dir / f"secret.key{SUFFIX}").unlink()
        with Service(of_redis) as service, grpc.insecure_channel(service.address) as channel:
            assert record(channel, "alice") == ("UNAVAILABLE" if protected else "RECORDED")
            assert decided(channel, ALICE) == ("LIMITED PREFERENCE_LOST" if protected else "BEHAVIOURAL")
            if protected:
                assert operator("preflight") == 1
                assert operator("store", "trust", typed=f"redis://127.0.0.1:{redis.port}/0 0") == 0
                wait_until(lambda: health(channel, WRITING[0]) == "SERVING")

    def test_an_embedded_store_from_before_is_adopted(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        with Service(settings(tmp_path)) as service, grpc.insecure_channel(service.address) as channel:
            known(channel)
            with closing(open_connection(service.store.redis, 5)) as connection:
                connection.ask((b"DEL", IDENTITY), time.monotonic() + 5)
        with Service(settings(tmp_path)) as service, grpc.insecure_channel(service.address) as channel:
            assert decided(channel) == "BEHAVIOURAL"
        assert "store adopted" in caplog.text

    @pytest.mark.fault(row=22)
    def test_a_store_that_was_down_and_is_anothers_limits_everybody(
        self, redis: RedisProcess, service: Service, channel: grpc.Channel, of_redis: Settings, tmp_path: Path
    ) -> None:
        known(channel)
        redis.kill()
        with Service(with_key(of_redis, tmp_path)) as other, grpc.insecure_channel(other.address) as to_other:
            assert decided(to_other).startswith("LIMITED STORE_")
            redis.start()
            wait_until(lambda: decided(to_other) == "LIMITED PREFERENCE_LOST")


def with_key(of_redis: Settings, directory: Path) -> Settings:
    """The settings of an instance that has a secret key of its own."""
    path = directory / "other.key"
    path.write_text("5a" * 32 + "\n", encoding="ascii")
    return replace(of_redis, data_dir=directory / "other", secret_key_file=str(path))


class TestTheOperator:
    def test_sees_whose_the_store_is_and_what_it_holds(
        self, service: Service, channel: grpc.Channel, operator: Operator, capsys: pytest.CaptureFixture[str]
    ) -> None:
        known(channel)
        capsys.readouterr()
        assert operator("store", "show") == 0
        shown = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
        assert shown["its"] == f"key      {service.store.key.fingerprint}"
        assert shown["primaries"] == "1"
        assert shown["preferences"] == "2 accounts, 0 devices"
        assert shown["profiles"] == "1"
        assert shown["newest"].endswith("UTC")

    def test_may_not_accept_the_store_of_another_key(
        self, redis: RedisProcess, service: Service, operator: Operator
    ) -> None:
        redis.ask(b"SET", IDENTITY, b"adt1 epoch=00 key=00 made=1")
        assert operator("store", "trust", typed=f"redis://127.0.0.1:{redis.port}/0 0") == 2
