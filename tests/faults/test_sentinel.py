"""Failover by sentinels under load: no wrong answer, no confirmed choice lost, and the store is soon used again."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest
from adtargeting.v1 import targeting_pb2 as pb
from adtargeting.v1.targeting_pb2_grpc import TargetingServiceStub

from server.app import Service
from server.store.ports import StoreUnreachable
from server.store.redis.store_url import parse_store_url
from tests.faults.load import Load
from tests.faults.redis_process import ON_DISK
from tests.faults.sentinels import NAME, Watched, watched
from tests.server.running_service import settings, wait_until

pytestmark = pytest.mark.fault(row=5)


@pytest.fixture
def sentinels(tmp_path: Path) -> Iterator[Watched]:
    with watched(tmp_path / "watched", *ON_DISK) as made:
        yield made


FAILOVERS: dict[str, Callable[[Watched], object]] = {
    "by command": lambda made: made.fail_over(),
    "by the death of the primary": lambda made: made.primary().kill(),
}


@pytest.mark.parametrize("fail_over", FAILOVERS.values(), ids=FAILOVERS)
def test_a_failover_under_load_costs_nobody_a_choice(
    tmp_path: Path, sentinels: Watched, fail_over: Callable[[Watched], object]
) -> None:
    of_sentinels = settings(tmp_path, redis_url=sentinels.url, replicas=1)
    with Service(of_sentinels) as service, grpc.insecure_channel(service.address) as channel:
        load = Load(channel)
        with load:
            wait_until(lambda: len(load.confirmed) >= 10)
            before = sentinels.primary()
            fail_over(sentinels)
            failed_s = time.monotonic()
            wait_until(lambda: sentinels.primary() is not before, timeout_s=20)
            wait_until(lambda: sum(at_s > failed_s for at_s in load.confirmed_at_s) >= 20, timeout_s=30)
        assert load.wrong == 0
        assert not [account for account in load.confirmed if load.behavioural(account)]
        assert channel_is_healthy(channel)


def channel_is_healthy(channel: grpc.Channel) -> bool:
    request = pb.DecideRequest(account_id="nobody", ip="8.8.8.8")
    return list(TargetingServiceStub(channel).Decide(request, timeout=10).reasons) == [pb.REASON_NO_PROFILE]


def test_one_sentinel_that_answers_is_enough(sentinels: Watched) -> None:
    url = f"redis+sentinel://127.0.0.1:1,127.0.0.1:{sentinels.ports[1]}/{NAME}"
    assert parse_store_url(url).resolve().port == sentinels.primary().port


def test_a_name_that_no_sentinel_knows_is_told(sentinels: Watched) -> None:
    with pytest.raises(StoreUnreachable, match="no sentinel names a primary of strangers"):
        parse_store_url(sentinels.url.replace(NAME, "strangers")).resolve()
