"""What it costs to record activities on an embedded Redis: ``python -m benchmarks.activities``.

One worker records batches about different people whose profiles are full. The control makes the same two round trips
with the same people and as many bytes, and nothing in between; both take turns. Then writers contend for one person.
Outcomes are checked. The best is the cost; the median shows what else the machine was doing.
"""

import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from adtargeting.v1 import profile_pb2 as pb
from adtargeting.v1 import targeting_pb2

from benchmarks import people
from server.calls.activity import record_activity
from server.calls.call_context import CallContext, DecisionParts
from server.calls.profile import get_profile
from server.decisions.decider import Decider
from server.decisions.fetcher import Fetcher
from server.decisions.signal_observer import SignalObserver
from server.metrics.metrics import Metrics
from server.store.embedded.server import EmbeddedRedis
from server.store.keys import Pseudonyms
from server.store.ports import Committed, RecordChange
from server.store.redis.primary import Primary
from server.store.redis.store import RedisStore
from targeting.decision import Rulebook
from targeting.model import Subject
from targeting.places.geo import IpLocation
from targeting.policy.policy import DEFAULT_POLICY
from targeting.records.preference import encode_preference
from targeting.records.profile import encode_profile
from targeting.signals.nap import Nap

PEOPLE = 2_000
SIZES = (1, 16, 64, 256)
WRITERS = (1, 2, 4, 8)
REPEATS = 30
CONTENDED_S = 1.5
TARGET_PER_S = 8_000
_SEED = 7
_BUDGET_S = 5.0
_TTL_S = 86_400
_KINDS = (pb.ACTIVITY_KIND_AD_IMPRESSION, pb.ACTIVITY_KIND_PAGE_VIEW, pb.ACTIVITY_KIND_CONTENT, pb.ACTIVITY_KIND_CALL)
_WEIGHTS = (50, 25, 20, 5)
_US = targeting_pb2.ClientSettings(country="US")


class Sample(NamedTuple):
    """Seconds of one call: by the clock, and of this thread's CPU."""

    wall_s: float
    cpu_s: float


class Counting(RedisStore):
    """Counts the changes that were tried and those that landed."""

    tried = 0
    landed = 0

    def commit(self, changes: Sequence[RecordChange], budget_s: float) -> list[Committed]:
        """Apply changes; see ``RecordStore``."""
        committed = super().commit(changes, budget_s)
        self.tried += len(committed)
        self.landed += sum(each.landed for each in committed)
        return committed


def main() -> None:
    """Print the tables."""
    pseudonyms = Pseudonyms(random.Random(_SEED).randbytes(32))
    with (
        tempfile.TemporaryDirectory(prefix="adt-bench-") as directory,
        EmbeddedRedis(Path(directory), fsync="everysec") as redis,
    ):
        with closing(RedisStore(Primary(redis.address), pseudonyms)) as store:
            fill(store)
            throughput(store)
        contention(lambda: Counting(Primary(redis.address), pseudonyms))


def fill(store: RedisStore) -> None:
    """Store everybody's records."""
    crowd = [people.account(number) for number in range(PEOPLE)]
    changes = [
        RecordChange(
            who,
            held,
            preference=encode_preference(people.preference(number), held.owner),
            profile=encode_profile(people.profile(number), held.owner),
            profile_ttl_s=_TTL_S,
        )
        for number, (who, held) in enumerate(zip(crowd, store.read(crowd, _BUDGET_S), strict=True))
    ]
    if not all(each.landed for each in store.commit(changes, _BUDGET_S)):
        raise SystemExit("the benchmark's own records did not land")


def throughput(store: RedisStore) -> None:
    """Record batches of every size, in turn with the control."""
    call_tools, chance = tools(store), random.Random(_SEED)
    print(f"{'a batch of':>10}{'best/s':>10}{'median/s':>10}{'CPU µs':>9}{'control µs':>12}{'÷ control':>11}{'n':>5}")
    for size in SIZES:
        taken = [_pair(store, call_tools, chance.sample(range(PEOPLE), size), chance) for _ in range(REPEATS)]
        walls, controls = [own.wall_s for own, _ in taken], [control.wall_s for _, control in taken]
        ratio = statistics.median(own / control for own, control in zip(walls, controls, strict=True))
        print(
            f"{size:>10}{size / min(walls):>10,.0f}{size / statistics.median(walls):>10,.0f}"
            f"{statistics.median(own.cpu_s for own, _ in taken) / size * 1e6:>9.1f}"
            f"{statistics.median(controls) / size * 1e6:>12.1f}{ratio:>11.2f}{len(taken):>5}"
        )
    print(f"target: at least {TARGET_PER_S:,} a second in batches of {SIZES[-1]}\n")


