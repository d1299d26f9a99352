"""The whole service and its store: lost, stalled, slow, and back again."""

import os
import signal
import time
from pathlib import Path
from threading import Timer

import grpc
import pytest
from adtargeting.v1 import preference_pb2 as pref
from adtargeting.v1 import profile_pb2 as prof
from adtargeting.v1 import targeting_pb2 as pb
from adtargeting.v1.preference_pb2_grpc import PreferenceServiceStub
from adtargeting.v1.profile_pb2_grpc import ProfileServiceStub
from adtargeting.v1.targeting_pb2_grpc import TargetingServiceStub

from server.app import Service
from server.store.embedded import server as embedded
from server.store.embedded.binary import EmbeddedStoreError
from server.store.embedded.server import EmbeddedRedis
from server.store.redis.handshake import open_connection
from tests.rpc import health
from tests.server.running_service import ALICE, BOB, WITH_SIGNAL, opt_out, settings, wait_until


def test_an_unconfirmed_choice_is_watched_until_the_disk_has_it(tmp_path: Path) -> None:
    with (
        EmbeddedRedis(tmp_path / "redis") as redis,
        Service(settings(tmp_path, redis_url=redis.url, confirm_on_disk="yes", write_budget_ms=500)) as service,
        grpc.insecure_channel(service.address) as channel,
    ):
        set_fsync(redis, b"no")
        assert opt_out(channel).durability == pref.DURABILITY_UNCONFIRMED

        def age_s() -> float:
            return service.metrics.registry.get_sample_value("adtargeting_unconfirmed_preference_age_seconds") or 0.0

        wait_until(lambda: age_s() > 0)
        set_fsync(redis, b"always")
        wait_until(lambda: age_s() == 0)


def set_fsync(redis: EmbeddedRedis, value: bytes) -> None:
    link = open_connection(redis.address, 5)
    link.ask((b"CONFIG", b"SET", b"appendfsync", value), time.monotonic() + 5)
    link.close()


def test_choices_wait_for_the_replicas_that_are_asked_for(tmp_path: Path) -> None:
    with (
        EmbeddedRedis(tmp_path / "redis") as redis,
        Service(settings(tmp_path, redis_url=redis.url, replicas=1, write_budget_ms=500)) as service,
        grpc.insecure_channel(service.address) as channel,
    ):
        answer = opt_out(channel)
        assert (answer.durability, answer.replicas_acknowledged) == (pref.DURABILITY_UNCONFIRMED, 0)
        assert answer.missing_confirmations == [pref.CONFIRMATION_REPLICAS]


def test_a_signal_that_was_stored_waits_for_them_too(tmp_path: Path) -> None:
    with (
        EmbeddedRedis(tmp_path / "redis") as redis,
        Service(settings(tmp_path, redis_url=redis.url, replicas=1, write_budget_ms=500)) as service,
        grpc.insecure_channel(service.address) as channel,
    ):
        TargetingServiceStub(channel).Decide(WITH_SIGNAL, timeout=10)
        age = "adtargeting_unconfirmed_preference_age_seconds"
        wait_until(lambda: (service.metrics.registry.get_sample_value(age) or 0) > 0)


def test_a_write_has_the_budget_that_is_set(tmp_path: Path) -> None:
    with (
        EmbeddedRedis(tmp_path / "redis") as redis,
        Service(settings(tmp_path, redis_url=redis.url, write_budget_ms=9_000)) as service,
        grpc.insecure_channel(service.address) as channel,
    ):
        opt_out(channel)
        os.kill(redis.pid, signal.SIGSTOP)
        # Longer than any budget that would be taken in its place.
        Timer(1.5, os.kill, (redis.pid, signal.SIGCONT)).start()
        assert opt_out(channel).version == 2


def test_a_lost_redis_limits_and_a_found_one_serves_again(tmp_path: Path) -> None:
    with (
        EmbeddedRedis(tmp_path / "redis") as redis,
        Service(settings(tmp_path, redis_url=redis.url)) as service,
        grpc.insecure_channel(service.address) as channel,
    ):
        stub = TargetingServiceStub(channel)
        opt_out(channel)
        redis.stop()
        reasons = {pb.REASON_STORE_UNAVAILABLE, pb.REASON_STORE_TIMEOUT}
        for _ in range(8):
            answer = stub.Decide(ALICE, timeout=10)
            assert answer.mode == pb.MODE_LIMITED
            assert set(answer.reasons) < reasons
            assert answer.limited.country == "US"
        assert service.metrics.registry.get_sample_value("adtargeting_circuit_open") == 1
        with pytest.raises(grpc.RpcError) as caught:
            opt_out(channel)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        wait_until(lambda: health(channel, "adtargeting.v1.PreferenceService") == "NOT_SERVING")
        assert health(channel) == health(channel, "adtargeting.v1.TargetingService") == "SERVING"
        redis.start()
        wait_until(lambda: list(stub.Decide(ALICE, timeout=10).reasons) == [pb.REASON_ACCOUNT_OPT_OUT])
        wait_until(lambda: health(channel, "adtargeting.v1.PreferenceService") == "SERVING")


