"""The load part of the suite: which cases there are, and which ratios are drawn from them."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

import grpc

from benchmarks import people
from benchmarks.echo import path as echo_path
from benchmarks.load import Target, write_body
from benchmarks.processes import Serving, resident_mib, settle, start_echo, start_service
from benchmarks.rates import Case, Series, measure, p50, rate
from benchmarks.scene import BATCH, Question, Scene, ask, batch, behavioural, limited

CONCURRENCY = (1, 16, 64)
BATCHES_IN_FLIGHT = 4
"""More would wait for longer than a decision may take."""
SPREAD = 4
"""So many processes of the load generator, each about another person."""


class Extent(NamedTuple):
    """How long to measure: samples a case, seconds a sample, loops a timing, starts, people in the store."""

    repeats: int
    seconds: float
    loops: int
    starts: int
    population: int


QUICK = Extent(repeats=5, seconds=0.5, loops=15, starts=3, population=2_000)
FULL = Extent(repeats=9, seconds=2.0, loops=50, starts=7, population=10_000)


class Ratio(NamedTuple):
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
    ratios: list[Ratio]


def measure_load(extent: Extent) -> Loaded:
    """Start the service and the control, and measure everything that needs them."""
    with tempfile.TemporaryDirectory(prefix="adt-bench-") as name:
        directory = Path(name)
        with Scene(directory, extent.population) as scene, _cases(scene, directory) as cases:
            series = measure(cases, extent.repeats, extent.seconds, directory)
            memory = [
                Ratio("Redis memory a profile of 32 interests", scene.bytes_a_profile(), 1, "B", most=600),
                Ratio("memory of the service's process", resident_mib(scene.service.pid), 1, "MiB", most=90),
            ]
        starts = [_start_s(directory) for _ in range(extent.starts)]
    start = Ratio("start to first answer", median(starts), extent.starts, "s", most=1.5)
    return Loaded(series, _controls(), [*_ratios(series, extent.repeats), *memory, start])


@contextmanager
def _cases(scene: Scene, directory: Path) -> Iterator[list[Case]]:
    """Lay out the cases, and run the control while they are measured; it answers as many bytes as the service."""
    one, networks = behavioural("decide", people.request(0)), behavioural("networks", people.request_with_networks(0))
    refused, many = limited("limited", people.limiting_request(0)), batch("batch", 0)
    spread = [behavioural(f"spread-{number}", people.request(number)) for number in range(1, 1 + SPREAD)]
    sizes = {each.name: len(scene.answer(each)) for each in (one, networks, many, refused, *spread)}
    with start_echo(list(sizes.values()), directory / "echo.log") as echo:
        settle()

        def real(name: str, questions: Sequence[Question], in_flight: int) -> Case:
            targets = [scene.target(each) for each in questions]
            return Case(name, targets, in_flight, scene.service.pid, lambda: [scene.answer(each) for each in questions])

        def control(name: str, questions: Sequence[Question], in_flight: int) -> Case:
            targets = [_echo_target(echo, each, sizes[each.name], directory) for each in questions]
            return Case(name, targets, in_flight, echo.pid, lambda: None)

        yield [
            *(
                case
                for width in CONCURRENCY
                for case in (control(f"echo, {width}", [one], width), real(f"Decide, {width}", [one], width))
            ),
            control("echo, 4 people", spread, 16),
            real("Decide, 4 people", spread, 16),
            real("Decide, limited by the request", [refused], 16),
            real("Decide, 3 networks", [networks], 16),
            control("echo of a batch", [many], BATCHES_IN_FLIGHT),
            real("DecideBatch of 32", [many], BATCHES_IN_FLIGHT),
        ]


def _controls() -> dict[str, str]:
    """Which case is compared with which."""
    same_width = {f"Decide, {width}": f"echo, {width}" for width in CONCURRENCY}
    return same_width | {
        "Decide, 4 people": "echo, 4 people",
        "Decide, limited by the request": "echo, 16",
        "Decide, 3 networks": "echo, 16",
        "DecideBatch of 32": "echo of a batch",
    }


def _ratios(series: dict[str, Series], repeats: int) -> list[Ratio]:
    def ratio(case: str, control: str, times: int = 1) -> float:
        return times * series[case].ratio(series[control], rate)

    alone = series["Decide, 1"].ratio(series["echo, 1"], p50)
    limited_alone = ratio("Decide, limited by the request", "Decide, 16")
    batched, batched_alike = (ratio("DecideBatch of 32", each, BATCH) for each in ("echo, 16", "echo of a batch"))
    return [
        Ratio("Decide ÷ echo, 16 in flight", ratio("Decide, 16", "echo, 16"), repeats, least=0.45),
        Ratio("decisions of DecideBatch ÷ echo, 16 in flight", batched, repeats, least=6),
        Ratio("decisions of DecideBatch ÷ echo of a batch", batched_alike, repeats),
        Ratio("limited by the request ÷ behavioural, 16 in flight", limited_alone, repeats),
        Ratio("p50 of Decide ÷ p50 of echo, 1 in flight", alone, repeats),
    ]


def _echo_target(echo: Serving, question: Question, size: int, directory: Path) -> Target:
    body = write_body(directory / f"echo-{question.name}.body", question.message)
    return Target(echo.address, echo_path(size), body, size, size)


def _start_s(directory: Path) -> float:
    """Give the time from starting the service, its data in place, to its first answer."""
    question = behavioural("start", people.request(0))
    started = time.perf_counter()
    with start_service(directory) as service, grpc.insecure_channel(service.address) as channel:
        ask(channel, question)
        return time.perf_counter() - started
