"""The metric of ended calls, read from the gate when it is asked for: a call pays nothing for it."""

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
        """Give the counts as they are now."""
        family = CounterMetricFamily(
            "adtargeting_calls", "Calls that have ended, by RPC and gRPC status", labels=["method", "code"]
        )
        for method, counts in self.count().items():
            for code, number in counts.items():
                family.add_metric([method.path.rpartition("/")[2], code_pb2.Code.Name(code).lower()], number)
        yield family

    def describe(self) -> Iterator[CounterMetricFamily]:
        """Give the name: the registry wants it before a gate is there."""
        return self.collect()
