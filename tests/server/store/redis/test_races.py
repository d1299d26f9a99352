"""Writers against each other: nothing is lost, and nothing lands after an opt-out."""

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from server.store.ports import RecordChange
from server.store.redis.primary import Primary
from server.store.redis.store import RedisStore
from server.store.redis.url import RedisAddress
from targeting.model import Subject, SubjectKind
from targeting.records.preference import Choice, Preference, encode_preference
from targeting.records.stored_records import StoredRecords
from tests.server.store.conftest import OpenRedisStore
from tests.server.store.fake_store import PSEUDONYMS

BUDGET_S = 10.0
WRITERS = 4
ROUNDS = 160
A_ROUND = 16
DAY_S = 86_400


def people(count: int) -> list[Subject]:
    return [Subject(SubjectKind.ACCOUNT, f"person {number}") for number in range(count)]


def preference(subject: Subject, choice: Choice = Choice.NONE) -> bytes:
    return encode_preference(Preference(choice=choice), PSEUDONYMS.owner(subject))


def counted(subject: Subject, held: StoredRecords) -> RecordChange:
    """The change that adds one to a person's profile."""
    count = int(held.profile or b"0") + 1
    return RecordChange(subject, held, held.preference or preference(subject), b"%d" % count, profile_ttl_s=DAY_S)


def with_stores(address: RedisAddress, write: Callable[[RedisStore, int], int]) -> int:
    """Let writers write side by side, each with a store of its own; gives the sum of what they say."""

    def run(number: int) -> int:
        store = RedisStore(Primary(address), PSEUDONYMS)
        try:
            return write(store, number)
        finally:
            store.close()

    with ThreadPoolExecutor(WRITERS) as threads:
        return sum(threads.map(run, range(WRITERS)))


def test_ten_thousand_changes_by_four_writers_lose_nothing(
    redis_address: RedisAddress, redis_store: OpenRedisStore
) -> None:
    crowd = people(200)

    def write(store: RedisStore, number: int) -> int:
        chance = random.Random(number)
        landed = 0
        for _ in range(ROUNDS):
            waiting = chance.sample(crowd, A_ROUND)
            while waiting:
                readings = store.read(waiting, BUDGET_S)
                results = store.commit([counted(*each) for each in zip(waiting, readings, strict=True)], BUDGET_S)
                landed += sum(result.landed for result in results)
                waiting = [who for who, result in zip(waiting, results, strict=True) if not result.landed]
        return landed

    landed = with_stores(redis_address, write)
    assert landed == WRITERS * ROUNDS * A_ROUND >= 10_000
    assert sum(int(held.profile or b"0") for held in redis_store.read(crowd, BUDGET_S)) == landed


@pytest.mark.fault(row=7)
def test_nothing_lands_after_an_acknowledged_opt_out(redis_address: RedisAddress, redis_store: OpenRedisStore) -> None:
    crowd = people(150)
    at_opt_out: dict[Subject, bytes | None] = {}
    done = threading.Event()

    def write(store: RedisStore, number: int) -> int:
        chance = random.Random(number)
        while not done.is_set():
            some = chance.sample(crowd, 4)
            store.commit([counted(*each) for each in zip(some, store.read(some, BUDGET_S), strict=True)], BUDGET_S)
        return 0

    def opt_everybody_out() -> None:
        for who in crowd:
            while not redis_store.commit_durably(
                RecordChange(who, redis_store.read([who], BUDGET_S)[0], preference(who, Choice.OPT_OUT)), 0, BUDGET_S
            ).landed:
                continue
            at_opt_out[who] = redis_store.read([who], BUDGET_S)[0].profile
        done.set()

    opting = threading.Thread(target=opt_everybody_out)
    opting.start()
    with_stores(redis_address, write)
    opting.join()
    final = {who: held.profile for who, held in zip(crowd, redis_store.read(crowd, BUDGET_S), strict=True)}
    assert final == at_opt_out
    assert any(final.values())


def test_a_stale_reading_never_lands_whichever_writer_is_first(
    redis_address: RedisAddress, redis_store: OpenRedisStore
) -> None:
    """All writers try from the same reading of the same person, at once: exactly one lands, every time."""
    crowd = people(100)
    barrier = threading.Barrier(WRITERS)
    readings = dict(zip(crowd, redis_store.read(crowd, BUDGET_S), strict=True))

    def write(store: RedisStore, number: int) -> int:
        landed = 0
        for who in crowd:
            attempt = RecordChange(who, readings[who], preference(who), b"%d" % number, profile_ttl_s=DAY_S)
            barrier.wait()
            landed += store.commit([attempt], BUDGET_S)[0].landed
        return landed

    assert with_stores(redis_address, write) == len(crowd)
