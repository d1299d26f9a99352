"""The whole service: what starts, what stops the start, and what a lost store does."""

import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from threading import Timer
from typing import Any
from urllib.request import urlopen

import grpc
import pytest
from adtargeting.v1 import preference_pb2 as pref
from adtargeting.v1 import profile_pb2 as prof
from adtargeting.v1 import targeting_pb2 as pb
from adtargeting.v1.preference_pb2_grpc import PreferenceServiceStub
from adtargeting.v1.profile_pb2_grpc import ProfileServiceStub
from adtargeting.v1.targeting_pb2_grpc import TargetingServiceStub
from prometheus_client.parser import text_string_to_metric_families

from server.app import Service
from server.gate.port import GateError
from server.settings import Settings, SettingsError
from server.store.embedded import server as embedded
from server.store.embedded.binary import EmbeddedStoreError
from server.store.embedded.server import EmbeddedRedis
from server.store.redis.connection import open_connection
from tests.rpc import health


def settings(tmp_path: Path, **more: Any) -> Settings:
    given = {"grpc_address": "127.0.0.1:0", "metrics_address": "127.0.0.1:0", "data_dir": tmp_path / "data"}
    patient = {"decision_budget_ms": 2_000, "write_budget_ms": 2_000}
    return Settings(**{**given, **patient, **more})


def wait_until(holds: Callable[[], bool], timeout_s: float = 10) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, "did not come true in time"
        time.sleep(0.02)


BOB = pb.DecideRequest(account_id="bob", ip="8.8.8.8")
ALICE = pb.DecideRequest(account_id="alice", ip="8.8.8.8")
WITH_SIGNAL = pb.DecideRequest(account_id="alice", ip="8.8.8.8", signals=pb.PrivacySignals(global_privacy_control=True))


def opt_out(channel: grpc.Channel) -> pref.SetPreferenceResponse:
    request = pref.SetPreferenceRequest(account_id="alice", choice=pref.CHOICE_OPT_OUT)
    answer: pref.SetPreferenceResponse = PreferenceServiceStub(channel).SetPreference(request, timeout=10)
    return answer


def test_it_serves_sets_itself_up_and_keeps_what_it_was_told(tmp_path: Path) -> None:
    for start in (1, 2):
        with Service(settings(tmp_path)) as service, grpc.insecure_channel(service.address) as channel:
            assert health(channel) == health(channel, "adtargeting.v1.PreferenceService") == "SERVING"
            answer = TargetingServiceStub(channel).Decide(ALICE, timeout=10)
            assert answer.mode == pb.MODE_LIMITED
            if start == 1:
                assert list(answer.reasons) == [pb.REASON_NO_PROFILE]
                assert opt_out(channel).durability == pref.DURABILITY_CONFIRMED
            else:
                assert list(answer.reasons) == [pb.REASON_ACCOUNT_OPT_OUT]


def test_the_metrics_are_those_of_the_contract(tmp_path: Path) -> None:
    with Service(settings(tmp_path)) as service, grpc.insecure_channel(service.address) as channel:
        TargetingServiceStub(channel).Decide(ALICE, timeout=10)
        opt_out(channel)
        with urlopen(f"http://{service.metrics_address}/metrics", timeout=5) as answer:
            families = {each.name: each for each in text_string_to_metric_families(answer.read().decode())}
    calls = [(each.labels, each.value) for each in families["adtargeting_calls"].samples]
    assert calls == [({"method": name, "code": "ok"}, 1.0) for name in ("Decide", "SetPreference")]
    assert families["process_resident_memory_bytes"].samples[0].value > 1 << 20
    contract = {
        "adtargeting_decisions", "adtargeting_limit_reasons", "adtargeting_decision_seconds",
        "adtargeting_store_seconds", "adtargeting_store_errors", "adtargeting_profile_writes",
        "adtargeting_preference_changes", "adtargeting_network_profiles", "adtargeting_signal_decode_errors",
        "adtargeting_circuit_open", "adtargeting_inflight", "adtargeting_policy_info",
    }  # fmt: skip
    assert contract <= families.keys()
    changes = [
        sample for sample in families["adtargeting_preference_changes"].samples if sample.name.endswith("_total")
    ]
    assert [(sample.labels, sample.value) for sample in changes] == [
        ({"choice": "opt_out", "source": "unstated", "durability": "confirmed"}, 1.0)
    ]
    assert not any("alice" in str(sample) for family in families.values() for sample in family.samples)


def test_an_unconfirmed_choice_is_watched_until_the_disk_has_it(tmp_path: Path) -> None:
    with (
        EmbeddedRedis(tmp_path / "redis", fsync="everysec") as redis,
        Service(settings(tmp_path, redis_url=redis.url, confirm_on_disk="yes")) as service,
        grpc.insecure_channel(service.address) as channel,
    ):
        assert opt_out(channel).durability == pref.DURABILITY_UNCONFIRMED

        def age_s() -> float:
            return service.metrics.registry.get_sample_value("adtargeting_unconfirmed_preference_age_seconds") or 0.0

        wait_until(lambda: age_s() > 0)
        link = open_connection(redis.address, 5)
        link.ask((b"CONFIG", b"SET", b"appendfsync", b"always"), time.monotonic() + 5)
        link.close()
        wait_until(lambda: age_s() == 0)


