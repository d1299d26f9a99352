"""The whole service: what starts, what stops the start, and what it serves."""

import socket
import time
from functools import partial
from pathlib import Path
from urllib.request import urlopen

import grpc
import pytest
from adtargeting.v1 import preference_pb2 as pref
from adtargeting.v1 import targeting_pb2 as pb
from adtargeting.v1.preference_pb2_grpc import PreferenceServiceStub
from adtargeting.v1.targeting_pb2_grpc import TargetingServiceStub
from prometheus_client.parser import text_string_to_metric_families

from server.app import Service
from server.listening import ListenError
from server.settings import SettingsError
from targeting.decision_records.form import DecisionRecord
from targeting.decision_records.lines import read_line
from tests.rpc import health
from tests.server.geo.mmdb_writer import mmdb
from tests.server.running_service import ALICE, WITH_SIGNAL, opt_out, settings, wait_until

BUNDLED_TABLE_BUILT_AT_S = 1_718_668_800
"""18 June 2024."""


def is_serving(channel: grpc.Channel, service: str) -> bool:
    return health(channel, service) == "SERVING"


def test_it_serves_sets_itself_up_and_keeps_what_it_was_told(tmp_path: Path) -> None:
    for start in (1, 2):
        with Service(settings(tmp_path)) as service, grpc.insecure_channel(service.address) as channel:
            assert health(channel) == "SERVING"
            # A first answer of the store that is late is not yet one.
            wait_until(partial(is_serving, channel, "adtargeting.v1.PreferenceService"))
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
    calls = [(each.labels, each.value) for each in families["adtargeting_calls"].samples if each.value]
    assert calls == [({"method": name, "code": "ok"}, 1.0) for name in ("Decide", "SetPreference")]
    assert families["process_resident_memory_bytes"].samples[0].value > 1 << 20
    contract = {
        "adtargeting_decisions", "adtargeting_limit_reasons", "adtargeting_decision_seconds",
        "adtargeting_store_seconds", "adtargeting_store_errors", "adtargeting_profile_writes",
        "adtargeting_preference_changes", "adtargeting_network_profiles", "adtargeting_signal_decode_errors",
        "adtargeting_circuit_open", "adtargeting_country_table_age_seconds", "adtargeting_inflight",
        "adtargeting_policy_info",
    }  # fmt: skip
    assert contract <= families.keys()
    changes = [sample for sample in families["adtargeting_preference_changes"].samples if sample.value]
    assert [(sample.labels, sample.value) for sample in changes] == [
        ({"choice": "opt_out", "source": "unstated", "durability": "confirmed"}, 1.0)
    ]
    assert not any("alice" in str(sample) for family in families.values() for sample in family.samples)


