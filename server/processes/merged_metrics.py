"""The metrics of several processes as one: what a scrape of the supervisor returns.

Counters and histograms add up, those of processes that have ended included, so no counter ever falls. Gauges are those
of the living: each adds up or shows its highest or lowest value, by name. Knows nothing of processes.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector, CollectorRegistry
from prometheus_client.samples import Sample

_CUMULATIVE: Final = frozenset({"counter", "histogram"})
_SUMMED: Final = frozenset(
    {
        "adtargeting_inflight",
        "adtargeting_processes",
        "process_open_fds",
        "process_resident_memory_bytes",
        "process_virtual_memory_bytes",
    }
)
_LOWEST: Final = frozenset(
    {
        "adtargeting_store_trusted",
        "adtargeting_store_up",
        "adtargeting_store_writable",
        "process_max_fds",
        "process_start_time_seconds",
    }
)
"""Gauges of which the worst process counts. Of all others the highest value counts."""

_Key = tuple[str, tuple[tuple[str, str], ...]]


class MergedMetrics(Collector):
    """Collects the metrics of all processes; ``texts`` returns them in the Prometheus text format, one a process."""

    def __init__(self, registry: CollectorRegistry, texts: Callable[[], Sequence[str]]) -> None:
        self._texts = texts
        self._ended: dict[str, Metric] = {}
        registry.register(self)

    def retire(self, text: str) -> None:
        """Keep the cumulative metrics of a process that has ended."""
        cumulative = [family for family in _parsed(text) if family.type in _CUMULATIVE]
        self._ended = _merged([*self._ended.values(), *cumulative])

    def collect(self) -> Iterator[Metric]:
        """Return every family once."""
        living = [family for text in self._texts() for family in _parsed(text)]
        yield from _merged([*self._ended.values(), *living]).values()

    def describe(self) -> Iterator[Metric]:
        """Return nothing: what there is, the processes know."""
        return iter(())


def _parsed(text: str) -> Iterable[Metric]:
    return text_string_to_metric_families(text)


def _merged(families: Iterable[Metric]) -> dict[str, Metric]:
    merged: dict[str, Metric] = {}
    values: dict[str, dict[_Key, float]] = {}
    for family in families:
        merged.setdefault(family.name, Metric(family.name, family.documentation, family.type))
        of_family = values.setdefault(family.name, {})
        combine = _combination(family)
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            of_family[key] = combine(of_family[key], sample.value) if key in of_family else sample.value
    for name, of_family in values.items():
        merged[name].samples = [Sample(sample, dict(labels), value) for (sample, labels), value in of_family.items()]
    return merged


def _combination(family: Metric) -> Callable[[float, float], float]:
    if family.type in _CUMULATIVE or family.name in _SUMMED:
        return _sum
    return min if family.name in _LOWEST else max


def _sum(one: float, other: float) -> float:
    return one + other
