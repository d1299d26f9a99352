"""The report of a run as one HTML page that needs no other file: plots, figures with targets, every case."""

import html
import io
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Plot

from benchmarks.load.arrivals import BUDGET_MS, Arrivals
from benchmarks.load.comparisons import CONCURRENCY
from benchmarks.load.rates import p50, rate
from benchmarks.micro.core import Parts
from benchmarks.reports.figures import Figure
from benchmarks.reports.report import machine, target_of
from benchmarks.suite import Loaded

_RESULTS = Path(__file__).parents[1] / "results"
_VERDICTS = frozenset({"met", "missed"})
_PERCENTILES = np.array([0, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.99])
_CAUTION = (
    "Service, store and load generator share these cores. Absolute figures drift from hour to hour; ratios of one run "
    "count."
)
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24; }
h1, h2 { line-height: 1.2 } table { border-collapse: collapse; width: 100%; font-size: 14px }
th, td { text-align: right; padding: .25rem .5rem; border-bottom: 1px solid #d8dee4 }
th:first-child, td:first-child { text-align: left } .missed { color: #b42318; font-weight: 600 } .met { color: #146c43 }
svg { width: 100%; height: auto } figure { margin: 1.5rem 0 } figcaption { color: #57606a; font-size: 14px }
"""


def write_report(loaded: Loaded, parts: Sequence[Parts], *, quick: bool) -> Path:
    """Write the page to ``benchmarks/results/`` and return its path."""
    mpl.rcParams["svg.hashsalt"] = "adtargeting"
    extent = "quick" if quick else "full"
    path = _RESULTS / f"{datetime.now(UTC):%Y-%m-%d}-{extent}.html"
    sections = [
        f"<h1>Benchmark, {extent} run</h1><p>{html.escape(machine())}. {_CAUTION}</p>",
        "<h2>Figures and targets</h2>",
        _figures(loaded.figures),
        *(_plot(title, caption, draw) for title, caption, draw in _plots(loaded, parts)),
        "<h2>Closed loop</h2>",
        _cases(loaded),
    ]
    page = "\n".join(sections)
    path.write_text(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>adtargeting benchmark</title><style>{_STYLE}</style><body>{page}</body></html>\n"
    )
    return path


def _plots(loaded: Loaded, parts: Sequence[Parts]) -> list[tuple[str, str, Callable[[Axes], None]]]:
    drawn: list[tuple[str, str, Callable[[Axes], None]]] = [
        (
            "Time of a call that arrives on its own clock",
            "From when the call was due; shares of the closed-loop knee of each gate. The line is the budget and 5 ms.",
            lambda axes: _percentiles(axes, loaded.arrivals),
        ),
        (
            "Beside a neighbour",
            "Calls at a tenth of the knee, beside 8 calls at a time of each kind.",
            lambda axes: _percentiles(axes, loaded.neighbours),
        ),
        (
            "Throughput and latency",
            "Closed loop; each point is a number of calls in flight.",
            lambda axes: _knees(axes, loaded),
        ),
        (
            "Ten times the knee",
            "Right answers in each second of the run, as a share of the knee.",
            lambda axes: _overload(axes, loaded),
        ),
    ]
    if parts:
        drawn.append(
            ("A decision by the size of its batch", "Without I/O, in one process.", lambda axes: _batches(axes, parts))
        )
    return drawn


def _plot(title: str, caption: str, draw: Callable[[Axes], None]) -> str:
    plot = Plot(figsize=(9, 4.2), layout="constrained")
    axes = plot.add_subplot()
    draw(axes)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, fontsize=9)
    drawn = io.StringIO()
    plot.savefig(drawn, format="svg", metadata={"Date": None})
    svg = drawn.getvalue().partition("<svg")
    return (
        f"<h2>{html.escape(title)}</h2><figure>{svg[1]}{svg[2]}<figcaption>{html.escape(caption)}</figcaption></figure>"
    )


def _percentiles(axes: Axes, runs: Sequence[Arrivals]) -> None:
    # The distance to 100 %, on a logarithmic axis, as the tail is what matters.
    distance = np.maximum(100 - _PERCENTILES, 0.01)
    for run in runs:
        times_ms = [run.outcome.percentile_ms(percent) for percent in _PERCENTILES]
        axes.plot(distance, times_ms, marker=".", label=f"{run.name}, {100 * run.share:g} %")
    axes.axhline(BUDGET_MS, color="grey", linestyle=":")
    axes.set(xscale="log", yscale="log", xlabel="percentile", ylabel="ms")
    axes.invert_xaxis()
    axes.set_xticks([100, 50, 10, 1, 0.1, 0.01], ["0", "50", "90", "99", "99.9", "99.99"])


def _knees(axes: Axes, loaded: Loaded) -> None:
    for prefix in ("Decide", "echo"):
        points = [loaded.series[f"{prefix}, {width}"] for width in CONCURRENCY]
        axes.plot(
            [series.middle(rate) for series in points],
            [series.middle(p50) for series in points],
            marker="o",
            label="grpc.aio echo" if prefix == "echo" else prefix,
        )
    axes.set(xlabel="calls a second", ylabel="p50, ms", yscale="log")


def _overload(axes: Axes, loaded: Loaded) -> None:
    for run in loaded.overloads:
        answers = run.outcome.second_of_answers / run.knee
        axes.plot(range(len(answers)), answers, marker=".", label=run.name)
    axes.axhline(0.7, color="grey", linestyle=":")
    axes.set(xlabel="second of the run", ylabel="right answers ÷ knee", ylim=(0, None))


def _batches(axes: Axes, parts: Sequence[Parts]) -> None:
    sizes = [part.size for part in parts]
    for name in ("parse", "decide", "serialise", "whole"):
        axes.plot(sizes, [getattr(part, name) / 1000 for part in parts], marker="o", label=name)
    axes.set(xlabel="decisions in a batch", ylabel="µs a decision", xscale="log", yscale="log")


def _figures(figures: Sequence[Figure]) -> str:
    rows = []
    for figure in figures:
        verdict = ("met" if figure.met else "missed") if figure.has_target else ""
        rows.append([figure.name, f"{figure.value:.3g} {figure.unit}", target_of(figure), verdict, str(figure.repeats)])
    return _table(("figure", "result", "target", "", "n"), rows)


def _cases(loaded: Loaded) -> str:
    rows = []
    for name, series in loaded.series.items():
        control = loaded.controls.get(name)
        ratio = f"{series.ratio(loaded.series[control], rate):.2f}" if control else ""
        figures = (series.middle(rate), series.middle(p50), series.middle(lambda measured: measured.sample.p99_ms))
        rows.append(
            [name, f"{figures[0]:,.0f}", f"{figures[1]:.2f}", f"{figures[2]:.2f}", ratio, str(len(series.valid))]
        )
    return _table(("case", "calls a second", "p50 ms", "p99 ms", "÷ its echo", "n"), rows)


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{html.escape(heading)}</th>" for heading in headings)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _cell(text: str) -> str:
    verdict = f' class="{text}"' if text in _VERDICTS else ""
    return f"<td{verdict}>{html.escape(text)}</td>"
