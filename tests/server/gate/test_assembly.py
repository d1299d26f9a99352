"""Which gate serves: the one that is set, else the one that this machine can run."""

from pathlib import Path

import grpc
import pytest
from adtargeting.v1 import targeting_pb2 as pb
from adtargeting.v1.targeting_pb2_grpc import TargetingServiceStub

from server.app import Service
from server.gate import assembly
from server.security.doors import open_to_all
from server.settings import Settings, SettingsError

CHOSEN = [("auto", True, "http2"), ("http2", True, "http2"), ("grpcio", True, "grpcio"), ("auto", False, "grpcio")]


@pytest.mark.parametrize(("setting", "has_wheel", "name"), CHOSEN)
def test_the_gate_that_is_chosen(monkeypatch: pytest.MonkeyPatch, setting: str, has_wheel: bool, name: str) -> None:
    monkeypatch.setattr(assembly, "has_http2", lambda: has_wheel)
    assert assembly.make_gate(Settings(gate=setting), open_to_all()).name == name


def test_a_gate_that_this_machine_cannot_run_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assembly, "has_http2", lambda: False)
    with pytest.raises(SettingsError, match=r"ADTARGETING_GATE: .* set grpcio"):
        assembly.make_gate(Settings(gate="http2"), open_to_all())


def test_without_the_wheel_the_whole_service_runs_all_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(assembly, "has_http2", lambda: False)
    free = "127.0.0.1:0"
    settings = Settings(grpc_address=free, metrics_address=free, data_dir=tmp_path, decision_budget_ms=5000)
    with Service(settings) as service, grpc.insecure_channel(service.address) as channel:
        assert service.gate.name == "grpcio"
        answer = TargetingServiceStub(channel).Decide(pb.DecideRequest(account_id="alice", ip="8.8.8.8"), timeout=10)
        assert list(answer.reasons) == [pb.REASON_NO_PROFILE]
