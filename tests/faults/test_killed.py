"""Redis killed at random under load and started again: what was acknowledged is there."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from adtargeting.v1 import targeting_pb2 as pb

from server.store.ports import StoreError
from server.store.redis.primary import Primary
from server.store.redis.store import RedisStore
from targeting.model import Subject, SubjectKind
from targeting.records.preference import Choice, decode_preference
from tests.faults.known_person import known_person
from tests.faults.matrix.marks import Figure
from tests.faults.redis_process import IN_MEMORY, ON_DISK, RedisProcess, eventually
from tests.server.calls.direct_service import Service, saw
from tests.server.running_service import wait_until
from tests.server.store.fake_store import PSEUDONYMS

pytestmark = pytest.mark.fault(row=2)

BUDGET_S = 0.5
CHOOSERS, WRITERS = 3, 3


class Load:
    """People opt out and in, and are seen, without a pause; what was acknowledged last of each is kept."""

    def __init__(self, redis: RedisProcess) -> None:
        self.acknowledged: dict[Subject, Choice] = {}
        self._redis = redis
        self._done = threading.Event()
        self.failures = 0

    def run(self, work: "str", seed: int) -> None:
        with closing(RedisStore(Primary(self._redis.address), PSEUDONYMS)) as store:
            service = Service(store, store)
            service.tools = service.tools._replace(budget_s=BUDGET_S)
            chance, number = random.Random(seed), 0
            while not self._done.is_set():
                number += 1
                try:
                    getattr(self, work)(service, chance, f"{seed}-{number}")
                except StoreError:
                    self.failures += 1
                    time.sleep(0.002)

    def choose(self, service: Service, chance: random.Random, name: str) -> None:
        """Everybody chooses once: what then is stored can be no later choice's."""
        if chance.random() < 0.7:
            service.opt_out(account_id=name, change_id=name)
            self.acknowledged[Subject(SubjectKind.ACCOUNT, name)] = Choice.OPT_OUT
        else:
            service.opt_in(account_id=name, change_id=name)
            self.acknowledged[Subject(SubjectKind.ACCOUNT, name)] = Choice.OPT_IN

    def write(self, service: Service, chance: random.Random, name: str) -> None:
        someone = f"{chance.randrange(CHOOSERS)}-{chance.randrange(1, 50)}"
        service.record(saw(name, account_id=someone), saw(name, account_id=f"only {name}"))

    @contextmanager
    def running(self) -> Iterator[None]:
        works = ["choose"] * CHOOSERS + ["write"] * WRITERS
        threads = [threading.Thread(target=self.run, args=each) for each in zip(works, range(len(works)), strict=True)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._done.set()
            for thread in threads:
                thread.join()

    def await_more(self, count: int) -> None:
        """Wait until this many more choices have been acknowledged."""
        enough = len(self.acknowledged) + count

        def grown() -> None:
            if len(self.acknowledged) < enough:
                raise StoreError("too little was chosen to prove anything")

        eventually(grown)

    def lost(self) -> list[Subject]:
        """Name those whose acknowledged choice is not there."""
        with closing(RedisStore(Primary(self._redis.address), PSEUDONYMS)) as store:
            held = store.read(list(self.acknowledged), 10.0)
            return [
                subject
                for (subject, choice), records in zip(self.acknowledged.items(), held, strict=True)
                if records.preference is None
                or decode_preference(records.preference, records.owner).choice is not choice
            ]


def kill_again_and_again(redis: RedisProcess, times: int) -> Load:
    chance, load = random.Random(times), Load(redis)
    with load.running():
        for _ in range(times):
            load.await_more(chance.randrange(10, 60))
            time.sleep(chance.uniform(0.0, 0.02))
            redis.kill()
            time.sleep(chance.uniform(0.0, 0.05))
            redis.start()
    return load


def must_hold(load: Load, figure: Figure) -> None:
    assert load.failures > 0, "no kill was felt"
    lost = load.lost()
    figure(f"{len(lost)} of {len(load.acknowledged):,} acknowledged choices lost")
    assert lost == []


def test_no_choice_is_lost_when_redis_is_killed_again_and_again(tmp_path: Path, figure: Figure) -> None:
    with RedisProcess(tmp_path / "redis", *ON_DISK) as redis:
        must_hold(kill_again_and_again(redis, 8), figure)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_no_choice_is_lost_when_redis_is_killed_a_hundred_times(tmp_path: Path, figure: Figure) -> None:
    with RedisProcess(tmp_path / "redis", *ON_DISK) as redis:
        must_hold(kill_again_and_again(redis, 100), figure)


def test_while_it_loads_its_data_people_are_limited(tmp_path: Path) -> None:
    with (
        RedisProcess(tmp_path / "redis", *ON_DISK) as redis,
        known_person(tmp_path, redis_url=f"redis://127.0.0.1:{redis.port}/0") as alice,
    ):
        redis.ask(b"EVAL", FILL, b"0")
        redis.kill()
        redis.begin("--key-load-delay", "100")
        eventually(lambda: must_load(redis))
        answer = alice.decide()
        must_load(redis)
        assert list(answer.reasons) == [pb.REASON_STORE_UNAVAILABLE]
        redis.ask(b"CONFIG", b"SET", b"key-load-delay", b"0")
        wait_until(alice.is_behavioural)


FILL = b"for number = 1, 50000 do redis.call('SET', 'filler:' .. number, number) end"
"""Keys enough for loading them to take five seconds, unless the delay of 100 microseconds for each is taken away."""


def must_load(redis: RedisProcess) -> None:
    """Raise ``StoreError`` unless the server is loading its data."""
    told = redis.ask(b"INFO", b"persistence")
    if not (isinstance(told, bytes) and b"\nloading:1" in told):
        raise StoreError("it is not loading")


@pytest.mark.fault(row=2, protection_off=True)
def test_without_the_append_only_file_choices_are_lost(tmp_path: Path, figure: Figure) -> None:
    with RedisProcess(tmp_path / "redis", *IN_MEMORY) as redis:
        load = kill_again_and_again(redis, 1)
        lost = load.lost()
    figure(f"{len(lost)} of {len(load.acknowledged):,} lost in memory alone")
    assert lost
