"""The metrics of several processes as one: what a scrape of the supervisor returns.

Counters and histograms add up, those of processes that have ended included, so no counter ever falls. Gauges are those
of the living: each adds up or shows its highest or lowest value, by name. Workers report values, not text: parsing
text would cost more than the rest of a scrape. Knows nothing of processes.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from prometheus_client.core import Metric
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
        "adtargeting_certificate_expiry_seconds",
        "adtargeting_store_trusted",
        "adtargeting_store_up",
        "adtargeting_store_writable",
        "process_max_fds",
        "process_start_time_seconds",
    }
)
"""Gauges of which the worst process counts; of the others the highest value does."""

_Key = tuple[str, tuple[tuple[str, str], ...]]


class Family(NamedTuple):
    """A metric of one process: its values by the name and the labels of each sample."""

    name: str
    text: str
    kind: str
    values: dict[_Key, float]


Families = list[Family]


def families_of(registry: CollectorRegistry) -> Families:
    """Return every metric of a registry as it is now."""
    return [
        Family(
            metric.name,
            metric.documentation,
            metric.type,
            {(sample.name, tuple(sample.labels.items())): sample.value for sample in metric.samples},
        )
        for metric in registry.collect()
    ]


class MergedMetrics(Collector):
    """Collects the metrics of the supervisor (``own``) and of its workers.

    ``ask`` has the workers report, and waits for those that answer in time; of the others the last report counts. Any
    thread may report, retire and collect.
    """

    def __init__(self, registry: CollectorRegistry, own: CollectorRegistry, ask: Callable[[], None]) -> None:
        self._own = own
        self._ask = ask
        self._lock = threading.Lock()
        self._ended: Families = []
        self._living: dict[int, Families] = {}
        registry.register(self)

    def report(self, worker: int, families: Families) -> None:
        """Take the current metrics of a worker."""
        with self._lock:
            self._living[worker] = families

    def retire(self, worker: int) -> None:
        """Keep the cumulative metrics of a worker that has ended, and forget the rest of them."""
        with self._lock:
            last = self._living.pop(worker, [])
            self._ended = _merged([*self._ended, *(family for family in last if family.kind in _CUMULATIVE)])

    def collect(self) -> Iterator[Metric]:
        """Return every family once."""
        self._ask()
        # At one moment, or a worker that ends just now would count twice.
        with self._lock:
            known = [*self._ended, *(family for families in self._living.values() for family in families)]
        for family in _merged([*families_of(self._own), *known]):
            metric = Metric(family.name, family.text, family.kind)
            metric.samples = [Sample(name, dict(labels), value) for (name, labels), value in family.values.items()]
            yield metric

    def describe(self) -> Iterator[Metric]:
        """Return nothing: what there is, the processes know."""
        return iter(())


def _merged(families: Iterable[Family]) -> Families:
    merged: dict[str, Family] = {}
    for family in families:
        known = merged.get(family.name)
        if known is None:
            merged[family.name] = family._replace(values=dict(family.values))
        else:
            _add(known.values, family.values, _combination(family))
    return list(merged.values())


def _add(values: dict[_Key, float], more: dict[_Key, float], combine: Callable[[float, float], float]) -> None:
    for key, value in more.items():
        values[key] = combine(values[key], value) if key in values else value


def _combination(family: Family) -> Callable[[float, float], float]:
    if family.kind in _CUMULATIVE or family.name in _SUMMED:
        return _sum
    return min if family.name in _LOWEST else max


def _sum(one: float, other: float) -> float:
    return one + other
