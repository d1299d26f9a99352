"""What a run showed: of each metric whether it is there and moves, of each alert whether it fires and resolves."""

from collections.abc import Iterable, Iterator, Sequence
from math import isnan
from typing import Final, NamedTuple

from server.metrics.metrics import Metrics
from tests.monitor.prometheus_server import PrometheusServer, Series
from tests.monitor.trials import Outcome

_CONSTANT: Final = frozenset({"adtargeting_build_info"})
"""There, and the same for as long as a process lives."""
_TOGETHER_S: Final = 3.0
"""Two instances are first scraped within this time."""
_SAMPLES: Final = {"counter": "_total", "histogram": "_count", "gauge": ""}


class SeriesVerdict(NamedTuple):
    """How many series a metric has, and whether one of them has changed."""

    metric: str
    series: int
    moves: bool

    @property
    def holds(self) -> bool:
        """Whether it is as it must be."""
        return self.series > 0 and self.moves != (self.metric in _CONSTANT)


def metrics() -> Iterator[str]:
    """Yield the name of a sample of each metric of the service."""
    for family in Metrics().registry.collect():
        if family.name.startswith("adtargeting_"):
            yield family.name + _SAMPLES[family.type]


def moves(series: Sequence[Series]) -> bool:
    """Whether any series changed its value, or came or went long after or before another."""
    if any(len({value for _, value in each.values if not isnan(value)}) > 1 for each in series):
        return True
    starts, ends = [each.values[0][0] for each in series], [each.values[-1][0] for each in series]
    return bool(series) and max(max(starts) - min(starts), max(ends) - min(ends)) > _TOGETHER_S


def judge_series(prometheus: PrometheusServer, start_s: float, end_s: float) -> list[SeriesVerdict]:
    """Return the verdict on each metric of the service, over a run (seconds since 1970)."""
    found = {name: prometheus.range(name, start_s, end_s) for name in metrics()}
    return [SeriesVerdict(name, len(series), moves(series)) for name, series in sorted(found.items())]


def tables(series: Iterable[SeriesVerdict], outcomes: Iterable[Outcome]) -> Iterator[str]:
    """Yield the lines of both tables."""
    yield f"{'metric':52} {'series':>6}  {'moves':5}  verdict"
    for each in series:
        yield f"{each.metric:52} {each.series:6}  {_word(holds=each.moves):5}  {_mark(holds=each.holds)}"
    yield ""
    yield f"{'fault':34} {'alert':30} {'fires':>8} {'resolves':>8}  verdict"
    for outcome in outcomes:
        times = f"{_seconds(outcome.fired_s):>8} {_seconds(outcome.resolved_s):>8}"
        yield f"{outcome.fault.name:34} {outcome.fault.alert:30} {times}  {_mark(holds=outcome.holds)}"


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:.1f} s"


def _word(*, holds: bool) -> str:
    return "yes" if holds else "no"


def _mark(*, holds: bool) -> str:
    return "ok" if holds else "MISSED"
