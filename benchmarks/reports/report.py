"""What was found, as tables for people. Nothing is judged here but against the targets."""

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version

from rich.console import Console
from rich.table import Table

from benchmarks.load.arrivals import OVERLOAD, Arrivals
from benchmarks.load.rates import Series, cpu, p50, rate
from benchmarks.micro.core import Parts
from benchmarks.micro.timing import Timed
from benchmarks.reports.figures import Figure
from benchmarks.suite import Loaded

_WIDTH = 118


def new_console() -> Console:
    """Open the console; what is piped stays as wide as a page."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_WIDTH)


def show_machine(console: Console) -> None:
    """Show what was measured on."""
    console.print(machine())


def machine() -> str:
    """Return the machine and the libraries; a load near the number of cores says that others were measured too."""
    load = f"load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    libraries = ", ".join(f"{name} {version(name)}" for name in ("grpcio", "uvloop", "protobuf", "numpy", "redis"))
    return f"{platform.machine()}, {os.cpu_count()} cores, {load}; Python {platform.python_version()}, {libraries}"


def show_load(console: Console, loaded: Loaded) -> None:
    """Show every case, medians of its samples; the ratio is the median of those of neighbours."""
    table = _table("Load (h2load, loopback; medians)", "case", "in flight", "calls/s", "p50 ms", "p99 ms",
                   "CPU µs a call", "÷ its echo", "n", "void")  # fmt: skip
    for name, series in loaded.series.items():
        table.add_row(*_row(name, series, loaded))
    console.print(table)
    for name, series in loaded.series.items():
        for problem in series.voided:
            console.print(f"void: {name}: {problem}")
    if loaded.problem:
        console.print(f"void: {loaded.problem}")


def show_arrivals(console: Console, loaded: Loaded) -> None:
    """Show the open loop: calls that arrive on their own clock, times from when each was due."""
    table = _table("Open loop (Poisson arrivals)", "case", "share of the knee", "calls", "p50 ms", "p99 ms", "p99.9 ms",
                   "LIMITED %", "refused %", "lost")  # fmt: skip
    rows = [*loaded.arrivals, *loaded.neighbours]
    rows += [Arrivals(f"overload, {each.name}", OVERLOAD, each.outcome) for each in loaded.overloads]
    for name, share, outcome in rows:
        table.add_row(
            name,
            f"{share:g}",
            f"{outcome.calls:,}",
            *(f"{outcome.percentile_ms(percent):.2f}" for percent in (50, 99, 99.9)),
            f"{100 * outcome.limited_share:.2f}",
            f"{100 * outcome.refused / outcome.calls:.1f}",
            str(outcome.lost),
        )
    console.print(table)


def show_figures(console: Console, figures: Sequence[Figure]) -> None:
    """Show the figures that have targets."""
    table = _table("Figures and targets", "figure", "result", "target", "", "n")
    for figure in figures:
        verdict = _verdict(met=figure.met) if figure.has_target else ""
        table.add_row(figure.name, f"{figure.value:.3g} {figure.unit}", target_of(figure), verdict, str(figure.repeats))
    console.print(table)


def show_core(console: Console, parts: Sequence[Parts], repeats: int) -> None:
    """Show what a decision costs without I/O."""
    table = _table(f"A decision without I/O, ns (medians of {repeats})", "batch", "parse", "plan and decide",
                   "serialise", "whole")  # fmt: skip
    for each in parts:
        figures = (each.parse, each.decide, each.serialise, each.whole)
        table.add_row(str(each.size), *(f"{figure:,.0f}" for figure in figures))
    console.print(table)


def show_timed(console: Console, timed: Sequence[Timed]) -> None:
    """Show the small things."""
    title = "Small things, µs (scaled to a keyed BLAKE2b of 36 bytes in 0.5 µs)"
    table = _table(title, "what", "median", "scaled", "target", "", "loops")
    for each in timed:
        table.add_row(
            each.name,
            f"{each.median_us:.2f}",
            f"{each.scaled_us:.2f}",
            f"≤ {each.target_us:g}" if each.target_us else "",
            _verdict(met=each.scaled_us <= each.target_us) if each.target_us else "",
            str(each.loops),
        )
    console.print(table)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index else "left", no_wrap=index > 0)
    return table


def _row(name: str, series: Series, loaded: Loaded) -> tuple[str, ...]:
    control = loaded.controls.get(name)
    ratio = f"{series.ratio(loaded.series[control], rate):.2f}" if control else ""
    return (
        name,
        str(series.case.in_flight),
        f"{series.middle(rate):,.0f}",
        f"{series.middle(p50):.2f}",
        f"{series.middle(lambda each: each.sample.p99_ms):.2f}",
        f"{series.middle(cpu):.0f}",
        ratio,
        str(len(series.valid)),
        str(len(series.voided)),
    )


def target_of(figure: Figure) -> str:
    """Return a figure's target in words; empty without one."""
    if not figure.has_target:
        return ""
    return f"≥ {figure.least:g}" if figure.least else f"≤ {figure.most:g} {figure.unit}".strip()


def _verdict(*, met: bool) -> str:
    return "met" if met else "missed"
