"""The whole service and its secret key: created for a store without records only, and never replaced."""

from pathlib import Path

import grpc
import pytest
from adtargeting.v1 import targeting_pb2 as pb
from adtargeting.v1.targeting_pb2_grpc import TargetingServiceStub

from server.app import Service
from server.settings import SettingsError
from server.store.embedded.server import EmbeddedRedis
from tests.server.running_service import ALICE, opt_out, settings, wait_until


def reasons(channel: grpc.Channel) -> set[int]:
    return set(TargetingServiceStub(channel).Decide(ALICE, timeout=10).reasons)


def store_an_opt_out(tmp_path: Path, redis_url: str = "") -> None:
    with Service(settings(tmp_path, redis_url=redis_url)) as service, grpc.insecure_channel(service.address) as channel:
        opt_out(channel)


@pytest.mark.fault(row=22)
def test_a_key_lost_from_the_data_directory_stops_the_start_and_its_return_finds_the_choices(tmp_path: Path) -> None:
    store_an_opt_out(tmp_path)
    key = tmp_path / "data" / "secret.key"
    key.rename(tmp_path / "elsewhere")
    with pytest.raises(SettingsError, match=r"^ADTARGETING_DATA_DIR: secret\.key is missing, but the store has"):
        store_an_opt_out(tmp_path)
    assert not key.exists()
    (tmp_path / "elsewhere").rename(key)
    with Service(settings(tmp_path)) as service, grpc.insecure_channel(service.address) as channel:
        assert reasons(channel) == {pb.REASON_ACCOUNT_OPT_OUT}


@pytest.mark.fault(row=22)
def test_a_second_instance_without_the_key_does_not_start(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    with EmbeddedRedis(tmp_path / "redis") as redis:
        store_an_opt_out(tmp_path / "first", redis.url)
        with pytest.raises(SettingsError, match="the store has records; restore the key"):
            store_an_opt_out(tmp_path / "second", redis.url)


@pytest.mark.fault(row=22)
def test_a_store_that_turns_out_to_have_records_is_not_used_without_its_key(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The store is down when the second instance starts; in its place a key would hide every choice."""
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    redis = EmbeddedRedis(tmp_path / "redis")
    with redis:
        store_an_opt_out(tmp_path / "first", redis.url)
    with (
        Service(settings(tmp_path / "second", redis_url=redis.url)) as service,
        grpc.insecure_channel(service.address) as channel,
    ):
        assert reasons(channel) == {pb.REASON_STORE_UNAVAILABLE}
        with redis:
            wait_until(lambda: any("store not used, serving LIMITED" in line for line in caplog.messages))
            assert reasons(channel) == {pb.REASON_STORE_UNAVAILABLE}
    assert not (tmp_path / "second" / "data" / "secret.key").exists()


def test_an_empty_store_that_was_down_is_used_once_it_answers(tmp_path: Path) -> None:
    redis = EmbeddedRedis(tmp_path / "redis")
    with (
        Service(settings(tmp_path, redis_url=redis.url)) as service,
        grpc.insecure_channel(service.address) as channel,
    ):
        assert reasons(channel) == {pb.REASON_STORE_UNAVAILABLE}
        with redis:
            wait_until(lambda: pb.REASON_STORE_UNAVAILABLE not in reasons(channel))
            opt_out(channel)
            assert reasons(channel) == {pb.REASON_ACCOUNT_OPT_OUT}
    assert (tmp_path / "data" / "secret.key").exists()
