"""A thousand planted ids in calls of every kind, good, refused and faulty: none is in a log, an error or a metric."""

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

import grpc
import pytest
from adtargeting.v1 import preference_pb2, profile_pb2
from adtargeting.v1 import targeting_pb2 as pb
from adtargeting.v1.preference_pb2_grpc import PreferenceServiceStub
from adtargeting.v1.profile_pb2_grpc import ProfileServiceStub
from adtargeting.v1.targeting_pb2_grpc import TargetingServiceStub
from prometheus_client import generate_latest

from server.decisions import containment
from server.store.embedded.server import EmbeddedRedis
from targeting.decision import Plan, plan
from targeting.model import AdRequest
from targeting.policy.policy import Policy
from tests.faults.known_person import known_person
from tests.faults.matrix.marks import Figure
from tests.server.calls.direct_service import viewed
from tests.server.running_service import wait_until
from tests.server.store.conftest import own_redis

__all__ = ["own_redis"]

MARK = "zq7planted"
IDS = [f"{MARK}-{number}" for number in range(1000)]
BATCH = 250
PROTECTED = pytest.mark.parametrize("protected", [True, False], ids=["protected", "unprotected"])


def faulty(requests: Sequence[AdRequest], policy: Policy, now_s: float) -> Plan:
    """Plan, but for some people fail with a message that names them."""
    for request in requests:
        if (request.identity.account_id or "").endswith("0"):
            raise LookupError(f"a fault about {request.identity.account_id}")
    return plan(requests, policy, now_s)


def note_everything(problem: Exception) -> str:
    """Log what most services log of an unforeseen exception."""
    logging.getLogger("server").error("unforeseen: %s", problem, exc_info=problem)
    return ""


def requests(ids: Iterable[str]) -> list[pb.DecideRequest]:
    return [
        pb.DecideRequest(account_id=each, device_id=f"d-{each}", cookie_header=f"MUID={each}; ANON=A={each}", ip=each)
        for each in ids
    ]


def call_about(ids: list[str], channel: grpc.Channel) -> list[str]:
    """Call every method about all of these, and return the texts of all errors."""
    targeting, profiles = TargetingServiceStub(channel), ProfileServiceStub(channel)
    choices = PreferenceServiceStub(channel)
    who = profile_pb2.GetProfileRequest(account_id=ids[0])
    refused = pb.ClientSettings(country=ids[0])
    calls = [
        targeting.DecideBatch.future(pb.DecideBatchRequest(requests=requests(ids)), timeout=30),
        targeting.Decide.future(pb.DecideRequest(account_id=ids[0], client=refused), timeout=30),
        targeting.Explain.future(requests(ids)[0], timeout=30),
        targeting.PrepareBidRequest.future(pb.PrepareBidRequestRequest(bid_request=ids[0].encode()), timeout=30),
        profiles.GetProfile.future(who, timeout=30),
        profiles.RecordActivity.future(
            profile_pb2.RecordActivityRequest(activities=[viewed(each, account_id=each) for each in ids[:50]]),
            timeout=30,
        ),
        profiles.DeleteProfile.future(profile_pb2.DeleteProfileRequest(account_id=ids[1]), timeout=30),
        choices.SetPreference.future(
            preference_pb2.SetPreferenceRequest(account_id=ids[2], country=ids[3]), timeout=30
        ),
        choices.GetPreferences.future(preference_pb2.GetPreferencesRequest(account_id=ids[2]), timeout=30),
    ]
    problems = [call.exception() for call in calls]
    return [f"{problem} {problem.trailing_metadata()}" for problem in problems if isinstance(problem, grpc.RpcError)]


@pytest.mark.fault(row=20)
@PROTECTED
def test_no_planted_id_is_in_any_output(
    tmp_path: Path,
    own_redis: EmbeddedRedis,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    figure: Figure,
    protected: bool,
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr("server.decisions.decider.plan", faulty)
    if not protected:
        monkeypatch.setattr(containment, "note", note_everything)
    with known_person(tmp_path, redis_url=own_redis.url) as alice:
        errors = [text for n in range(0, len(IDS), BATCH) for text in call_about(IDS[n : n + BATCH], alice.channel)]
        own_redis.stop()
        wait_until(lambda: not alice.is_behavioural())
        errors += call_about(IDS[:BATCH], alice.channel)
        metrics = generate_latest(alice.service.metrics.registry).decode()
    assert len(errors) > 8
    assert "unforeseen" in caplog.text
    found = {where: text.count(MARK) for where, text in outputs(caplog, errors, metrics).items()}
    figure(f"{sum(found.values())} hits of {len(IDS)} planted ids in logs, errors and metrics")
    assert (not any(found.values())) == protected


def outputs(caplog: pytest.LogCaptureFixture, errors: list[str], metrics: str) -> dict[str, str]:
    """Return what was written: the log with what its records carry beside their text, error texts and metrics."""
    carried = " ".join(str(vars(record)) for record in caplog.records)
    return {"log": caplog.text + carried, "errors": " ".join(errors), "metrics": metrics}
