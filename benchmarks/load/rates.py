"""Calls a second, turn about: every repeat takes one sample of every case, the next one in the other direction.

So whatever drifts on the machine drifts for all; and a ratio is the median of the ratios of neighbours.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.load.h2load import Sample, Target, Voided, run
from benchmarks.load.processes import cpu_s
from benchmarks.load.scene import WrongAnswer

_WARM_UP_CALLS = 400
_LEAST_ROUNDS = 8
"""How many calls a sample has at least for each in flight."""


class Case(NamedTuple):
    """What is called, how many calls at a time, in which process; ``check`` raises ``WrongAnswer``."""

    name: str
    targets: Sequence[Target]
    in_flight: int
    pid: int
    check: Callable[[], None] = lambda: None


class Measured(NamedTuple):
    """One sample and the CPU time of the server for one call (µs)."""

    sample: Sample
    cpu_us: float


class Series:
    """The samples of one case, in the order of the repeats; None for one that is void."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.samples: list[Measured | None] = []
        self.voided: list[str] = []

    @property
    def valid(self) -> list[Measured]:
        """The samples without an error."""
        return [each for each in self.samples if each is not None]

    def middle(self, figure: Callable[[Measured], float]) -> float:
        """Return the median of a figure; 0 when every sample is void."""
        return median(map(figure, self.valid)) if self.valid else 0.0

    def ratio(self, control: "Series", figure: Callable[[Measured], float]) -> float:
        """Return the median of a figure's ratio to that of the control in the same repeat; 0 without any pair."""
        pairs = self._pairs(control)
        return median(figure(ours) / figure(theirs) for ours, theirs in pairs) if pairs else 0.0

    def beyond(self, control: "Series", figure: Callable[[Measured], float]) -> float:
        """Return the median of what a figure has over that of the control in the same repeat; 0 without any pair."""
        pairs = self._pairs(control)
        return median(figure(ours) - figure(theirs) for ours, theirs in pairs) if pairs else 0.0

    def _pairs(self, control: "Series") -> list[tuple[Measured, Measured]]:
        """Return the samples of both that were taken in the same repeat and are valid."""
        samples = zip(self.samples, control.samples, strict=True)
        return [(ours, theirs) for ours, theirs in samples if ours is not None and theirs is not None]


def rate(measured: Measured) -> float:
    """Return the calls a second."""
    return measured.sample.rate


def p50(measured: Measured) -> float:
    """Return the median time of a call (ms)."""
    return measured.sample.p50_ms


def cpu(measured: Measured) -> float:
    """Return the CPU time of the server for one call (µs)."""
    return measured.cpu_us


def measure(cases: Iterable[Case], repeats: int, seconds: float, scratch: Path) -> dict[str, Series]:
    """Take ``repeats`` samples of every case, each of about ``seconds``."""
    series = [Series(case) for case in cases]
    calls = {each.case.name: _calls(each.case, seconds, scratch) for each in series}
    for repeat in range(repeats):
        for each in series if repeat % 2 == 0 else reversed(series):
            try:
                each.samples.append(_sample(each.case, calls[each.case.name], scratch))
            except (Voided, WrongAnswer) as problem:
                each.samples.append(None)
                each.voided.append(str(problem))
    return {each.case.name: each for each in series}


def _calls(case: Case, seconds: float, scratch: Path) -> int:
    """Warm up, and find out how many calls such a sample takes."""
    found = 0.0
    # What is wrong here will be wrong, and reported, in the samples.
    with suppress(Voided):
        found = run(case.targets, _WARM_UP_CALLS, case.in_flight, scratch).rate
    # Every connection and every target gets the same share.
    return max(int(found * seconds), _LEAST_ROUNDS * case.in_flight, 64) // 64 * 64


def _sample(case: Case, calls: int, scratch: Path) -> Measured:
    case.check()
    before_s = cpu_s(case.pid)
    sample = run(case.targets, calls, case.in_flight, scratch)
    spent_s = cpu_s(case.pid) - before_s
    case.check()
    return Measured(sample, spent_s / calls * 1e6)
