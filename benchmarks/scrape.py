"""What a scrape of the metrics costs: ``python -m benchmarks.scrape``.

Time on the CPU (ms, the median), with a policy of many networks: of one process, and of a supervisor that merges the
reports of several workers.
"""

import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest

from server.metrics.metrics import Metrics
from server.processes.merged_metrics import MergedMetrics, families_of
from targeting.policy.networks import NetworkPolicy
from targeting.policy.policy import Policy

_NETWORKS: Final = 350
_SCRAPES: Final = 50


def main() -> None:
    """Print the number of series and the times."""
    metrics = Metrics()
    metrics.use_policy(Policy(networks=tuple(NetworkPolicy(id=f"network-{number}") for number in range(_NETWORKS))))
    text = generate_latest(metrics.registry).decode()
    series = sum(not line.startswith("#") for line in text.splitlines())
    lines = [
        f"{series} series",
        f"one process: {_cpu_ms(lambda: generate_latest(metrics.registry)):.1f} ms",
        f"the report of a worker: {_cpu_ms(lambda: families_of(metrics.registry)):.1f} ms",
        *(f"supervisor of {workers}: {_merged_ms(metrics, workers):.1f} ms" for workers in (2, 4, 15)),
    ]
    sys.stdout.write("\n".join(lines) + "\n")


def _merged_ms(metrics: Metrics, workers: int) -> float:
    registry = CollectorRegistry(auto_describe=False)
    merged = MergedMetrics(registry, CollectorRegistry(), lambda: None)
    for worker in range(workers):
        merged.report(worker, families_of(metrics.registry))
    return _cpu_ms(lambda: generate_latest(registry))


def _cpu_ms(scrape: Callable[[], object]) -> float:
    times_s = []
    for _ in range(_SCRAPES):
        began_s = time.thread_time()
        scrape()
        times_s.append(time.thread_time() - began_s)
    return median(times_s) * 1000


if __name__ == "__main__":
    main()
