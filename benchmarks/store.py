"""What the store costs on an embedded Redis: ``python -m benchmarks.store``.

Microseconds a call, by the number of subjects or changes in it: the best and the median of many short runs. The best
is the cost; the median shows what else the machine was doing.
"""

import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from server.store.circuit import Circuit, CircuitStore
from server.store.embedded.server import EmbeddedRedis
from server.store.keys import Pseudonyms
from server.store.ports import DecisionStore, RecordChange
from server.store.redis.primary import Primary
from server.store.redis.store import RedisStore
from server.store.redis.url import RedisAddress
from targeting.model import Subject, SubjectKind
from targeting.records.preference import Preference, encode_preference

SEED = 7
BUDGET_S = 5.0
PEOPLE = 2_000
PROFILE_BYTES = 500
TTL_S = 86_400
FETCHED = (1, 4, 32, 128, 512)
COMMITTED = (1, 32, 256)
RUNS = 60


def main() -> None:
    """Print the table."""
    pseudonyms = Pseudonyms(random.Random(SEED).randbytes(32))
    crowd = [Subject(SubjectKind.ACCOUNT, f"person-{number:08d}") for number in range(PEOPLE)]
    print(f"{'what':<30}{'each call':>10}{'best µs':>10}{'median µs':>11}{'µs each':>9}")
    _keys(pseudonyms, crowd)
    with tempfile.TemporaryDirectory(prefix="adt-bench-") as directory, EmbeddedRedis(Path(directory)) as server:
        _store(server.address, pseudonyms, crowd)


def _keys(pseudonyms: Pseudonyms, crowd: Sequence[Subject]) -> None:
    took = _times(lambda: [pseudonyms.locate(who) for who in crowd], 1)
    _line("locate (owner and keys)", 1, [each / len(crowd) for each in took])


def _store(address: RedisAddress, pseudonyms: Pseudonyms, crowd: Sequence[Subject]) -> None:
    store = RedisStore(Primary(address), pseudonyms)
    _fill(store, crowd)
    circuit = Circuit(lambda: None)
    doors: Sequence[tuple[str, DecisionStore]] = (("fetch", store), ("fetch, circuit", CircuitStore(store, circuit)))
    for name, door in doors:
        for size in FETCHED:
            some = crowd[:size]
            _line(name, size, _times(partial(door.fetch, some, BUDGET_S), max(1, 100 // size)))
    for size in COMMITTED:
        _commits("commit, synced", store, crowd[:size])
    who = crowd[0]
    took = _times(lambda: store.commit_durably(_change(store, who), 0, BUDGET_S), 1)
    _line("read, commit durably, synced", 1, took)
    store.close()


def _fill(store: RedisStore, crowd: Sequence[Subject]) -> None:
    held = store.read(crowd, BUDGET_S)
    changes = [
        RecordChange(who, each, encode_preference(Preference(), each.owner), b"x" * PROFILE_BYTES, profile_ttl_s=TTL_S)
        for who, each in zip(crowd, held, strict=True)
    ]
    if not all(result.landed for result in store.commit(changes, BUDGET_S)):
        raise SystemExit("the benchmark's own records did not land")


def _change(store: RedisStore, who: Subject) -> RecordChange:
    return RecordChange(
        who, store.read([who], BUDGET_S)[0], profile=random.randbytes(PROFILE_BYTES), profile_ttl_s=TTL_S
    )


def _commits(name: str, store: RedisStore, crowd: Sequence[Subject]) -> None:
    """Time commits alone: the reading that each is made from is not part of it."""
    took = []
    for _ in range(RUNS):
        changes = [_change(store, who) for who in crowd]
        started = time.perf_counter()
        results = store.commit(changes, BUDGET_S)
        took.append(time.perf_counter() - started)
        if not all(result.landed for result in results):
            raise SystemExit("an uncontested commit did not land")
    _line(name, len(crowd), took)


def _times(call: Callable[[], object], repeats: int) -> list[float]:
    """Return the seconds of one call, run by run."""
    took = []
    for _ in range(RUNS):
        started = time.perf_counter()
        for _ in range(repeats):
            call()
        took.append((time.perf_counter() - started) / repeats)
    return took


def _line(name: str, size: int, took: Sequence[float]) -> None:
    best, median = min(took) * 1e6, statistics.median(took) * 1e6
    print(f"{name:<30}{size:>10}{best:>10.1f}{median:>11.1f}{best / size:>9.2f}")


if __name__ == "__main__":
    main()
