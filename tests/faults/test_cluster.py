"""A real cluster: failover, a missing part, resharding under load, a node without its data; and linked subjects."""

import io
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import grpc
import pytest
from adtargeting.v1 import targeting_pb2 as pb
from adtargeting.v1.targeting_pb2_grpc import TargetingServiceStub

from server.app import Service
from server.cli.main import main
from server.store.ports import RecordChange
from server.store.redis.cluster.slots import slot_of
from server.store.redis.cluster.store import ClusterStore
from targeting.model import Subject, SubjectKind
from targeting.records.preference import Choice, Preference, encode_preference
from targeting.records.stored_records import StoredRecords
from tests.faults.cluster_nodes import (
    PRIMARIES,
    ClusterNodes,
    begin_moving,
    cluster_nodes,
    keys_in,
    migrate,
)
from tests.faults.load import Load
from tests.faults.matrix.marks import Figure
from tests.faults.redis_process import ON_DISK
from tests.rpc import health
from tests.server.running_service import settings, wait_until
from tests.server.store.conftest import cluster_of
from tests.server.store.fake_store import PSEUDONYMS

pytestmark = pytest.mark.fault(row=5)

WRITING = "adtargeting.v1.PreferenceService"
ALICE, PHONE = Subject(SubjectKind.ACCOUNT, "alice"), Subject(SubjectKind.DEVICE, "phone")


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[ClusterNodes]:
    """Three primaries with a replica each."""
    with cluster_nodes(tmp_path / "cluster", *ON_DISK) as made:
        yield made


@pytest.fixture
def primaries(tmp_path: Path) -> Iterator[ClusterNodes]:
    """Three primaries alone."""
    with cluster_nodes(tmp_path / "cluster", *ON_DISK, replicas=0) as made:
        yield made


def decided(channel: grpc.Channel, account: str) -> str:
    answer = TargetingServiceStub(channel).Decide(pb.DecideRequest(account_id=account, ip="8.8.8.8"), timeout=10)
    return " ".join([pb.Mode.Name(answer.mode)[5:], *(pb.Reason.Name(reason)[7:] for reason in answer.reasons)])


FAILOVERS: dict[str, Callable[[ClusterNodes], object]] = {
    "by command": lambda nodes: nodes.nodes[PRIMARIES].ask(b"CLUSTER", b"FAILOVER"),
    "by the death of a primary": lambda nodes: nodes.nodes[0].kill(),
}


@pytest.mark.parametrize("kind", FAILOVERS)
def test_a_failover_under_load_costs_nobody_a_choice(
    tmp_path: Path, nodes: ClusterNodes, kind: str, figure: Figure
) -> None:
    with (
        Service(settings(tmp_path, redis_url=nodes.url, replicas=1)) as service,
        grpc.insecure_channel(service.address) as channel,
    ):
        load = Load(channel)
        with load:
            wait_until(lambda: len(load.confirmed) >= 10)
            FAILOVERS[kind](nodes)
            promoted = nodes.nodes[PRIMARIES].port
            wait_until(lambda: promoted in {node.port for node in nodes.table(1).nodes}, timeout_s=20)
            enough = len(load.confirmed) + 20
            wait_until(lambda: len(load.confirmed) >= enough, timeout_s=30)
        wait_until(load.is_whole)
        assert load.wrong == 0
        assert not load.lost()
    figure(f"Cluster, {kind}: 0 of {len(load.confirmed)} confirmed lost; {load.outage()}")


