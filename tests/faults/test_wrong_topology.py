"""A plain URL of a Sentinel or of one node of a cluster: writing is NOT_SERVING, and the right URL is named."""

from pathlib import Path

import grpc
import pytest
from adtargeting.v1 import targeting_pb2 as pb
from adtargeting.v1.targeting_pb2_grpc import TargetingServiceStub

from server.app import Service
from server.cli.main import main
from server.store.redis.cluster.slots import slot_of
from tests.faults.cluster_nodes import PRIMARIES
from tests.rpc import health
from tests.server.running_service import ALICE, settings, wait_until
from tests.server.store.conftest import cluster, sentinels

pytestmark = pytest.mark.fault(row=24)

__all__ = ["cluster", "sentinels"]

WRITING = ("adtargeting.v1.PreferenceService", "adtargeting.v1.ProfileService")
SLOT_OF_THE_RECORD = slot_of(b"adt:{meta}:store")


def a_sentinel(request: pytest.FixtureRequest) -> int:
    port: int = request.getfixturevalue("sentinels").ports[0]
    return port


def the_node_of_the_record(request: pytest.FixtureRequest) -> int:
    """The one that answers where the store's record is asked for."""
    nodes = request.getfixturevalue("cluster")
    nodes.empty()
    node = nodes.table().node_of(SLOT_OF_THE_RECORD)
    assert node is not None
    return int(node.port)


def another_node(request: pytest.FixtureRequest) -> int:
    own = the_node_of_the_record(request)
    return next(int(node.port) for node in request.getfixturevalue("cluster").nodes[:PRIMARIES] if node.port != own)


WRONG = {
    "a Sentinel": (a_sentinel, "it is a Sentinel", "redis+sentinel://"),
    "the node of the store's record": (the_node_of_the_record, "it is a cluster node", "redis+cluster://"),
    "another node": (another_node, "it is a cluster node", "redis+cluster://"),
}


@pytest.fixture(params=WRONG)
def wrong(request: pytest.FixtureRequest) -> tuple[str, str, str]:
    find, cause, scheme = WRONG[request.param]
    return f"redis://127.0.0.1:{find(request)}/0", cause, scheme


def test_the_services_that_write_are_not_serving_and_the_log_names_the_url_to_use(
    wrong: tuple[str, str, str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url, cause, _ = wrong
    with Service(settings(tmp_path, redis_url=url)) as service, grpc.insecure_channel(service.address) as channel:
        wait_until(lambda: {health(channel, each) for each in WRITING} == {"NOT_SERVING"})
        wait_until(lambda: cause in caplog.text)
        assert TargetingServiceStub(channel).Decide(ALICE, timeout=10).mode == pb.MODE_LIMITED
        assert health(channel, "adtargeting.v1.TargetingService") == "SERVING"


def test_preflight_names_the_url_to_use(
    wrong: tuple[str, str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    url, _, scheme = wrong
    monkeypatch.setenv("ADTARGETING_REDIS_URL", url)
    monkeypatch.setenv("ADTARGETING_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["preflight"]) == 1
    assert f"use a {scheme} URL" in capsys.readouterr().out
