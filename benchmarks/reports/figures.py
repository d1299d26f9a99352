"""The figures that have targets: what is due, from which samples each is drawn."""

from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.load.arrivals import BUDGET_MS, Arrivals, Overload
from benchmarks.load.rates import Series, cpu, p50, rate
from benchmarks.load.scene import BATCH

_DUE_RATIOS = {16: 1.15, 64: 1.7, 256: 1.7}
_HALF = 0.5


class Figure(NamedTuple):
    """A result and its target: at least, or at most; without a bound (0) it is only shown. ``repeats``: samples."""

    name: str
    value: float
    repeats: int
    unit: str = ""
    least: float = 0
    most: float = 0

    @property
    def has_target(self) -> bool:
        """Whether there is a bound."""
        return bool(self.least or self.most)

    @property
    def met(self) -> bool:
        """Whether the target is met."""
        return (not self.least or self.least <= self.value) and (not self.most or self.value <= self.most)


def closed_loop_figures(series: dict[str, Series], repeats: int) -> list[Figure]:
    """Return the ratios of the closed loop; each is the median of those of neighbouring samples."""

    def ratio(case: str, control: str, times: int = 1) -> float:
        return times * series[case].ratio(series[control], rate)

    preparing, its_echo = series["PrepareBidRequest, 3 networks"], series["echo of a bid request"]
    prepare = preparing.ratio(its_echo, cpu) - 1
    return [
        *(
            Figure(f"Decide ÷ echo, {width} in flight", ratio(f"Decide, {width}", f"echo, {width}"), repeats, least=due)
            for width, due in _DUE_RATIOS.items()
        ),
        Figure(
            "p50 of Decide ÷ p50 of echo, alone", series["Decide, 1"].ratio(series["echo, 1"], p50), repeats, most=1.5
        ),
        Figure(
            "decisions of DecideBatch ÷ echo, 16 in flight",
            ratio("DecideBatch of 32", "echo, 16", BATCH),
            repeats,
            least=2.7,
        ),
        Figure("CPU of PrepareBidRequest beyond its echo, in echoes", prepare, repeats, most=1.3),
        Figure(
            "limited by the request ÷ behavioural, 16 in flight",
            ratio("Decide, limited by the request", "Decide, 16"),
            repeats,
            least=1.5,
        ),
        Figure("Decide on grpcio ÷ echo, 64 in flight", ratio("Decide on grpcio, 64", "echo, 64"), repeats),
        Figure("h2corn's echo ÷ echo, 64 in flight", ratio("h2corn's echo, 64", "echo, 64"), repeats),
    ]


def open_loop_figures(arrivals: Sequence[Arrivals], echo_p50_ms: float) -> list[Figure]:
    """Return the figures of calls that arrive on their own clock."""
    half = next(each.outcome for each in arrivals if each.share == _HALF)
    late = max(each.outcome.share_later_than(BUDGET_MS) for each in arrivals)
    return [
        Figure("open loop at 50 % of the knee: p50 ÷ echo alone", half.percentile_ms(50) / echo_p50_ms, 1, most=8),
        Figure("open loop at 50 % of the knee: p99 ÷ echo alone", half.percentile_ms(99) / echo_p50_ms, 1, most=35),
        Figure("answers later than budget + 5 ms, up to 90 % of the knee", 100 * late, len(arrivals), "%", most=1),
    ]


def overload_figures(runs: Sequence[Overload]) -> list[Figure]:
    """Return the figures of ten times the knee."""
    return [figure for run in runs for figure in _overload_figures(f"10 times the knee, {run.name}", run)]


def _overload_figures(name: str, run: Overload) -> list[Figure]:
    late = 100 * run.outcome.share_later_than(BUDGET_MS)
    return [
        Figure(f"{name}: goodput ÷ knee", run.goodput, 1, least=0.7),
        Figure(f"{name}: p99 of refusals", run.outcome.refusal_percentile_ms(99), 1, "ms", most=50),
        Figure(f"{name}: answers later than budget + 5 ms", late, 1, "%", most=1),
        Figure(f"{name}: memory ÷ before", run.after_mib / run.before_mib, 1, most=2),
    ]


def neighbour_figures(runs: Sequence[Arrivals]) -> list[Figure]:
    """Return the figures of a client beside others: the first run is it alone."""
    alone = runs[0].outcome
    figures = []
    for run in runs[1:]:
        outcome = run.outcome
        worse = 1 - outcome.as_expected / outcome.calls
        figures += [
            Figure(f"beside {run.name}: p99 ÷ alone", outcome.percentile_ms(99) / alone.percentile_ms(99), 1, most=5),
            Figure(f"beside {run.name}: limited or refused", 100 * worse, 1, "%", most=1),
        ]
    return figures
