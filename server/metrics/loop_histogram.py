"""A histogram for one writer, the thread of the event loop: without a lock, an observation costs half a microsecond.

Readers on other threads may see an observation that is counted and not yet summed; the next scrape has both.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate

from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector, CollectorRegistry


class LoopHistogram(Collector):
    """Counts observations by upper bound."""

    def __init__(self, registry: CollectorRegistry, name: str, text: str, bounds: Sequence[float]) -> None:
        self._name = name
        self._text = text
        self._bounds = bounds
        self._labels = [*(str(float(bound)) for bound in bounds), "+Inf"]
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0
        registry.register(self)

    def observe(self, value: float) -> None:
        """Count one observation."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Return the histogram as it is now."""
        buckets = list(zip(self._labels, accumulate(self._counts), strict=True))
        family = HistogramMetricFamily(self._name, self._text)
        family.add_metric([], buckets, self._sum)
        yield family

    def describe(self) -> Iterator[HistogramMetricFamily]:
        """Return the name, for the registry to check."""
        return self.collect()
