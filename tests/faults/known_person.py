"""A running service that knows one person, Alice, who is behavioural until a request or a choice limits her."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from adtargeting.v1 import targeting_pb2 as pb
from adtargeting.v1.profile_pb2 import RecordActivityRequest
from adtargeting.v1.profile_pb2_grpc import ProfileServiceStub
from adtargeting.v1.targeting_pb2_grpc import TargetingServiceStub

from server.app import Service
from tests.server.calls.direct_service import viewed
from tests.server.running_service import settings, wait_until

VENDOR = 12
"""The service's own id in the vendor list."""


class KnownPerson:
    """Asks a service about Alice."""

    def __init__(self, service: Service, channel: grpc.Channel) -> None:
        self.service, self.channel = service, channel
        activities = RecordActivityRequest(activities=[viewed(account_id="alice")])
        ProfileServiceStub(channel).RecordActivity(activities, timeout=10)

    def decide(self, **fields: Any) -> pb.DecideResponse:
        """Ask about her, from the United States unless the fields say otherwise."""
        request = pb.DecideRequest(**{"account_id": "alice", "ip": "8.8.8.8", **fields})
        answer: pb.DecideResponse = TargetingServiceStub(self.channel).Decide(request, timeout=10)
        return answer

    def is_behavioural(self, **fields: Any) -> bool:
        return bool(self.decide(**fields).mode == pb.MODE_BEHAVIOURAL)


@contextmanager
def known_person(tmp_path: Path, **more: Any) -> Iterator[KnownPerson]:
    """Run a service that knows Alice."""
    policy = tmp_path / "policy.toml"
    policy.write_text(f"[gdpr]\nhost_vendor_id = {VENDOR}\n", encoding="ascii")
    with (
        Service(settings(tmp_path, policy=str(policy), **more)) as service,
        grpc.insecure_channel(service.address) as channel,
    ):
        alice = KnownPerson(service, channel)
        wait_until(alice.is_behavioural)
        yield alice
