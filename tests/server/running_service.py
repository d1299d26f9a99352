"""What the tests of a whole service share."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
from adtargeting.v1 import preference_pb2 as pref
from adtargeting.v1 import targeting_pb2 as pb
from adtargeting.v1.preference_pb2_grpc import PreferenceServiceStub

from server.settings import Settings


def settings(tmp_path: Path, **more: Any) -> Settings:
    given = {"grpc_address": "127.0.0.1:0", "metrics_address": "127.0.0.1:0", "data_dir": tmp_path / "data"}
    patient = {"decision_budget_ms": 2_000, "write_budget_ms": 2_000}
    return Settings(**{**given, **patient, **more})


def wait_until(holds: Callable[[], object], timeout_s: float = 30) -> None:
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
