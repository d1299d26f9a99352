"""The load part of the suite: how long it takes, and which figures are drawn from it."""

import tempfile
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

import grpc

from benchmarks import people
from benchmarks.comparisons import comparisons, laid_out
from benchmarks.processes import resident_mib, start_service
from benchmarks.rates import Series, cpu, measure, p50, rate
from benchmarks.scene import BATCH, Scene, ask, behavioural


class Extent(NamedTuple):
    """How long to measure: samples a case, seconds a sample, loops a timing, starts, people in the store."""

    repeats: int
    seconds: float
    loops: int
    starts: int
    population: int


# Many short samples rather than few long ones: who else runs on the machine then spoils fewer of them.
QUICK = Extent(repeats=9, seconds=0.25, loops=15, starts=3, population=2_000)
FULL = Extent(repeats=25, seconds=0.5, loops=50, starts=7, population=10_000)


class Figure(NamedTuple):
    """What may have a target, how often it was measured; without a bound (0) it is only told."""

    name: str
    value: float
    repeats: int
    unit: str = ""
    least: float = 0
    most: float = 0

    @property
    def met(self) -> bool:
        """Whether the target is met."""
        return self.least <= self.value and (not self.most or self.value <= self.most)


class Loaded(NamedTuple):
    """What the load found: every case, each with its control's name, and the figures that have targets."""

    series: dict[str, Series]
    controls: dict[str, str]
    figures: list[Figure]


def measure_load(extent: Extent) -> Loaded:
    """Start the service and the control, and measure everything that needs them."""
    compared = comparisons()
    with tempfile.TemporaryDirectory(prefix="adt-bench-") as name:
        directory = Path(name)
        with Scene(directory, extent.population) as scene, laid_out(scene, compared, directory) as cases:
            series = measure(cases, extent.repeats, extent.seconds, directory)
            memory = [
                Figure("Redis memory a profile of 32 interests", scene.bytes_a_profile(), 1, "B", most=600),
                Figure("memory of the service's process", resident_mib(scene.service.pid), 1, "MiB", most=90),
            ]
        starts = [_start_s(directory) for _ in range(extent.starts)]
    start = Figure("start to first answer", median(starts), extent.starts, "s", most=1.5)
    controls = {each.name: each.control for each in compared}
    return Loaded(series, controls, [*_ratios(series, extent.repeats), *memory, start])


def _ratios(series: dict[str, Series], repeats: int) -> list[Figure]:
    def ratio(case: str, control: str, times: int = 1) -> float:
        return times * series[case].ratio(series[control], rate)

    alone = series["Decide, 1"].ratio(series["echo, 1"], p50)
    limited_alone = ratio("Decide, limited by the request", "Decide, 16")
    batched, batched_alike = (ratio("DecideBatch of 32", each, BATCH) for each in ("echo, 16", "echo of a batch"))
    preparing, its_echo = series["PrepareBidRequest, 3 networks"], series["echo of a bid request"]
    prepare = preparing.beyond(its_echo, cpu)
    return [
        Figure("Decide ÷ echo, 16 in flight", ratio("Decide, 16", "echo, 16"), repeats, least=0.45),
        Figure("decisions of DecideBatch ÷ echo, 16 in flight", batched, repeats, least=6),
        Figure("decisions of DecideBatch ÷ echo of a batch", batched_alike, repeats),
        Figure("limited by the request ÷ behavioural, 16 in flight", limited_alone, repeats),
        Figure("p50 of Decide ÷ p50 of echo, 1 in flight", alone, repeats),
        Figure("CPU of PrepareBidRequest beyond its echo", prepare, repeats, "µs", most=250),
        # Machines differ: by this they compare.
        Figure("the same ÷ CPU of its echo", preparing.ratio(its_echo, cpu) - 1, repeats),
    ]


def _start_s(directory: Path) -> float:
    """Give the time from starting the service, its data in place, to its first answer."""
    question = behavioural("start", people.request(0))
    started = time.perf_counter()
    with start_service(directory) as service, grpc.insecure_channel(service.address) as channel:
        ask(channel, question)
        return time.perf_counter() - started