@pytest.mark.fault(row=12)
def test_an_embedded_redis_that_is_killed_comes_back_with_all_that_was_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Held down by a server program that is not to be found, so that the outage is seen however quick the restart."""
    with Service(settings(tmp_path)) as service, grpc.insecure_channel(service.address) as channel:
        stub, preferences = TargetingServiceStub(channel), "adtargeting.v1.PreferenceService"
        opt_out(channel)
        visit = prof.Activity(account_id="bob", kind=prof.ACTIVITY_KIND_CONTENT, segment_ids=["243"])
        visit.client.country = "US"
        ProfileServiceStub(channel).RecordActivity(prof.RecordActivityRequest(activities=[visit]), timeout=10)
        assert stub.Decide(BOB, timeout=10).mode == pb.MODE_BEHAVIOURAL
        caplog.clear()
        with monkeypatch.context() as patch:
            patch.setattr(embedded, "find_server", no_server)
            os.kill(process_id(service), signal.SIGKILL)
            wait_until(lambda: stub.Decide(BOB, timeout=10).mode == pb.MODE_LIMITED)
            wait_until(lambda: health(channel, preferences) == "NOT_SERVING")
            wait_until(lambda: any("cannot be restarted" in line for line in caplog.messages))
        wait_until(lambda: stub.Decide(BOB, timeout=10).mode == pb.MODE_BEHAVIOURAL)
        assert list(stub.Decide(ALICE, timeout=10).reasons) == [pb.REASON_ACCOUNT_OPT_OUT]
        wait_until(lambda: health(channel, preferences) == "SERVING")
    assert sum("restarted on its data" in line for line in caplog.messages) == 1


def no_server() -> Path:
    raise EmbeddedStoreError("there is none")


def process_id(service: Service) -> int:
    link = open_connection(service.store.redis, 5)
    told = link.ask((b"INFO", b"server"), time.monotonic() + 5).decode()
    link.close()
    return int(told.split("process_id:")[1].split()[0])


def test_writes_that_wait_for_a_stalled_store_take_no_room_from_decisions(tmp_path: Path) -> None:
    """More writes than there is room for, each kept waiting by a store that neither answers nor refuses."""
    with (
        EmbeddedRedis(tmp_path / "redis") as redis,
        Service(settings(tmp_path, redis_url=redis.url, max_inflight=4, decision_budget_ms=300)) as service,
        grpc.insecure_channel(service.address) as channel,
    ):
        request = pref.SetPreferenceRequest(account_id="alice", choice=pref.CHOICE_OPT_OUT)
        stub = TargetingServiceStub(channel)
        os.kill(redis.pid, signal.SIGSTOP)
        try:
            writes = [PreferenceServiceStub(channel).SetPreference.future(request, timeout=30) for _ in range(40)]
            while not service.metrics.registry.get_sample_value("adtargeting_circuit_open"):
                assert stub.Decide(ALICE, timeout=30).mode == pb.MODE_LIMITED
            ends = {write.code() for write in writes}
            # By now no call waits for the store: there is room, and a write is refused at once.
            with pytest.raises(grpc.RpcError) as caught:
                opt_out(channel)
        finally:
            os.kill(redis.pid, signal.SIGCONT)
        assert (
            grpc.StatusCode.UNAVAILABLE
            in ends
            <= {
                grpc.StatusCode.UNAVAILABLE,
                grpc.StatusCode.RESOURCE_EXHAUSTED,
            }
        )
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        wait_until(lambda: service.metrics.registry.get_sample_value("adtargeting_circuit_open") == 0)
        assert opt_out(channel).durability == pref.DURABILITY_CONFIRMED
        failed = service.metrics.registry.get_sample_value(
            "adtargeting_store_errors_total", {"operation": "read", "kind": "unavailable"}
        )
        assert failed


def test_an_unreachable_redis_at_the_start_only_degrades(tmp_path: Path) -> None:
    nowhere = settings(tmp_path, redis_url=f"unix://{tmp_path}/none.sock")
    with Service(nowhere) as service, grpc.insecure_channel(service.address) as channel:
        assert health(channel) == "SERVING"
        assert health(channel, "adtargeting.v1.ProfileService") == "NOT_SERVING"
        assert TargetingServiceStub(channel).Decide(ALICE, timeout=10).mode == pb.MODE_LIMITED
