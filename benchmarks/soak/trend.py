"""Whether a series grows: the Theil-Sen slope and the Mann-Kendall test, neither moved by a few wild samples. Pure."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np

LEAST_SAMPLES: Final = 8
"""With fewer, no order of the samples is surprising enough."""
_SURPRISING_Z: Final = 3.09
"""One series without a trend in 1,000 is as far up."""


class Trend(NamedTuple):
    """By how much a series rises from its first sample to its last, and how surprising its order is (in sigmas)."""

    growth: float
    z: float

    @property
    def is_surprising(self) -> bool:
        """Whether a series without a trend would hardly ever look like this."""
        return self.z > _SURPRISING_Z


def trend(at_s: Iterable[float], values: Iterable[float]) -> Trend:
    """Return the trend of samples in order of time; none where there are too few of them."""
    known = [(at, value) for at, value in zip(at_s, values, strict=True) if not math.isnan(value)]
    if len(known) < LEAST_SAMPLES:
        return Trend(0.0, 0.0)
    times, levels = np.array(known).T
    first, second = np.triu_indices(len(known), 1)
    rises = levels[second] - levels[first]
    slope = float(np.median(rises / (times[second] - times[first])))
    return Trend(slope * float(times[-1] - times[0]), _z(int(np.sign(rises).sum()), levels.tolist()))


def _z(score: int, levels: Sequence[float]) -> float:
    """Standardise the Mann-Kendall score, with the usual corrections for ties and continuity."""
    count = len(levels)
    ties = Counter(levels).values()
    variance = (_spread(count) - sum(_spread(tied) for tied in ties)) / 18
    return (score - math.copysign(1, score)) / math.sqrt(variance) if score and variance > 0 else 0.0


def _spread(count: int) -> int:
    return count * (count - 1) * (2 * count + 5)
