"""A primary behind a cut link dies, its replica takes over: no confirmed choice is lost, and the others come back."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from adtargeting.v1 import preference_pb2 as pb

from server.choices.choice_store import ChoiceStore
from server.choices.replication_watch import ReplicationWatch
from server.metrics.metrics import Metrics
from server.store.ports import StoreError
from server.store.redis.primary import Primary
from server.store.redis.store import RedisStore
from server.store.redis.url import RedisAddress
from targeting.decision import Rulebook
from targeting.model import Subject, SubjectKind
from targeting.policy.policy import DEFAULT_POLICY
from targeting.recording.choice import ChoiceMade, apply_choice
from targeting.records.preference import Choice, Preference, Source, decode_preference
from tests.faults.matrix.marks import Figure
from tests.faults.redis_process import HOST, ON_DISK, RedisProcess, eventually
from tests.faults.tcp_proxy import TcpProxy
from tests.server.calls.direct_service import Service
from tests.server.running_service import wait_until
from tests.server.store.fake_store import PSEUDONYMS

pytestmark = pytest.mark.fault(row=4)

CHOOSERS = 3
BUDGET_S = 0.3


class Pair(NamedTuple):
    """A primary, its replica behind a link that can be cut, and the address by which clients know them."""

    primary: RedisProcess
    replica: RedisProcess
    link: TcpProxy
    front: TcpProxy

    @property
    def address(self) -> RedisAddress:
        return RedisAddress(host=HOST, port=self.front.port)

    def fail_over(self) -> None:
        """Kill the primary, make the replica a primary, and send the clients there."""
        self.primary.kill()
        self.replica.promote()
        self.front.upstream_port = self.replica.port
        self.front.cut()


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with (
        RedisProcess(tmp_path / "primary", *ON_DISK) as primary,
        RedisProcess(tmp_path / "replica", *ON_DISK) as replica,
        TcpProxy(primary.port) as link,
        TcpProxy(primary.port) as front,
    ):
        replica.follow(HOST, link.port)
        yield Pair(primary, replica, link, front)


class Choosers:
    """People opt out one after the other; what was confirmed and what was not is kept."""

    def __init__(self, pair: Pair, replicas: int) -> None:
        self.confirmed: list[Subject] = []
        self.unconfirmed: list[Subject] = []
        self._pair = pair
        self._replicas = replicas
        self._done = threading.Event()

    def run(self, seed: int) -> None:
        with closing(RedisStore(Primary(self._pair.address), PSEUDONYMS)) as store:
            service = Service(store, store)
            service.tools = service.tools._replace(budget_s=BUDGET_S, replicas=self._replicas)
            number = 0
            while not self._done.is_set():
                number += 1
                self._opt_out(service, f"{seed}-{number}")

    def _opt_out(self, service: Service, name: str) -> None:
        try:
            answer = service.opt_out(account_id=name)
        except StoreError:
            time.sleep(0.002)
            return
        confirmed = answer.durability == pb.DURABILITY_CONFIRMED
        (self.confirmed if confirmed else self.unconfirmed).append(Subject(SubjectKind.ACCOUNT, name))

    @contextmanager
    def running(self) -> Iterator[None]:
        threads = [threading.Thread(target=self.run, args=(seed,)) for seed in range(CHOOSERS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._done.set()
            for thread in threads:
                thread.join()


def opted_out(store: RedisStore, subject: Subject) -> bool:
    (held,) = store.read([subject], 5.0)
    return held.preference is not None and decode_preference(held.preference, held.owner).choice is Choice.OPT_OUT


def await_more(subjects: list[Subject], count: int) -> None:
    """Wait until this many more have been acknowledged."""
    enough = len(subjects) + count

    def grown() -> None:
        if len(subjects) < enough:
            raise StoreError("too little was acknowledged to prove anything")

    eventually(grown)


def lost_in_a_failover(pair: Pair, replicas: int) -> tuple[Choosers, list[Subject]]:
    """Cut the link while people opt out, let the primary die, and name the confirmed ones whom the replica forgot."""
    choosers = Choosers(pair, replicas)
    with choosers.running():
        await_more(choosers.confirmed, 30)
        pair.link.black_hole()
        await_more(choosers.unconfirmed if replicas else choosers.confirmed, 6)
        pair.primary.kill()
    pair.fail_over()
    with closing(RedisStore(Primary(pair.address), PSEUDONYMS)) as store:
        return choosers, [subject for subject in choosers.confirmed if not opted_out(store, subject)]


def test_no_confirmed_choice_is_lost(pair: Pair, figure: Figure) -> None:
    choosers, lost = lost_in_a_failover(pair, replicas=1)
    assert choosers.confirmed
    assert choosers.unconfirmed
    figure(f"{len(lost)} of {len(choosers.confirmed)} confirmed choices lost")
    assert lost == []


@pytest.mark.fault(row=4, protection_off=True)
def test_without_waiting_for_the_replica_choices_are_lost(pair: Pair, figure: Figure) -> None:
    choosers, lost = lost_in_a_failover(pair, replicas=0)
    assert choosers.confirmed
    figure(f"{len(lost)} of {len(choosers.confirmed)} lost")
    assert lost


def test_unconfirmed_choices_are_applied_again_by_whoever_watches_them(pair: Pair) -> None:
    people = [Subject(SubjectKind.ACCOUNT, f"person {number}") for number in range(8)]
    made = ChoiceMade(
        choice=Choice.OPT_OUT, source=Source.ACCOUNT_PAGE, change_key=b"the key!", made_at_ms=int(time.time() * 1000)
    )
    with closing(RedisStore(Primary(pair.address), PSEUDONYMS)) as store:
        choices = ChoiceStore(store, lambda: Rulebook(DEFAULT_POLICY), replicas=1, budget_s=BUDGET_S)
        unconfirmed = ReplicationWatch(choices, Metrics())
        pair.link.black_hole()
        for subject in people:
            stored = choices.update(subject, lambda held, _: apply_choice(held, made))
            assert stored is not None
            assert not stored.confirmed
            unconfirmed.track(subject, stored.preference)
        pair.fail_over()
        assert not any(opted_out(store, subject) for subject in people)

        def checked() -> bool:
            # A check may find the store too slow on a busy machine; the watch goes on to the next.
            unconfirmed.check()
            return all(opted_out(store, subject) for subject in people)

        wait_until(checked)


def test_a_choice_is_confirmed_once_the_replica_is_back(tmp_path: Path, pair: Pair) -> None:
    alice = Subject(SubjectKind.ACCOUNT, "alice")
    made = ChoiceMade(
        choice=Choice.OPT_OUT, source=Source.ACCOUNT_PAGE, change_key=b"the key!", made_at_ms=int(time.time() * 1000)
    )
    with closing(RedisStore(Primary(pair.address), PSEUDONYMS)) as store:
        choices = ChoiceStore(store, lambda: Rulebook(DEFAULT_POLICY), replicas=1, budget_s=1.0)
        watched: list[Preference] = []
        pair.link.black_hole()
        stored = choices.update(alice, lambda held, _: apply_choice(held, made))
        assert stored is not None
        assert not stored.confirmed
        watched.append(stored.preference)
        with TcpProxy(pair.primary.port) as healed:
            pair.replica.follow(HOST, healed.port)

            def confirmed() -> bool:
                # One wait may be too short on a busy machine.
                again = choices.update(alice, lambda held, _: held)
                assert again is not None
                assert again.preference == watched[0]
                return bool(again.confirmed)

            wait_until(confirmed)
