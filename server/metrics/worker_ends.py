"""``adtargeting_worker_ends_total``: counted by the supervisor of several processes, and 0 in all others."""

from prometheus_client import Counter
from prometheus_client.registry import CollectorRegistry


def define_worker_ends(registry: CollectorRegistry) -> Counter:
    """Return the counter, at zero."""
    return Counter("adtargeting_worker_ends", "Worker processes that ended by themselves", registry=registry)