def test_choices_wait_for_the_replicas_that_are_asked_for(tmp_path: Path) -> None:
    with (
        EmbeddedRedis(tmp_path / "redis") as redis,
        Service(settings(tmp_path, redis_url=redis.url, replicas=1, write_budget_ms=500)) as service,
        grpc.insecure_channel(service.address) as channel,
    ):
        answer = opt_out(channel)
        assert (answer.durability, answer.replicas_acknowledged) == (pref.DURABILITY_UNCONFIRMED, 0)


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
        assert caplog.messages == []
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
    link = open_connection(service.redis, 5)
    told = link.ask((b"INFO", b"server"), time.monotonic() + 5).decode()
    link.close()
    return int(told.split("process_id:")[1].split()[0])


def test_writes_that_wait_for_a_stalled_store_take_no_room_from_decisions(tmp_path: Path) -> None:
    """More writes than there is room for, each kept waiting by a store that neither answers nor refuses."""
    with (
        EmbeddedRedis(tmp_path / "redis") as redis,
        Service(settings(tmp_path, redis_url=redis.url, max_inflight=4)) as service,
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
            # By now nobody waits for the store: there is room, and a write is refused at once.
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


def test_a_port_in_use_stops_the_start_and_leaves_nothing_open(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with (
            pytest.raises(GateError, match="ADTARGETING_GRPC_ADDRESS"),
            Service(settings(tmp_path, grpc_address=address)),
        ):
            raise AssertionError("it started")
        with (
            pytest.raises(SettingsError, match="ADTARGETING_METRICS_ADDRESS"),
            Service(settings(tmp_path, metrics_address=address)),
        ):
            raise AssertionError("it started")
    with Service(settings(tmp_path)):
        pass


@pytest.mark.parametrize(
    ("more", "message"),
    [({"gate": "native"}, "ADTARGETING_GATE"), ({"metrics_address": "nonsense"}, "ADTARGETING_METRICS_ADDRESS")],
    ids=["native gate", "metrics address"],
)
def test_settings_that_cannot_be_met_stop_the_start(tmp_path: Path, more: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message), Service(settings(tmp_path, **more)):
        raise AssertionError("it started")


def test_rpcs_of_the_contract_are_all_there(tmp_path: Path) -> None:
    with Service(settings(tmp_path)) as service, grpc.insecure_channel(service.address) as channel:
        with pytest.raises(grpc.RpcError) as caught:
            TargetingServiceStub(channel).Explain(pb.DecideRequest(account_id="x" * 300), timeout=5)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        explained = TargetingServiceStub(channel).Explain(ALICE, timeout=5)
        assert list(explained.decision.reasons) == [pb.REASON_NO_PROFILE]


def test_an_invalid_policy_is_refused_whole_and_the_one_in_force_stays(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text('version = "one"')
    with Service(settings(tmp_path, policy=str(file))) as service, grpc.insecure_channel(service.address) as channel:
        stub = TargetingServiceStub(channel)
        versions = []
        for content in ('version = "two"', "version = 3", 'version = "four"'):
            file.write_text(content)
            service.reload()
            versions.append(stub.Decide(ALICE, timeout=10).policy_version)
    assert versions == ["two", "two", "four"]


def test_nap_cookies_that_cannot_be_read_are_counted(tmp_path: Path) -> None:
    keys = tmp_path / "nap.keys"
    keys.write_text("A" * 43 + "=\n")
    request = pb.DecideRequest(account_id="alice", ip="8.8.8.8", cookie_header="NAP=junk")
    with Service(settings(tmp_path, nap_keys=str(keys))) as service, grpc.insecure_channel(service.address) as channel:
        TargetingServiceStub(channel).Decide(request, timeout=10)
        count = service.metrics.registry.get_sample_value("adtargeting_signal_decode_errors_total", {"signal": "nap"})
    assert count == 1


def test_a_global_privacy_control_signal_outlasts_its_request(tmp_path: Path) -> None:
    with Service(settings(tmp_path)) as service, grpc.insecure_channel(service.address) as channel:
        stub = TargetingServiceStub(channel)
        assert list(stub.Decide(WITH_SIGNAL, timeout=10).reasons) == [pb.REASON_GLOBAL_PRIVACY_CONTROL]
        wait_until(lambda: list(stub.Decide(ALICE, timeout=10).reasons) == [pb.REASON_ACCOUNT_OPT_OUT])
        held = PreferenceServiceStub(channel).GetPreferences(pref.GetPreferencesRequest(account_id="alice"), timeout=10)
        assert held.source == pref.SOURCE_GPC