def test_a_port_in_use_stops_the_start_and_leaves_nothing_open(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with (
            pytest.raises(ListenError, match="ADTARGETING_GRPC_ADDRESS"),
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


def test_settings_that_cannot_be_met_stop_the_start(tmp_path: Path) -> None:
    nonsense = settings(tmp_path, metrics_address="nonsense")
    with pytest.raises(SettingsError, match="ADTARGETING_METRICS_ADDRESS"), Service(nonsense):
        raise AssertionError("it started")


def test_rpcs_of_the_contract_are_all_there(tmp_path: Path) -> None:
    with Service(settings(tmp_path)) as service, grpc.insecure_channel(service.address) as channel:
        with pytest.raises(grpc.RpcError) as caught:
            TargetingServiceStub(channel).Explain(pb.DecideRequest(account_id="x" * 300), timeout=5)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        explained = TargetingServiceStub(channel).Explain(ALICE, timeout=5)
        assert list(explained.decision.reasons) == [pb.REASON_NO_PROFILE]
        assert explained.country_table_age_s == pytest.approx(time.time() - BUNDLED_TABLE_BUILT_AT_S, abs=60)


def test_an_invalid_policy_is_refused_whole_and_the_one_in_force_stays(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text('version = "one"')
    with Service(settings(tmp_path, policy=str(file))) as service, grpc.insecure_channel(service.address) as channel:
        stub = TargetingServiceStub(channel)
        versions = []
        for content in ('version = "two"', "version = 3", "", 'version = "four"'):
            file.write_text(content)
            service.reload()
            versions.append(stub.Decide(ALICE, timeout=10).policy_version)
    assert versions == ["two", "two", "two", "four"]


@pytest.mark.fault(row=19)
def test_a_country_file_is_reloaded_and_a_bad_one_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "geo.mmdb"
    file.write_bytes(mmdb({"8.0.0.0/8": {"country": {"iso_code": "GB"}}}))
    with Service(settings(tmp_path, geo_db=str(file))) as service, grpc.insecure_channel(service.address) as channel:
        countries = []
        for content in (b"", mmdb({"8.0.0.0/8": {"country": {"iso_code": "FR"}}}), b"no database"):
            file.write_bytes(content)
            service.reload()
            countries.append(TargetingServiceStub(channel).Decide(ALICE, timeout=10).limited.ip_country)
    assert countries == ["GB", "FR", "FR"]


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


def test_a_policy_in_the_shadow_counts_what_it_would_change_and_is_reloaded(tmp_path: Path) -> None:
    file = tmp_path / "shadow.toml"
    file.write_text('version = "next"\n[signals]\nhonour_do_not_track = true\n')
    request = pb.DecideRequest(account_id="alice", ip="8.8.8.8", signals=pb.PrivacySignals(do_not_track=True))
    counts, answers = [], []
    with (
        Service(settings(tmp_path, policy_shadow=str(file))) as service,
        grpc.insecure_channel(service.address) as channel,
    ):
        for content in ("version = 3", 'version = "same"'):
            answers.append(TargetingServiceStub(channel).Decide(request, timeout=10))
            counts.append(
                service.metrics.registry.get_sample_value(
                    "adtargeting_shadow_total", {"change": "tighter", "reason": "do_not_track"}
                )
            )
            file.write_text(content)
            service.reload()
        answers.append(TargetingServiceStub(channel).Decide(request, timeout=10))
        version = service.metrics.registry.get_sample_value("adtargeting_shadow_policy_info", {"version": "same"})
    assert (counts, version) == ([1, 2], 1)
    assert {answer.policy_version for answer in answers} == {"built-in"}
    assert pb.REASON_DO_NOT_TRACK not in {reason for answer in answers for reason in answer.reasons}


def test_decisions_are_recorded_without_a_text_of_the_caller_and_replayable(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    given = {"decision_records": str(path), "decision_records_one_in": 1, "decision_records_crowd": 3}
    with Service(settings(tmp_path, **given)) as service, grpc.insecure_channel(service.address) as channel:
        stub = TargetingServiceStub(channel)
        stub.Decide(ALICE, timeout=10)
        wait_until(lambda: bool(service.store.trust.epoch))
        for number in range(3):
            stub.Decide(pb.DecideRequest(account_id=f"alice-{number}", ip="8.8.8.8"), timeout=10)
        stub.Decide(pb.DecideRequest(account_id="alice", ip="8.8.8.8", dry_run=True), timeout=10)
        stub.Explain(ALICE, timeout=10)
        moved = path.rename(tmp_path / "records.1")
        service.reload()
        wait_until(path.exists)
    lines = [read_line(line) for line in (moved.read_bytes() + path.read_bytes()).splitlines(keepends=True)]
    decisions = [line for line in lines if isinstance(line, DecisionRecord)]
    assert 3 <= len(decisions) <= 4
    assert {record.places.ip for record in decisions} == {"US"}
    assert all(record.mode == "LIMITED" and record.person is None for record in decisions)
    assert b"alice" not in moved.read_bytes() + path.read_bytes()


def test_a_file_of_records_that_cannot_be_written_stops_the_start(tmp_path: Path) -> None:
    unusable = settings(tmp_path, decision_records=str(tmp_path / "none" / "records.jsonl"))
    message = r"ADTARGETING_DECISION_RECORDS: cannot append to .*: No such file or directory; set a file"
    with pytest.raises(SettingsError, match=message), Service(unusable):
        raise AssertionError("it started")
