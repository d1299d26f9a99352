"""The metrics of ended and refused calls, read from the gate at each scrape: a call pays nothing for them."""

from collections.abc import Callable, Iterator, Mapping

from google.rpc import code_pb2
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector, CollectorRegistry

from server.gate.port import Method

Counts = Mapping[Method, Mapping[int, int]]


def _none() -> Counts:
    """Before a gate is open nothing has ended."""
    return {}


class CallCounts(Collector):
    """``adtargeting_calls_total``; ``count`` is the gate's ``ended``."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.count: Callable[[], Counts] = _none
        registry.register(self)

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Return the counts as they are now."""
        family = CounterMetricFamily(
            "adtargeting_calls", "Calls that have ended, by RPC and gRPC status", labels=["method", "code"]
        )
        for method, counts in self.count().items():
            for code, number in counts.items():
                family.add_metric([method.path.rpartition("/")[2], code_pb2.Code.Name(code).lower()], number)
        yield family

    def describe(self) -> Iterator[CounterMetricFamily]:
        """Return the name, which the registry wants before a gate is there."""
        return self.collect()


class RefusalCounts(Collector):
    """``adtargeting_refused_total``; ``count`` is the gate's ``refused``."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.count: Callable[[], Mapping[str, int]] = dict
        registry.register(self)

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Return the counts as they are now."""
        family = CounterMetricFamily("adtargeting_refused", "Calls refused before any work, by cause", labels=["cause"])
        for cause, number in self.count().items():
            family.add_metric([cause], number)
        yield family

    def describe(self) -> Iterator[CounterMetricFamily]:
        """Return the name, which the registry wants before a gate is there."""
        return self.collect()
