"""A primary is demoted while a proxy keeps its connections: the old one is read no more, and the new one is written."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import grpc
import pytest
from adtargeting.v1 import targeting_pb2 as pb
from adtargeting.v1.profile_pb2 import RecordActivityRequest
from adtargeting.v1.profile_pb2_grpc import ProfileServiceStub
from adtargeting.v1.targeting_pb2_grpc import TargetingServiceStub

from server.app import Service
from server.store.keys import Pseudonyms
from server.store.redis.connection import Connection
from server.store.redis.handshake import open_connection
from server.store.redis.primary import Primary
from server.store.redis.store import RedisStore
from server.store.redis.url import RedisAddress
from targeting.model import Mode
from tests.faults.matrix.marks import Figure
from tests.faults.redis_process import HOST, ON_DISK, RedisProcess
from tests.faults.tcp_proxy import TcpProxy
from tests.server.calls.direct_service import Service as DirectService
from tests.server.calls.direct_service import viewed
from tests.server.running_service import opt_out, settings, wait_until
from tests.server.store.fake_store import PSEUDONYMS

pytestmark = pytest.mark.fault(row=5)

ALICE = pb.DecideRequest(account_id="alice", ip="8.8.8.8")


class Pair(NamedTuple):
    """A primary, its replica, and the address by which clients know the primary: a proxy that keeps connections."""

    primary: RedisProcess
    replica: RedisProcess
    front: TcpProxy

    def switch_over(self) -> None:
        """Promote the replica, and demote the primary, which goes on answering its connected clients."""
        self.replica.promote()
        self.front.upstream_port = self.replica.port
        self.primary.ask(b"REPLICAOF", HOST.encode(), b"1")


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with (
        RedisProcess(tmp_path / "primary", *ON_DISK) as primary,
        RedisProcess(tmp_path / "replica", *ON_DISK) as replica,
        TcpProxy(primary.port) as front,
    ):
        replica.follow(HOST, primary.port)
        yield Pair(primary, replica, front)


class Reader:
    """Asks for decisions without a pause, and keeps when each began and whether it was behavioural."""

    def __init__(self, channel: grpc.Channel) -> None:
        self.seen: list[tuple[float, bool]] = []
        self._stub = TargetingServiceStub(channel)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def since(self, time_s: float) -> list[bool]:
        """Return whether they were behavioural, of the decisions that began later than this."""
        return [behavioural for began_s, behavioural in self.seen if began_s > time_s]

    def __enter__(self) -> "Reader":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._done.is_set():
            began_s = time.monotonic()
            answer = self._stub.Decide(ALICE, timeout=10)
            self.seen.append((began_s, answer.mode == pb.MODE_BEHAVIOURAL))


def test_no_decision_after_the_acknowledgement_is_behavioural_and_the_store_is_soon_used_again(
    tmp_path: Path, pair: Pair, figure: Figure
) -> None:
    of_pair = settings(tmp_path, redis_url=f"redis://{HOST}:{pair.front.port}/0", canaries="no")
    with Service(of_pair) as service, grpc.insecure_channel(service.address) as channel:
        write = ProfileServiceStub(channel)
        for account in ("alice", "bob"):
            write.RecordActivity(RecordActivityRequest(activities=[viewed(account_id=account)]), timeout=10)
        with Reader(channel) as reader:
            pair.switch_over()
            switched_s = time.monotonic()
            acknowledged_s = chosen(channel)
            asked = questions_to(pair.primary)
            wait_until(lambda: len(reader.since(acknowledged_s)) > 100)
        figure(f"demotion: the next choice was stored after {acknowledged_s - switched_s:.1f} s")
        assert not any(reader.since(acknowledged_s))
        # One may have been on its way.
        assert asked
        assert questions_to(pair.primary) - asked <= 1
        assert TargetingServiceStub(channel).Decide(pb.DecideRequest(account_id="bob", ip="8.8.8.8")).mode == (
            pb.MODE_BEHAVIOURAL
        )


def questions_to(redis: RedisProcess) -> int:
    """Return how often the server has been asked for a person's records: each time for two."""
    told = redis.ask(b"INFO", b"commandstats")
    assert isinstance(told, bytes)
    return int(told.partition(b"cmdstat_getrange:calls=")[2].partition(b",")[0]) // 2


def chosen(channel: grpc.Channel) -> float:
    """Opt out, as often as it takes, and return when it was acknowledged (``time.monotonic``)."""
    until_s = time.monotonic() + 10
    while True:
        try:
            opt_out(channel)
        except grpc.RpcError:
            assert time.monotonic() < until_s
        else:
            return time.monotonic()


class Unwatched(Primary):
    """The protection switched off: whatever answers is taken for the primary."""

    def open(self) -> Connection:
        return open_connection(self._address, 5)


@pytest.mark.fault(row=5, protection_off=True)
def test_unchecked_the_demoted_server_is_read_for_ever(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.store.redis.batch_read.check_role", lambda _: None)
    address = RedisAddress(host=HOST, port=pair.front.port)
    with (
        closing(RedisStore(Unwatched(address), PSEUDONYMS)) as reads,
        closing(RedisStore(Primary(RedisAddress(host=HOST, port=pair.replica.port)), PSEUDONYMS)) as writes,
    ):
        reader = DirectService(reads, reads)
        reader.record(viewed(account_id="alice"))
        time.sleep(0.1)
        pair.switch_over()
        DirectService(writes, writes).opt_out(account_id="alice")
        assert all(reader.decide("alice").mode is Mode.BEHAVIOURAL for _ in range(100))


class TestAnAddressThatLeadsToAnotherPrimary:
    """A virtual address moves, and the old primary, cut off, still believes that it is one."""

    def move(self, pair: Pair, pseudonyms: Pseudonyms) -> None:
        """Move the address, and have Alice opt out at the new primary."""
        pair.replica.promote()
        pair.front.upstream_port = pair.replica.port
        with closing(RedisStore(Primary(RedisAddress(host=HOST, port=pair.replica.port)), pseudonyms)) as writes:
            DirectService(writes, writes).opt_out(account_id="alice")

    def test_it_is_followed(self, tmp_path: Path, pair: Pair) -> None:
        of_pair = settings(tmp_path, redis_url=f"redis://{HOST}:{pair.front.port}/0")
        with Service(of_pair) as service, grpc.insecure_channel(service.address) as channel:
            activities = RecordActivityRequest(activities=[viewed(account_id="alice")])
            ProfileServiceStub(channel).RecordActivity(activities, timeout=10)
            assert behavioural(channel)
            self.move(pair, service.store.pseudonyms)
            wait_until(lambda: not behavioural(channel))

    @pytest.mark.fault(row=5, protection_off=True)
    def test_unwatched_it_is_not(self, pair: Pair) -> None:
        address = RedisAddress(host=HOST, port=pair.front.port)
        with closing(RedisStore(Primary(address), PSEUDONYMS)) as reads:
            reader = DirectService(reads, reads)
            reader.record(viewed(account_id="alice"))
            self.move(pair, PSEUDONYMS)
            assert all(reader.decide("alice").mode is Mode.BEHAVIOURAL for _ in range(100))


def behavioural(channel: grpc.Channel) -> bool:
    return bool(TargetingServiceStub(channel).Decide(ALICE, timeout=10).mode == pb.MODE_BEHAVIOURAL)
