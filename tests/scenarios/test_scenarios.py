"""The living specification: every scenario straight through the core, and over gRPC with a real Redis."""

import hashlib
import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from adtargeting.v1 import targeting_pb2 as pb
from adtargeting.v1 import targeting_pb2_grpc as rpc

from server.app import Service
from server.messages import wire
from server.messages.translate import ad_request
from server.settings import Settings
from server.store.embedded.server import EmbeddedRedis
from server.store.keys import Pseudonyms
from server.store.redis.handshake import open_connection
from targeting.decision import Rulebook, decide, plan
from targeting.model import Subject
from targeting.reasons import Reason
from targeting.records.stored_records import StoredRecords
from tests.scenarios.scenario import Scenario, TableLocator, check, policy_of, read_scenarios, request_of, stored
from tests.server.store.emptying import empty

SCENARIOS = read_scenarios()
RULES = pytest.mark.parametrize("scenario", SCENARIOS, ids=str)


def owner_of(subject: Subject) -> bytes:
    return hashlib.blake2b(f"{subject.kind}{subject.id}".encode(), digest_size=16).digest()


@RULES
def test_through_the_core(scenario: Scenario) -> None:
    records = stored(scenario, owner_of)
    planned = plan([ad_request(request_of(scenario), TableLocator())], policy_of(scenario), time.time())
    fetched: Sequence[StoredRecords] | Reason = [
        records.get(subject, StoredRecords(subject.kind, owner_of(subject))) for subject in planned.subjects
    ]
    if scenario.store_fails:
        fetched = Reason[f"STORE_{scenario.store_fails}"]
    decisions = decide(planned, fetched, [()], Rulebook(policy_of(scenario), b"key"), time.time())
    check(scenario, pb.DecideResponse.FromString(wire.responses(decisions)[0]))
    assert bool(planned.subjects) == scenario.expect.get("asks_store", True)


class Running:
    """A service that answers one scenario after another."""

    def __init__(self, service: Service, channel: grpc.Channel) -> None:
        self.service = service
        self.stub = rpc.TargetingServiceStub(channel)

    def prepare(self, scenario: Scenario) -> None:
        """Apply the scenario's policy, and replace everything stored with its records."""
        self.service.rules.replace(policy_of(scenario))
        pseudonyms: Pseudonyms = self.service.store.pseudonyms
        link = open_connection(self.service.store.redis, 5)
        empty(link)
        for subject, record in stored(scenario, pseudonyms.owner).items():
            _, preference_key, profile_key = pseudonyms.locate(subject)
            for key, value in ((preference_key, record.preference), (profile_key, record.profile)):
                if value is not None:
                    link.ask((b"SET", key, value), time.monotonic() + 5)
        link.close()

    def commands(self) -> int:
        """Return how many reads of records the server has counted."""
        link = open_connection(self.service.store.redis, 5)
        reply = bytes(link.accept(link.ask((b"INFO", b"commandstats"), time.monotonic() + 5)))
        link.close()
        return sum(
            int(line.split(b"calls=")[1].split(b",")[0])
            for line in reply.splitlines()
            if line.startswith(b"cmdstat_getrange")
        )


@pytest.fixture(scope="module", params=["http2", "grpcio"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    settings = Settings(
        gate=request.param,
        grpc_address="127.0.0.1:0",
        metrics_address="127.0.0.1:0",
        data_dir=tmp_path_factory.mktemp("service") / "data",
        decision_budget_ms=5000,
        # The reads of the store are counted.
        canaries="no",
    )
    with (
        Service(settings, locations=TableLocator()) as service,
        grpc.insecure_channel(service.address) as channel,
    ):
        yield Running(service, channel)


@contextmanager
def failing(scenario: Scenario, directory: Path) -> Iterator[Running]:
    """Run a separate service whose Redis is stopped or gone."""
    with (
        EmbeddedRedis(directory / "redis") as redis,
        Service(
            Settings(
                grpc_address="127.0.0.1:0",
                metrics_address="127.0.0.1:0",
                data_dir=directory / "data",
                redis_url=redis.url,
                decision_budget_ms=200,
            ),
            locations=TableLocator(),
        ) as service,
        grpc.insecure_channel(service.address) as channel,
    ):
        running = Running(service, channel)
        running.prepare(scenario)
        if scenario.store_fails == "UNAVAILABLE":
            redis.stop()
            yield running
            return
        os.kill(redis.pid, signal.SIGSTOP)
        try:
            yield running
        finally:
            os.kill(redis.pid, signal.SIGCONT)


@RULES
def test_over_grpc_with_redis(scenario: Scenario, running: Running, tmp_path: Path) -> None:
    if scenario.store_fails:
        with failing(scenario, tmp_path) as of_its_own:
            check(scenario, of_its_own.stub.Decide(request_of(scenario), timeout=10))
        return
    running.prepare(scenario)
    before = running.commands()
    answer = running.stub.Decide(request_of(scenario), timeout=10)
    check(scenario, answer)
    assert (running.commands() > before) == scenario.expect.get("asks_store", True)


@RULES
def test_explained(scenario: Scenario, running: Running, tmp_path: Path) -> None:
    if scenario.store_fails:
        with failing(scenario, tmp_path) as of_its_own:
            explained = of_its_own.stub.Explain(request_of(scenario), timeout=10)
    else:
        running.prepare(scenario)
        explained = running.stub.Explain(request_of(scenario), timeout=10)
    check(scenario, explained.decision)
    named = {check.reason for check in explained.checks} - {pb.REASON_UNSPECIFIED}
    # The store's checks are shown also where the request alone limits, and the decision does not report them.
    assert named <= set(explained.decision.reasons) or not scenario.expect.get("asks_store", True)
    assert set(explained.decision.reasons) <= named


def test_a_batch_gives_every_scenario_of_one_policy_its_own_answer(running: Running) -> None:
    of_default = [each for each in SCENARIOS if not each.policy and each.file == "signals"]
    running.prepare(of_default[0])
    batch = pb.DecideBatchRequest(requests=[request_of(each) for each in of_default])
    answers = running.stub.DecideBatch(batch, timeout=10).results
    for scenario, answer in zip(of_default, answers, strict=True):
        check(scenario, answer.response)


def test_there_is_a_scenario_for_every_reason_that_a_request_or_record_can_give() -> None:
    named = {reason for scenario in SCENARIOS for reason in scenario.expect["reasons"]}
    of_networks = {"NETWORK_UNKNOWN", "NETWORK_POLICY"}
    assert named == {reason.name for reason in Reason} - of_networks
    of_answers = {
        reason
        for scenario in SCENARIOS
        for network in scenario.expect.get("networks", {}).values()
        for reason in network.get("reasons", [])
    }
    assert of_answers == {reason.name for reason in Reason}


def test_the_scenarios_are_found() -> None:
    assert Path(__file__).with_name("signals.yaml").exists()
    assert len(SCENARIOS) > 50
