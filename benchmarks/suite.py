"""The suite: how long it takes, and what it measures in which order."""

import os
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

import grpc

from benchmarks import people
from benchmarks.load.arrivals import (
    Arrivals,
    Overload,
    measure_knee,
    measure_neighbours,
    measure_overload,
    measure_shares,
)
from benchmarks.load.comparisons import OTHER_GATE, Scenes, comparisons, laid_out
from benchmarks.load.doors import measure_doors
from benchmarks.load.h2load import Voided
from benchmarks.load.processes import resident_mib, start_service
from benchmarks.load.rates import Series, measure, p50
from benchmarks.load.scene import Scene, ask, behavioural
from benchmarks.reports.figures import (
    Figure,
    closed_loop_figures,
    neighbour_figures,
    open_loop_figures,
    overload_figures,
)


class Extent(NamedTuple):
    """How long to measure: samples a case, seconds a sample, loops a timing, starts, people in the store.

    ``open_s`` and ``overload_s`` are the seconds of an open-loop run; ``crowd`` are the people of the larger store, 0
    to leave it out; ``processes`` is how many are compared with one, 0 to leave it out.
    """

    repeats: int
    seconds: float
    loops: int
    starts: int
    population: int
    open_s: float
    overload_s: float
    crowd: int = 0
    processes: int = 0


# Many short samples rather than few long ones: whatever else runs on the machine then spoils fewer of them.
QUICK = Extent(repeats=5, seconds=0.2, loops=15, starts=2, population=2_000, open_s=1, overload_s=2.5)
FULL = Extent(
    repeats=11,
    seconds=0.5,
    loops=50,
    starts=7,
    population=10_000,
    open_s=8,
    overload_s=30,
    crowd=1_000_000,
    processes=2,
)


class Loaded(NamedTuple):
    """What the load found. ``controls`` names each case's control."""

    series: dict[str, Series]
    controls: dict[str, str]
    figures: list[Figure]
    arrivals: list[Arrivals]
    overloads: list[Overload]
    neighbours: list[Arrivals]
    problem: str = ""
    """Why the other gate was not measured under calls that arrive on their own clock, if it was not."""


def measure_load(extent: Extent) -> Loaded:
    """Start the service and the controls, and measure everything that needs them."""
    compared = comparisons()
    with tempfile.TemporaryDirectory(prefix="adt-bench-") as name:
        directory = Path(name)
        (directory / OTHER_GATE).mkdir()
        with (
            Scene(directory, extent.population) as scene,
            Scene(directory / OTHER_GATE, extent.population, ADTARGETING_GATE=OTHER_GATE) as other,
        ):
            with laid_out(Scenes(scene, other), compared, directory) as cases:
                series = measure(cases, extent.repeats, extent.seconds, directory)
            memory = _memory(scene)
            target = scene.target(behavioural("arrival", people.request(0)))
            knee = measure_knee(target, directory)
            arrivals = measure_shares("http2", target, knee, extent.open_s, directory)
            other_target = other.target(behavioural("arrival-grpcio", people.request(0)))
            problem = ""
            try:
                knee_other = measure_knee(other_target, directory)
                arrivals += measure_shares(OTHER_GATE, other_target, knee_other, extent.open_s, directory)
            except Voided as voided:
                # It costs this part alone, not the minutes before.
                problem = f"{OTHER_GATE}, open loop: {voided}"
            neighbours = measure_neighbours(scene, target, knee, extent.open_s, directory)
            overloads = measure_overload(scene, target, knee, extent.overload_s, directory)
            doors = measure_doors(scene, directory, extent.repeats, extent.seconds)
        start = Figure(
            "start to first answer",
            median(_start_s(directory) for _ in range(extent.starts)),
            extent.starts,
            "s",
            most=1.5,
        )
        grown = _growth(directory, knee, extent)
    figures = [
        *closed_loop_figures(series, extent.repeats),
        *open_loop_figures([each for each in arrivals if each.name != OTHER_GATE], series["echo, 1"].middle(p50)),
        *neighbour_figures(neighbours),
        *overload_figures(overloads),
        *doors,
        *memory,
        start,
        *grown,
    ]
    controls = {comparison.name: comparison.control for comparison in compared}
    return Loaded(series, controls, figures, arrivals, overloads, neighbours, problem)


def _memory(scene: Scene) -> list[Figure]:
    return [
        Figure("Redis memory a profile of 32 interests", scene.bytes_a_profile(), 1, "B", most=600),
        Figure("memory of the service's process", resident_mib(scene.service.pid), 1, "MiB", most=110),
    ]


def _growth(directory: Path, knee: float, extent: Extent) -> list[Figure]:
    """Compare the knee with that of more processes, and that of a store with many more people."""
    figures = []
    if extent.processes:
        several = _knee_of(directory, "processes", extent.population, ADTARGETING_PROCESSES=str(extent.processes))
        name = f"knee of {extent.processes} processes ÷ of one, on {os.cpu_count()} cores that load and store share"
        figures.append(Figure(name, several / knee, 1))
    if extent.crowd:
        crowded = _knee_of(directory, "crowd", extent.crowd)
        figures.append(
            Figure(f"knee with {extent.crowd:,} people ÷ with {extent.population:,}", crowded / knee, 1, least=0.9)
        )
    return figures


def _knee_of(directory: Path, name: str, population: int, **settings: str) -> float:
    scratch = directory / name
    scratch.mkdir()
    with Scene(scratch, population, **settings) as scene:
        return measure_knee(scene.target(behavioural(name, people.request(0))), scratch)


def _start_s(directory: Path) -> float:
    """Return the time from starting the service, its data in place, to its first answer."""
    question = behavioural("start", people.request(0))
    started = time.perf_counter()
    with start_service(directory) as service, grpc.insecure_channel(service.address) as channel:
        ask(channel, question)
        return time.perf_counter() - started
