"""A server whose snapshots fail refuses writes (MISCONF): the writing services are NOT_SERVING, with the cause."""

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from adtargeting.v1 import preference_pb2 as preferences

from server.app import Service
from server.store.ports import StoreError
from tests.faults.redis_process import ON_DISK, RedisProcess, eventually
from tests.rpc import health
from tests.server.running_service import opt_out, settings, wait_until

pytestmark = pytest.mark.fault(row=24)

WRITING = ("adtargeting.v1.PreferenceService", "adtargeting.v1.ProfileService")


class Snapshots:
    """A server whose snapshots can be made to fail: a directory stands where the file should be."""

    def __init__(self, directory: Path, redis: RedisProcess) -> None:
        self.redis = redis
        self._obstacle = directory / "dump.rdb" / "obstacle"

    def fail(self) -> None:
        self.redis.ask(b"CONFIG", b"SET", b"save", b"3600 1000000")
        self._obstacle.mkdir(parents=True)
        self._take(b"err")

    def succeed(self) -> None:
        self._obstacle.rmdir()
        self._obstacle.parent.rmdir()
        self._take(b"ok")

    def _take(self, status: bytes) -> None:
        def taken() -> None:
            state = self.redis.ask(b"INFO", b"persistence")
            if not (isinstance(state, bytes) and b"rdb_last_bgsave_status:" + status in state):
                raise StoreError("the snapshot has not ended so yet")

        eventually(lambda: self.redis.ask(b"BGSAVE"))
        eventually(taken)


@pytest.fixture
def snapshots(tmp_path: Path) -> Iterator[Snapshots]:
    with RedisProcess(tmp_path / "redis", *ON_DISK) as redis:
        yield Snapshots(tmp_path / "redis", redis)


def test_it_is_told_with_its_cause_and_when_it_is_over(
    tmp_path: Path, snapshots: Snapshots, caplog: pytest.LogCaptureFixture
) -> None:
    of_redis = settings(tmp_path, redis_url=f"redis://127.0.0.1:{snapshots.redis.port}/0")
    with Service(of_redis) as service, grpc.insecure_channel(service.address) as channel:
        assert opt_out(channel).durability == preferences.DURABILITY_CONFIRMED
        snapshots.fail()
        wait_until(lambda: {health(channel, each) for each in WRITING} == {"NOT_SERVING"})
        assert health(channel, "adtargeting.v1.TargetingService") == "SERVING"
        with pytest.raises(grpc.RpcError):
            opt_out(channel)
        snapshots.succeed()
        wait_until(lambda: {health(channel, each) for each in WRITING} == {"SERVING"})
        assert opt_out(channel).durability == preferences.DURABILITY_CONFIRMED
    lines = [line for line in caplog.messages if "preferences and profiles are" in line]
    assert ["it cannot write to its disk" in line for line in lines] == [True, False]


def test_reading_alone_would_not_tell(snapshots: Snapshots) -> None:
    snapshots.fail()
    assert snapshots.redis.ask(b"GET", b"a") is None
    with pytest.raises(StoreError, match="it cannot write to its disk"):
        snapshots.redis.ask(b"SET", b"a", b"b")


def test_a_server_that_takes_writes_all_the_same_is_served(tmp_path: Path, snapshots: Snapshots) -> None:
    snapshots.redis.ask(b"CONFIG", b"SET", b"stop-writes-on-bgsave-error", b"no")
    snapshots.fail()
    of_redis = settings(tmp_path, redis_url=f"redis://127.0.0.1:{snapshots.redis.port}/0")
    with Service(of_redis) as service, grpc.insecure_channel(service.address) as channel:
        assert opt_out(channel).durability == preferences.DURABILITY_CONFIRMED
        assert health(channel, WRITING[0]) == "SERVING"
