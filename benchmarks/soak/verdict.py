"""What a soak may not show: something that grows, a circuit that opened, or a store that is late all the time. Pure.

A series grows when its order is more surprising than chance would make it, and its robust slope over the whole run
exceeds what is tolerated: 8 MiB of memory is 2 bytes a call in ten minutes at 7,000 calls a second.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from benchmarks.soak.trend import Trend, trend
from benchmarks.soak.windows import Window

WARM_UP_SHARE: Final = 0.15
"""The share of the windows at the beginning that do not count: caches fill, and pools reach their size."""
_PERCENT: Final = 100.0
_MOST_LIMITED: Final = 0.01
"""Percent of the decisions about a person of whom everything may be used, on a healthy store."""


class Series(NamedTuple):
    """Something watched over time. ``tolerated`` is growth in the unit, ``tolerated_share`` as a share of its level.

    ``most`` is what its level may be: the middle of all windows, which a pause of the machine does not move.
    """

    name: str
    unit: str
    value: Callable[[Window], float]
    tolerated: float
    tolerated_share: float = 0.0
    most: float = float("inf")


SERIES: Final = (
    Series("resident memory", "MiB", lambda window: window.view.footprint.resident_mib, 8.0),
    Series("open descriptors", "", lambda window: window.view.footprint.descriptors, 8.0),
    Series("threads", "", lambda window: window.view.footprint.threads, 2.0),
    Series("p99", "ms", lambda window: window.answers.p99_ms, 5.0, 0.5),
    Series("LIMITED", "%", lambda window: window.limited_share * _PERCENT, 0.1, most=_MOST_LIMITED),
    Series("STORE_TIMEOUT", "%", lambda window: window.timeout_share * _PERCENT, 0.1, most=_MOST_LIMITED),
)


class Judged(NamedTuple):
    """A series with its middle level, its trend after the warm-up, and whether it grows."""

    series: Series
    middle: float
    trend: Trend
    grows: bool

    @property
    def is_high(self) -> bool:
        """Whether its level is more than it may be."""
        return self.middle > self.series.most


def judged(windows: Sequence[Window]) -> list[Judged]:
    """Judge every series."""
    settled = windows[int(len(windows) * WARM_UP_SHARE) :]
    return [_judge(series, settled) for series in SERIES]


def findings(windows: Sequence[Window]) -> list[str]:
    """Return, in words, why the soak fails; empty when it does not."""
    found = [
        f"{each.series.name} grew by {each.trend.growth:.3g} {each.series.unit}".rstrip()
        for each in judged(windows)
        if each.grows
    ]
    found += [
        f"{each.series.name} is {each.middle:.3g} {each.series.unit}, more than {each.series.most:g}"
        for each in judged(windows)
        if each.is_high
    ]
    openings = windows[-1].view.circuit_openings
    if openings:
        found.append(f"the circuit opened {times(openings)}")
    return found


def timeout_share(windows: Sequence[Window]) -> float:
    """Return the share of all decisions of the run that found the store too late."""
    calls = sum(window.answers.calls for window in windows)
    return sum(window.timeout_share * window.answers.calls for window in windows) / max(calls, 1)


def times(count: int) -> str:
    """Return a count of occurrences in words."""
    return "once" if count == 1 else f"{count} times"


def _judge(series: Series, windows: Sequence[Window]) -> Judged:
    values = [series.value(window) for window in windows]
    found = trend([window.at_s for window in windows], values)
    middle = sorted(values)[len(values) // 2] if values else float("nan")
    limit = max(series.tolerated, series.tolerated_share * middle)
    return Judged(series, middle, found, found.is_surprising and found.growth > limit)
