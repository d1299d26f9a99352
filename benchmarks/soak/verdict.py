"""What a soak may not show: something that grows, or a circuit that opened. Pure.

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


class Series(NamedTuple):
    """Something watched over time. ``tolerated`` is growth in the unit, ``tolerated_share`` as a share of its level."""

    name: str
    unit: str
    value: Callable[[Window], float]
    tolerated: float
    tolerated_share: float = 0.0


SERIES: Final = (
    Series("resident memory", "MiB", lambda window: window.view.footprint.resident_mib, 8.0),
    Series("open descriptors", "", lambda window: window.view.footprint.descriptors, 8.0),
    Series("threads", "", lambda window: window.view.footprint.threads, 2.0),
    Series("p99", "ms", lambda window: window.answers.p99_ms, 5.0, 0.5),
    Series("LIMITED", "%", lambda window: window.limited_share * _PERCENT, 0.1),
    Series("STORE_TIMEOUT", "%", lambda window: window.timeout_share * _PERCENT, 0.1),
)


class Judged(NamedTuple):
    """A series with its middle level, its trend after the warm-up, and whether it grows."""

    series: Series
    middle: float
    trend: Trend
    grows: bool


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
    openings = windows[-1].view.circuit_openings
    if openings:
        found.append(f"the circuit opened {times(openings)}")
    return found


def times(count: int) -> str:
    """Return a count of occurrences in words."""
    return "once" if count == 1 else f"{count} times"


def _judge(series: Series, windows: Sequence[Window]) -> Judged:
    values = [series.value(window) for window in windows]
    found = trend([window.at_s for window in windows], values)
    middle = sorted(values)[len(values) // 2] if values else float("nan")
    limit = max(series.tolerated, series.tolerated_share * middle)
    return Judged(series, middle, found, found.is_surprising and found.growth > limit)
