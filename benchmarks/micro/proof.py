"""What proof in operation costs: the policy in the shadow, decision records, and a replay.

The costs are compared with those of the same decisions without I/O, in the same run, turn about.
"""

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median

from msgspec.structs import replace as changed

from benchmarks.micro.core import Bench
from benchmarks.micro.timing import time_us
from benchmarks.people import NETWORKS
from benchmarks.reports.figures import Figure
from server.decision_records.reading import RecordReading
from server.decisions.sampling import EveryNth
from server.decisions.shadow import Shadow
from server.geo.ip_location import open_locator
from server.metrics.metrics import Metrics
from targeting.decision_records.facts import Recorded, record_of
from targeting.decision_records.lines import line_of, policy_record
from targeting.decision_records.replay import Replay
from targeting.policy.policy import DEFAULT_POLICY, ChildrenPolicy, NetworkRule
from targeting.rejudging.batch import DecidedBatch

REPLAYED = 1_000_000
"""Records that the replay has to get through in a minute."""

_BATCH = 16
_OTHER = replace(
    DEFAULT_POLICY,
    version="other",
    children=ChildrenPolicy(age=16),
    rules=(NetworkRule(withhold=("user_id",), countries=("US",)),),
)


def measure_proof(repeats: int, loops: int, replayed: int = REPLAYED) -> list[Figure]:
    """Measure each feature; a replay of fewer records is scaled to ``REPLAYED``."""
    found = [_ratios(names, loops) for names in ((), NETWORKS) for _ in range(repeats)]
    plain, asking = found[:repeats], found[repeats:]
    return [
        Figure("policy in the shadow, of a decision", _percent(plain, 0), repeats, "%", most=25),
        Figure("policy in the shadow, of one for 3 networks", _percent(asking, 0), repeats, "%", most=25),
        Figure("handing over a decision to be recorded, of it", _percent(plain, 1), repeats, "%", most=25),
        Figure("making its record, on another thread, of it", _percent(plain, 2), repeats, "%"),
        Figure(f"replay of {REPLAYED:,} records", _replay_s(replayed) * REPLAYED / replayed, 1, "s", most=60),
    ]


def _percent(found: list[tuple[float, ...]], index: int) -> float:
    return 100 * median(each[index] for each in found)


def _ratios(networks: tuple[str, ...], loops: int) -> tuple[float, ...]:
    """Return what the shadow, handing over and making records take, each as a share of deciding."""
    bench = Bench(_BATCH, open_locator(""), networks)
    shadow = Shadow(lambda: _OTHER, Metrics().shadow, EveryNth(1))
    batch = bench.batch()
    made = [Recorded(decided, decision, batch.policy, batch.now_s) for decided, decision in batch.decided()]
    works: list[Callable[[], object]] = [
        bench.whole,
        partial(shadow.observe, batch),
        partial(_hand_over, batch),
        lambda: [record_of(each, "epoch") for each in made],
    ]
    whole, *others = (time_us(work, loops) for work in works)
    return tuple(other / whole for other in others)


def _hand_over(batch: DecidedBatch) -> list[Recorded]:
    return [Recorded(decided, decision, batch.policy, batch.now_s) for decided, decision in batch.decided()]


def _replay_s(count: int) -> float:
    """Replay records of which some thousands differ, and return the seconds that it took."""
    batch = Bench(64, open_locator(""), NETWORKS).batch()
    records = [
        record_of(Recorded(decided, decision, batch.policy, batch.now_s), "epoch")
        for decided, decision in batch.decided()
    ]
    countries = [f"{first}{second}" for first in "ABCDEFGHIJ" for second in "ABCDEFGHIJ"]
    lines = [
        line_of(changed(each, places=changed(each.places, client=country), person=index % 8))
        for country in countries
        for index, each in enumerate(records)
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "records.jsonl")
        with path.open("wb") as file:
            file.write(line_of(policy_record(DEFAULT_POLICY)))
            for start in range(0, count, len(lines)):
                file.writelines(lines[: count - start])
        started_s = time.perf_counter()
        replay = Replay(_OTHER)
        RecordReading(replay).read(path)
        replay.judge()
        return time.perf_counter() - started_s
