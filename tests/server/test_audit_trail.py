"""The audit log of a whole service: its file, its settings, and what it does while the file cannot be written."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import grpc
import pytest
from adtargeting.v1 import preference_pb2 as pref
from adtargeting.v1 import targeting_pb2 as pb
from adtargeting.v1.preference_pb2_grpc import PreferenceServiceStub
from adtargeting.v1.targeting_pb2_grpc import TargetingServiceStub

from server.app import Service
from server.settings import SettingsError
from tests.server.running_service import ALICE, WITH_SIGNAL, opt_out, settings, wait_until


@contextmanager
def running(tmp_path: Path, log: Path, **more: Any) -> Iterator[tuple[Service, grpc.Channel]]:
    with (
        Service(settings(tmp_path, audit_log=str(log), **more)) as service,
        grpc.insecure_channel(service.address) as channel,
    ):
        yield service, channel


def entries(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines() if line]


def calls(log: Path) -> list[str]:
    return [entry["call"] for entry in entries(log)]


def lost(service: Service) -> float:
    with urlopen(f"http://{service.metrics_address}/metrics", timeout=10) as answer:
        (line,) = [line for line in answer.read().decode().splitlines() if line.startswith("adtargeting_audit_lost_")]
    return float(line.split()[1])


def test_choices_and_the_opt_outs_that_signals_make_are_entries_and_decisions_are_not(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    with running(tmp_path, log) as (_, channel):
        TargetingServiceStub(channel).Decide(WITH_SIGNAL, timeout=10)
        wait_until(lambda: calls(log) == ["Signal"])
        opt_out(channel)
        TargetingServiceStub(channel).Explain(ALICE, timeout=10)
        PreferenceServiceStub(channel).GetPreferences(pref.GetPreferencesRequest(account_id="alice"), timeout=10)
    assert calls(log) == ["Signal", "SetPreference", "Explain", "GetPreferences"]
    assert len({tuple(entry["subjects"]) for entry in entries(log)}) == 1
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_reload_opens_a_file_that_was_moved_away_again(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    with running(tmp_path, log) as (service, channel):
        opt_out(channel)
        log.rename(tmp_path / "audit.log.1")
        service.request_reload()
        wait_until(log.exists)
        opt_out(channel)
    assert calls(tmp_path / "audit.log.1") == calls(log) == ["SetPreference"]


@pytest.mark.parametrize("required", ["yes", "no"])
def test_while_it_cannot_be_written_calls_about_people_are_refused_or_counted(tmp_path: Path, required: str) -> None:
    log = tmp_path / "logs" / "audit.log"
    log.parent.mkdir()
    with running(tmp_path, log, audit_required=required) as (service, channel):
        opt_out(channel)
        log.unlink()
        log.parent.rmdir()
        if required == "yes":
            for _ in range(2):
                with pytest.raises(grpc.RpcError) as refused:
                    opt_out(channel)
                assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
                assert "audit log" in str(refused.value.details())
        else:
            opt_out(channel)
            opt_out(channel)
        assert lost(service) == 2
        # The ad is served in any case.
        assert TargetingServiceStub(channel).Decide(ALICE, timeout=10).mode == pb.MODE_LIMITED
        log.parent.mkdir()
        opt_out(channel)
        assert lost(service) == 2
    assert [(entry["call"], entry.get("lost")) for entry in entries(log)] == [("AuditGap", 2), ("SetPreference", None)]


@pytest.mark.parametrize("kind", ["fifo", "directory", "missing directory", "device"])
def test_a_file_that_cannot_be_appended_to_stops_the_start(tmp_path: Path, kind: str) -> None:
    log = tmp_path / "none" / "audit.log" if kind == "missing directory" else tmp_path / "audit.log"
    if kind == "fifo":
        os.mkfifo(log)
    elif kind == "directory":
        log.mkdir()
    elif kind == "device":
        log = Path("/dev/null")
    with (
        pytest.raises(SettingsError, match="ADTARGETING_AUDIT_LOG: cannot append to") as refused,
        Service(settings(tmp_path, audit_log=str(log))),
    ):
        raise AssertionError("it started")
    assert "\n" not in str(refused.value)


def test_a_log_that_is_required_must_be_named(tmp_path: Path) -> None:
    with (
        pytest.raises(SettingsError, match="ADTARGETING_AUDIT_REQUIRED: there is no audit log"),
        Service(settings(tmp_path, audit_required="yes")),
    ):
        raise AssertionError("it started")


def test_standard_output_takes_the_lines_too(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with running(tmp_path, Path("-")) as (_, channel):
        opt_out(channel)
    (line,) = capfd.readouterr().out.splitlines()
    assert json.loads(line)["call"] == "SetPreference"
