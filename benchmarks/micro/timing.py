"""Times of small things in this process, each next to a reference: one keyed BLAKE2b of 36 bytes.

That is how the service makes a pseudonym of an id. Targets hold for a machine on which the reference takes 0.5 µs. A
time is the median of many short loops: other processes on the machine disturb a few of them and not the median.
"""

import hashlib
import importlib
import pkgutil
from collections.abc import Callable, Iterable
from statistics import median
from timeit import Timer
from typing import NamedTuple

import benchmarks.micro

Thunk = Callable[[], object]
MicroCase = tuple[str, Thunk, float]
"""A name, what to time, and how long it may take (µs) on the reference machine."""

REFERENCE_US = 0.5

_SLICE_S = 0.001
_MESSAGE, _KEY = bytes(36), bytes(32)


class Timed(NamedTuple):
    """A time (µs) as measured, and as it were on the reference machine; how many loops were run."""

    name: str
    median_us: float
    scaled_us: float
    target_us: float
    loops: int


def reference() -> bytes:
    """Do what the reference machine does in half a microsecond."""
    return hashlib.blake2b(_MESSAGE, key=_KEY, digest_size=16).digest()


def plain_reference() -> bytes:
    """Hash as much without a key, which takes half as long and less."""
    return hashlib.blake2b(_MESSAGE).digest()


def time_us(thunk: Thunk, loops: int) -> float:
    """Return the median time of one call, in µs, over loops of about a millisecond."""
    timer, calls = _timer(thunk)
    return median(timer.repeat(loops, calls)) / calls * 1e6


def timed(case: MicroCase, loops: int) -> Timed:
    """Time a case and the reference turn about; the scaled time is the median of the ratios of neighbours."""
    name, thunk, target_us = case
    (timer, calls), (control, control_calls) = _timer(thunk), _timer(reference)
    pairs = [(timer.timeit(calls) / calls, control.timeit(control_calls) / control_calls) for _ in range(loops)]
    median_us = median(ours for ours, _ in pairs) * 1e6
    return Timed(name, median_us, median(ours / theirs for ours, theirs in pairs) * REFERENCE_US, target_us, loops)


def _timer(thunk: Thunk) -> tuple[Timer, int]:
    """Return a timer, and how many calls take about a millisecond."""
    timer = Timer(thunk)
    once_s = max(min(timer.repeat(3, 1)), 1e-7)
    return timer, max(1, round(_SLICE_S / once_s))


def found_cases() -> Iterable[tuple[str, list[MicroCase]]]:
    """Return the cases of every module here that has some, by the module's name."""
    for package in (benchmarks, benchmarks.micro):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__") and hasattr(
                loaded := importlib.import_module(module.name), "cases"
            ):
                yield module.name, loaded.cases()