def test_a_part_that_nobody_serves_limits_those_it_concerns(tmp_path: Path, primaries: ClusterNodes) -> None:
    """By default everyone, as the other parts then refuse with CLUSTERDOWN; else those whose part it is."""
    with (
        # A canary that is read together with a person of the missing part would make that record an unreadable one.
        Service(settings(tmp_path, redis_url=primaries.url, canaries="no")) as service,
        grpc.insecure_channel(service.address) as channel,
    ):
        load = Load(channel)
        people = [f"person {number}" for number in range(30)]
        for account in people:
            load.record(account)
        assert {decided(channel, account) for account in people} == {"BEHAVIOURAL"}
        primaries.nodes[0].kill()
        wait_until(lambda: health(channel, WRITING) == "NOT_SERVING")
        wait_until(lambda: {decided(channel, account) for account in people} == {"LIMITED STORE_UNAVAILABLE"})
        for node in primaries.nodes[1:]:
            node.ask(b"CONFIG", b"SET", b"cluster-require-full-coverage", b"no")
        lost = {account for account in people if slot_of(key_of(service, account)) < 16384 // PRIMARIES}
        assert 0 < len(lost) < len(people)
        wait_until(lambda: all(decided(channel, account) == "BEHAVIOURAL" for account in people if account not in lost))
        assert {decided(channel, account) for account in lost} == {"LIMITED STORE_UNAVAILABLE"}
        for account in people:
            batch = pb.DecideBatchRequest(
                requests=[pb.DecideRequest(account_id=each, ip="8.8.8.8") for each in (account, *sorted(lost)[:1])]
            )
            first, _ = TargetingServiceStub(channel).DecideBatch(batch, timeout=10).results
            assert (first.response.mode == pb.MODE_BEHAVIOURAL) == (account not in lost)


def key_of(service: Service, account: str) -> bytes:
    return service.store.pseudonyms.locate(Subject(SubjectKind.ACCOUNT, account))[1]


def test_resharding_under_load_gives_no_wrong_answer(tmp_path: Path, primaries: ClusterNodes, figure: Figure) -> None:
    with (
        Service(settings(tmp_path, redis_url=primaries.url)) as service,
        grpc.insecure_channel(service.address) as channel,
    ):
        load = Load(channel)
        with load:
            wait_until(lambda: len(load.confirmed) >= 20)
            for account in list(load.confirmed):
                slot = slot_of(key_of(service, account))
                source = primaries.node_at(node.port) if (node := primaries.table(1).node_of(slot)) else None
                if source is not None and source is not primaries.nodes[1]:
                    primaries.move(slot, source, primaries.nodes[1])
            enough = len(load.confirmed) + 20
            wait_until(lambda: len(load.confirmed) >= enough)
        assert load.wrong == 0
        assert {decided(channel, account) for account in load.confirmed} == {"LIMITED ACCOUNT_OPT_OUT"}
    figure(f"resharding: {load.outage()}")


def test_a_slot_on_its_way_is_read_where_each_key_is(primaries: ClusterNodes) -> None:
    """The preference has moved already and the profile has not: ASK, and neither is taken for absent."""
    with closing(ClusterStore(cluster_of(primaries), PSEUDONYMS)) as store:
        owner, preference, _ = PSEUDONYMS.locate(ALICE)
        opt_out = encode_preference(Preference(choice=Choice.OPT_OUT), owner)
        plain = encode_preference(Preference(), owner)
        assert store.commit([made(store, ALICE, plain, b"profile")], 5.0)[0].landed
        assert store.commit([made(store, ALICE, opt_out, None)], 5.0)[0].landed
        slot = slot_of(preference)
        node = primaries.table().node_of(slot)
        assert node is not None
        source = primaries.node_at(node.port)
        target = next(each for each in primaries.nodes if each is not source)
        begin_moving(slot, source, target)
        assert preference in keys_in(slot, source)
        migrate(preference, source, target)
        (held,) = store.fetch([ALICE], 5.0)
        assert (held.preference, held.profile) == (opt_out, b"profile")


def made(store: ClusterStore, subject: Subject, preference: bytes | None, profile: bytes | None) -> RecordChange:
    (held,) = store.read([subject], 5.0)
    return RecordChange(subject, held, preference=preference, profile=profile, profile_ttl_s=60)


def test_a_node_that_has_lost_its_data_limits_everybody(tmp_path: Path, primaries: ClusterNodes) -> None:
    with (
        Service(settings(tmp_path, redis_url=primaries.url)) as service,
        grpc.insecure_channel(service.address) as channel,
    ):
        load = Load(channel)
        people = [f"person {number}" for number in range(12)]
        for account in people:
            load.record(account)
        primaries.nodes[0].ask(b"FLUSHALL")
        wait_until(lambda: {decided(channel, account) for account in people} == {"LIMITED PREFERENCE_LOST"})
        wait_until(lambda: health(channel, WRITING) == "NOT_SERVING")


class Overtaken(ClusterStore):
    """A store in which a linked subject opts out between the look before a commit and the commit."""

    protected = True
    overtaken = False

    def _linked_are_as_expected(self, change: RecordChange, deadline_s: float) -> bool:
        holds = super()._linked_are_as_expected(change, deadline_s)
        if not self.overtaken:
            self.overtaken = True
            opt_out = encode_preference(Preference(choice=Choice.OPT_OUT), PSEUDONYMS.owner(PHONE))
            assert self.commit([made(self, PHONE, opt_out, None)], 5.0)[0].landed
            return holds
        return holds or not self.protected


@pytest.mark.parametrize("protected", [True, False], ids=["checked again", "not checked again"])
def test_an_opt_out_of_a_linked_subject_that_overtakes_a_commit_takes_it_back(
    primaries: ClusterNodes, *, protected: bool
) -> None:
    with closing(Overtaken(cluster_of(primaries), PSEUDONYMS)) as store:
        store.protected = protected
        owner = PSEUDONYMS.owner(ALICE)
        change = RecordChange(
            ALICE,
            StoredRecords(SubjectKind.ACCOUNT, owner),
            preference=encode_preference(Preference(), owner),
            profile=b"profile",
            profile_ttl_s=60,
            linked=((PHONE, None),),
        )
        (committed,) = store.commit([change], 5.0)
        (held,) = store.read([ALICE], 5.0)
        assert (committed.landed, held.profile) == ((False, None) if protected else (True, b"profile"))


def test_the_operator_sees_and_accepts_a_cluster_as_a_whole(
    tmp_path: Path, primaries: ClusterNodes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    of_cluster = settings(tmp_path, redis_url=primaries.url)
    monkeypatch.setenv("ADTARGETING_REDIS_URL", of_cluster.redis_url)
    monkeypatch.setenv("ADTARGETING_DATA_DIR", str(of_cluster.data_dir))
    with Service(of_cluster) as service, grpc.insecure_channel(service.address) as channel:
        load = Load(channel)
        for number in range(12):
            load.record(f"person {number}")
        assert main(["preflight"]) == 0
        assert main(["load-sample", "--subjects", "20"]) == 0
        primaries.nodes[0].ask(b"FLUSHALL")
        wait_until(lambda: health(channel, WRITING) == "NOT_SERVING")
        assert main(["preflight"]) == 1
        capsys.readouterr()
        assert main(["store", "show"]) == 0
        shown = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
        assert shown["primaries"] == str(PRIMARIES)
        records = int(shown["preferences"].split()[0]) + int(shown["preferences"].split()[2]) + int(shown["profiles"])
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{primaries.url} {records}\n"))
        assert main(["store", "trust"]) == 0
        wait_until(lambda: health(channel, WRITING) == "SERVING")
