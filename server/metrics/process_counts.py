"""The metrics of processes, which the supervisor of several has as well, so that they are there when no worker is."""

from prometheus_client import Counter, Gauge
from prometheus_client.registry import CollectorRegistry


def define_processes(registry: CollectorRegistry) -> Gauge:
    """Return ``adtargeting_processes`` at 0, the supervisor's own part of the sum."""
    return Gauge("adtargeting_processes", "Processes that serve", registry=registry)


def define_worker_ends(registry: CollectorRegistry) -> Counter:
    """Return ``adtargeting_worker_ends_total``, which only the supervisor counts."""
    return Counter("adtargeting_worker_ends", "Worker processes that ended by themselves", registry=registry)
