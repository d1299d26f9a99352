"""The run: window after window of load, and after each a look at the service. Knows nothing of what is too much."""

import time
from collections.abc import Callable
from typing import Final, NamedTuple

from benchmarks.soak.samples import Counts, Footprint

LEAST_WINDOWS: Final = 12
"""With fewer no trend would show."""


class Answers(NamedTuple):
    """How the calls of one window were answered. ``unanswered`` counts calls that were refused or lost."""

    calls: int
    unanswered: int
    p50_ms: float
    p99_ms: float


class View(NamedTuple):
    """One look at the service: what it holds, what it has counted, how often its circuit has opened."""

    footprint: Footprint
    counts: Counts
    circuit_openings: int


class Window(NamedTuple):
    """One window: when it ended (seconds from the start), its answers, and the view at its end.

    ``limited_share`` and ``timeout_share`` are shares of the decisions that were made in the window.
    """

    at_s: float
    answers: Answers
    view: View
    limited_share: float
    timeout_share: float


def watch(load: Callable[[], Answers], look: Callable[[], View], seconds: float) -> list[Window]:
    """Load and look until the time is up, and at least ``LEAST_WINDOWS`` times."""
    began_s, windows, before = time.monotonic(), [], look()
    while True:
        answers, view = load(), look()
        at_s = time.monotonic() - began_s
        windows.append(_window(at_s, answers, before, view))
        before = view
        if at_s >= seconds and len(windows) >= LEAST_WINDOWS:
            return windows


def _window(at_s: float, answers: Answers, before: View, after: View) -> Window:
    decisions = max(after.counts.decisions - before.counts.decisions, 1)
    return Window(
        at_s,
        answers,
        after,
        limited_share=(after.counts.limited - before.counts.limited) / decisions,
        timeout_share=(after.counts.timeouts - before.counts.timeouts) / decisions,
    )