def tools(store: RedisStore) -> CallContext:
    """Return what the handler works with."""
    metrics, rulebook = Metrics(), Rulebook(DEFAULT_POLICY)
    decisions = DecisionParts(Decider(lambda: rulebook, _no_nap), Fetcher(store, metrics), SignalObserver(metrics))
    return CallContext(store, decisions, lambda: rulebook, _Nowhere(), _no_nap, metrics, time.time, _BUDGET_S)


class _Nowhere:
    """Activities bring no address."""

    def locate(self, _: str) -> IpLocation:
        """Know no place."""
        return IpLocation("", "")


def _no_nap(_: str) -> Nap | None:
    return None


def activity(number: int, chance: random.Random) -> pb.Activity:
    """Something that a person did."""
    (kind,) = chance.choices(_KINDS, _WEIGHTS)
    return pb.Activity(
        activity_id=f"{chance.getrandbits(64):016x}",
        account_id=people.account(number).id,
        kind=kind,
        segment_ids=[str(chance.randrange(223, 600)) for _ in range(2)] if kind in _KINDS[1:3] else [],
        ad_id=f"creative-{chance.randrange(10**6)}" if kind == _KINDS[0] else "",
        destination_country="GB" if kind == _KINDS[3] else "",
        cookie_header="CC=US; SRCHD=AF=NOFORM; _ga=GA1.2.1234567890.1700000000",
        client=_US,
    )


def _pair(
    store: RedisStore, call_tools: CallContext, crowd: Sequence[int], chance: random.Random
) -> tuple[Sample, Sample]:
    payload = pb.RecordActivityRequest(activities=[activity(number, chance) for number in crowd]).SerializeToString()
    answers: list[bytes] = []
    own = _timed(lambda: answers.append(record_activity(payload, call_tools)))
    results = pb.RecordActivityResponse.FromString(answers[0]).results
    if any(result.outcome != pb.OUTCOME_RECORDED for result in results) or len(results) != len(crowd):
        raise SystemExit("an activity was not recorded")
    return own, _timed(lambda: _round_trips(store, [people.account(number) for number in crowd]))


def _round_trips(store: RedisStore, crowd: Sequence[Subject]) -> None:
    """Read everybody and write back what was read."""
    changes = [
        RecordChange(who, held, profile=held.profile, seen=held.seen, profile_ttl_s=_TTL_S, seen_ttl_s=_TTL_S)
        for who, held in zip(crowd, store.read(crowd, _BUDGET_S), strict=True)
    ]
    store.commit(changes, _BUDGET_S)


def _timed(work: Callable[[], object]) -> Sample:
    wall_s, cpu_s = time.perf_counter(), time.thread_time()
    work()
    return Sample(time.perf_counter() - wall_s, time.thread_time() - cpu_s)


def contention(open_store: Callable[[], Counting]) -> None:
    """Let writers write about one person, each as fast as it can, one activity a call."""
    print(f"{'writers':>10}{'activities/s':>14}{'tries each':>12}{'lost':>6}")
    for count in WRITERS:
        stores = [open_store() for _ in range(count)]
        done = threading.Event()
        # A new person each time, because what is remembered of earlier activities would slow later ones down.
        person = f"contended by {count}"
        threads = [
            threading.Thread(target=_write, args=(store, done, person, seed)) for seed, store in enumerate(stores)
        ]
        started = time.perf_counter()
        for thread in threads:
            thread.start()
        time.sleep(CONTENDED_S)
        done.set()
        for thread in threads:
            thread.join()
        took_s, landed = time.perf_counter() - started, sum(store.landed for store in stores)
        tried, counted = sum(store.tried for store in stores), _impressions(stores[0], person)
        print(f"{count:>10}{landed / took_s:>14,.0f}{tried / landed:>12.2f}{landed - counted:>6}")
        for store in stores:
            store.close()


def _write(store: RedisStore, done: threading.Event, person: str, seed: int) -> None:
    call_tools, chance = tools(store), random.Random(seed)
    while not done.is_set():
        shown = pb.Activity(
            activity_id=f"{chance.getrandbits(64):016x}",
            account_id=person,
            kind=pb.ACTIVITY_KIND_AD_IMPRESSION,
            ad_id="ad-1",
            client=_US,
        )
        record_activity(pb.RecordActivityRequest(activities=[shown]).SerializeToString(), call_tools)


def _impressions(store: RedisStore, person: str) -> int:
    """Count what the person's profile holds."""
    call_tools = tools(store)
    payload = pb.GetProfileRequest(account_id=person).SerializeToString()
    held = pb.GetProfileResponse.FromString(get_profile(payload, call_tools))
    return sum(exposure.count for exposure in held.exposures)


if __name__ == "__main__":
    main()
