"""Failover by sentinels under load: no wrong answer, no confirmed choice lost, and the store is soon used again."""

from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest

from server.app import Service
from server.store.ports import StoreUnreachable
from server.store.redis import sentinels as asking
from server.store.redis.store_url import parse_store_url
from tests.faults.load import Load
from tests.faults.matrix.marks import Figure
from tests.faults.redis_process import HOST, ON_DISK
from tests.faults.sentinels import NAME, Watched, watched
from tests.server.running_service import settings, wait_until

pytestmark = pytest.mark.fault(row=5)


@pytest.fixture
def sentinels(tmp_path: Path) -> Iterator[Watched]:
    with watched(tmp_path / "watched", *ON_DISK) as made:
        yield made


@pytest.fixture
def served(tmp_path: Path, sentinels: Watched) -> Iterator[grpc.Channel]:
    """A service that requires one replica to hold a choice, of the two that there are."""
    of_sentinels = settings(tmp_path, redis_url=sentinels.url, replicas=1)
    with Service(of_sentinels) as service, grpc.insecure_channel(service.address) as channel:
        yield channel


FAILOVERS: dict[str, Callable[[Watched], object]] = {
    "by command": Watched.fail_over,
    "by the death of the primary": lambda made: made.primary().kill(),
}


@pytest.mark.parametrize("kind", FAILOVERS)
def test_a_failover_under_load_costs_nobody_a_choice(
    served: grpc.Channel, sentinels: Watched, kind: str, figure: Figure
) -> None:
    load = Load(served)
    with load:
        switch_under(load, sentinels, FAILOVERS[kind])
        # Confirmed by the new primary, and by the old one if it lives: until it follows, it might be read.
        enough = len(load.confirmed) + 20
        wait_until(lambda: len(load.confirmed) >= enough, timeout_s=30)
    wait_until(load.is_whole)
    assert load.wrong == 0
    assert not load.lost()
    wait_until(lambda: not any(load.behavioural(account) for account in load.unconfirmed))
    figure(f"Sentinel, {kind}: 0 of {len(load.confirmed)} confirmed lost; {load.outage()}")


@pytest.mark.slow
@pytest.mark.fault(row=5, protection_off=True)
def test_while_one_replica_of_two_is_enough_confirmed_choices_are_lost(
    served: grpc.Channel, sentinels: Watched, figure: Figure, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sentinels promote one replica first, and for a second the old primary has its writes held by the other."""
    judge = asking.judge
    monkeypatch.setattr(asking, "judge", lambda *arguments: (judge(*arguments)[0], 0))
    load = Load(served)
    with load:
        switch_under(load, sentinels, Watched.fail_over)
    wait_until(load.is_whole)
    lost = load.lost()
    assert lost
    figure(f"Sentinel: {len(lost)} of {len(load.confirmed)} confirmed lost")


def switch_under(load: Load, sentinels: Watched, fail_over: Callable[[Watched], object]) -> None:
    """Fail over while people opt out, until the sentinels name another primary and the old one follows it."""
    wait_until(lambda: len(load.confirmed) >= 10)
    before = sentinels.primary()
    fail_over(sentinels)
    wait_until(lambda: sentinels.primary() is not before, timeout_s=20)
    if before.runs:
        # The sentinels do this ten seconds later.
        before.follow(HOST, sentinels.primary().port)


def test_one_sentinel_that_answers_is_enough(sentinels: Watched) -> None:
    url = f"redis+sentinel://127.0.0.1:1,127.0.0.1:{sentinels.ports[1]}/{NAME}"
    assert parse_store_url(url).resolve().port == sentinels.primary().port


def test_a_name_that_no_sentinel_knows_is_told(sentinels: Watched) -> None:
    with pytest.raises(StoreUnreachable, match="no sentinel names a primary of strangers"):
        parse_store_url(sentinels.url.replace(NAME, "strangers")).resolve()
