"""Each caller of a gate has a rate of new devices of its own, whatever call shows their signals."""

from contextlib import ExitStack
from functools import partial
from pathlib import Path

import grpc
import pytest
from adtargeting.v1 import profile_pb2 as prof
from adtargeting.v1 import targeting_pb2 as pb
from adtargeting.v1.profile_pb2_grpc import ProfileServiceStub
from adtargeting.v1.targeting_pb2_grpc import TargetingServiceStub

from server.app import Service
from server.choices import signal_opt_outs
from server.choices.new_device_rate import NewDeviceRate
from tests.contracts.gates import own_channel
from tests.server.running_service import settings, wait_until

OPTED_OUT = pb.PrivacySignals(global_privacy_control=True)


def decide(channel: grpc.Channel, device_id: str) -> None:
    TargetingServiceStub(channel).Decide(
        pb.DecideRequest(device_id=device_id, ip="8.8.8.8", signals=OPTED_OUT), timeout=10
    )


def decide_batch(channel: grpc.Channel, device_id: str) -> None:
    asked = pb.DecideRequest(device_id=device_id, ip="8.8.8.8", signals=OPTED_OUT)
    TargetingServiceStub(channel).DecideBatch(pb.DecideBatchRequest(requests=[asked]), timeout=10)


def prepare(channel: grpc.Channel, device_id: str) -> None:
    bid_request = b'{"id": "1", "imp": [{"id": "1", "banner": {}}], "regs": {"ext": {"gpc": "1"}}}'
    TargetingServiceStub(channel).PrepareBidRequest(
        pb.PrepareBidRequestRequest(device_id=device_id, bid_request=bid_request), timeout=10
    )


def record(channel: grpc.Channel, device_id: str) -> None:
    activity = prof.Activity(device_id=device_id, kind=prof.ACTIVITY_KIND_PAGE_VIEW, signals=OPTED_OUT)
    ProfileServiceStub(channel).RecordActivity(prof.RecordActivityRequest(activities=[activity]), timeout=10)


@pytest.mark.parametrize("gate", ["http2", "grpcio"])
def test_a_caller_that_has_used_up_its_rate_takes_nothing_from_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gate: str
) -> None:
    # The second never ends.
    monkeypatch.setattr(signal_opt_outs, "NewDeviceRate", lambda _: NewDeviceRate(lambda: 0.0))
    policy = tmp_path / "policy.toml"
    policy.write_text('version = "1"\n[signals]\nnew_devices_per_second = 1\n')
    with Service(settings(tmp_path, gate=gate, policy=str(policy))) as service, ExitStack() as stack:
        for callers, show in enumerate((decide, decide_batch, prepare, record), 1):
            channel = stack.enter_context(own_channel(service.address))
            for number in range(3):
                show(channel, f"device-{callers}-{number}")
            wait_until(partial(has_ended, service, 3 * callers))
            assert stored_and_dropped(service) == (callers, 2 * callers)


def has_ended(service: Service, signals: int) -> bool:
    return sum(stored_and_dropped(service)) == signals


def stored_and_dropped(service: Service) -> tuple[float, float]:
    samples = [sample for family in service.metrics.registry.collect() for sample in family.samples]
    stored = sum(sample.value for sample in samples if sample.name == "adtargeting_preference_changes_total")
    return stored, sum(sample.value for sample in samples if sample.name == "adtargeting_sticky_dropped_total")
