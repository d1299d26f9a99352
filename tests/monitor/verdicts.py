"""What a run showed: of each metric whether it is there and moves, of each value of its labels too, and of the alerts.

The contract (``tests.monitor.contract``) says which metrics and labels there must be; the service's own registry adds
the metrics that the contract does not name.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import isnan
from typing import Final, NamedTuple

from server.metrics.metrics import Metrics
from tests.monitor.contract import CONSTANT, CONTRACT, PREFIX, STILL
from tests.monitor.prometheus_server import PrometheusServer, Series
from tests.monitor.trials import Outcome

_TOGETHER_S: Final = 3.0
"""Two instances are first scraped within this time."""
_SAMPLES: Final = {"counter": "_total", "histogram": "_count", "gauge": ""}
_INFORMING: Final = "_info"
"""A metric whose labels tell something, and come and go with it."""

Found = Mapping[str, Sequence[Series]]
"""The series by the name of a metric, without the prefix; a counter with ``_total``, a histogram without a suffix."""


class SeriesVerdict(NamedTuple):
    """How many series a metric has, and whether one of them has changed."""

    metric: str
    series: int
    moves: bool

    @property
    def holds(self) -> bool:
        """Whether it is as it must be."""
        return self.series > 0 and self.moves != (self.metric in CONSTANT)


class LabelVerdict(NamedTuple):
    """Which values of one label some series moves; of the others those that are still for a known reason."""

    metric: str
    label: str
    moving: tuple[str, ...]
    explained: tuple[str, ...]
    missed: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether every value moves, or is known to be still."""
        return bool(self.moving) and not self.missed


class Verdicts(NamedTuple):
    """The verdicts on all metrics and labels."""

    series: Sequence[SeriesVerdict]
    labels: Sequence[LabelVerdict]

    @property
    def hold(self) -> bool:
        """Whether all are as they must be."""
        return all(each.holds for each in self.series) and all(each.holds for each in self.labels)


def metrics() -> dict[str, str]:
    """Return the sample to look at, by the name of each metric of the contract and of the service."""
    own: dict[str, str] = {}
    for family in Metrics().registry.collect():
        if family.name.startswith(PREFIX):
            name = family.name.removeprefix(PREFIX)
            sample = family.name + _SAMPLES[family.type]
            own[name if family.type == "histogram" else sample.removeprefix(PREFIX)] = sample
    return {name: f"{PREFIX}{name}" for name in CONTRACT} | own


def moves(series: Sequence[Series]) -> bool:
    """Whether any series changed its value, or came or went long after or before another."""
    if any(len({value for _, value in each.values if not isnan(value)}) > 1 for each in series):
        return True
    starts, ends = [each.values[0][0] for each in series], [each.values[-1][0] for each in series]
    return bool(series) and max(max(starts) - min(starts), max(ends) - min(ends)) > _TOGETHER_S


def judge(prometheus: PrometheusServer, start_s: float, end_s: float) -> Verdicts:
    """Return the verdicts on a run (seconds since 1970)."""
    return judge_found({name: prometheus.range(sample, start_s, end_s) for name, sample in metrics().items()})


def judge_found(found: Found) -> Verdicts:
    """Return the verdicts on the series that were found."""
    return Verdicts(
        [SeriesVerdict(name, len(series), moves(series)) for name, series in sorted(found.items())],
        [
            judge_label(name, label, found.get(name, ()))
            for name, labels in sorted(CONTRACT.items())
            if not name.endswith(_INFORMING)
            for label in labels
        ],
    )


def judge_label(metric: str, label: str, series: Sequence[Series]) -> LabelVerdict:
    """Return the verdict on one label."""
    values = sorted({each.labels[label] for each in series if label in each.labels})
    moving = tuple(value for value in values if moves([each for each in series if each.labels.get(label) == value]))
    still = [value for value in values if value not in moving]
    reasons = STILL.get((metric, label), ())
    explained = tuple(value for value in still if any(reason.explains(value) for reason in reasons))
    return LabelVerdict(metric, label, moving, explained, tuple(value for value in still if value not in explained))


def tables(verdicts: Verdicts, outcomes: Iterable[Outcome]) -> Iterator[str]:
    """Yield the lines of the tables, and of what is still with its reason."""
    yield f"{'metric':40} {'series':>6}  {'moves':5}  verdict"
    for each in verdicts.series:
        yield f"{each.metric:40} {each.series:6}  {_word(holds=each.moves):5}  {_mark(holds=each.holds)}"
    yield ""
    yield f"{'metric of the contract':28} {'label':10} {'moving':>6} {'still':>5}  verdict"
    for label in verdicts.labels:
        counts = f"{len(label.moving):6} {len(label.explained) + len(label.missed):5}"
        missed = f": {', '.join(label.missed)}" if label.missed else ""
        yield f"{label.metric:28} {label.label:10} {counts}  {_mark(holds=label.holds)}{missed}"
    yield ""
    yield from _explanations(verdicts.labels)
    yield ""
    yield f"{'fault':34} {'alert':30} {'fires':>8} {'resolves':>8}  verdict"
    for outcome in outcomes:
        times = f"{_seconds(outcome.fired_s):>8} {_seconds(outcome.resolved_s):>8}"
        yield f"{outcome.fault.name:34} {outcome.fault.alert:30} {times}  {_mark(holds=outcome.holds)}"


def _explanations(labels: Iterable[LabelVerdict]) -> Iterator[str]:
    """Yield a line for each reason why values of a label are still."""
    for each in labels:
        for reason in STILL.get((each.metric, each.label), ()):
            values = [value for value in each.explained if reason.explains(value)]
            if values:
                yield f"{each.metric} {each.label} {', '.join(values)}: still, {reason.why}"


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:.1f} s"


def _word(*, holds: bool) -> str:
    return "yes" if holds else "no"


def _mark(*, holds: bool) -> str:
    return "ok" if holds else "MISSED"
