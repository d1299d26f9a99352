"""The metrics of ended and refused calls, read from the gate at each scrape: a call pays nothing for them."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from google.rpc import code_pb2
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector, CollectorRegistry

from server.gate.methods import METHODS
from server.gate.port import Method
from server.gate.room import Cause
from server.security.admission import ROLE_LABELS

Counts = Mapping[Method, Mapping[int, int]]


_NO_CALLS: Final = dict.fromkeys(
    (
        code_pb2.OK,
        code_pb2.CANCELLED,
        code_pb2.INVALID_ARGUMENT,
        code_pb2.DEADLINE_EXCEEDED,
        code_pb2.PERMISSION_DENIED,
        code_pb2.UNAUTHENTICATED,
        code_pb2.RESOURCE_EXHAUSTED,
        code_pb2.FAILED_PRECONDITION,
        code_pb2.UNIMPLEMENTED,
        code_pb2.INTERNAL,
        code_pb2.UNAVAILABLE,
    ),
    0,
)
"""The codes that calls end with: a series of each is there from the start."""
_NO_REFUSALS: Final = {cause.value: 0 for cause in Cause}
_NO_DENIALS: Final = dict.fromkeys(ROLE_LABELS, 0)


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
        ended = self.count()
        for method in METHODS:
            for code, number in {**_NO_CALLS, **ended.get(method, {})}.items():
                family.add_metric([method.path.rpartition("/")[2], code_pb2.Code.Name(code).lower()], number)
        yield family

    def describe(self) -> Iterator[CounterMetricFamily]:
        """Return the name, which the registry wants before a gate is there."""
        return self.collect()


class RefusalCounts(Collector):
    """``adtargeting_refused_total``; ``count`` is the gate's ``refused``."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.count: Callable[[], Mapping[str, int]] = _NO_REFUSALS.copy
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


class DenialCounts(Collector):
    """``adtargeting_denied_calls_total``; ``count`` is the admission's ``denied``."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.count: Callable[[], Mapping[str, int]] = _NO_DENIALS.copy
        registry.register(self)

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Return the counts as they are now."""
        family = CounterMetricFamily(
            "adtargeting_denied_calls", "Calls and requests denied for want of a role, by role", labels=["role"]
        )
        for role, number in self.count().items():
            family.add_metric([role], number)
        yield family

    def describe(self) -> Iterator[CounterMetricFamily]:
        """Return the name, which the registry wants before a gate is there."""
        return self.collect()
