"""The histogram without a lock counts as Prometheus's own does."""

import pytest
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from server.metrics.loop_histogram import LoopHistogram

BOUNDS = (0.001, 0.01, 1, 2.5)


@pytest.mark.parametrize("values", [[], [0.0005], [0.001, 0.01, 1, 2.5], [100.0, 0.0, 2.0, 2.0]], ids=str)
def test_it_shows_what_the_librarys_own_shows(values: list[float]) -> None:
    own, theirs = CollectorRegistry(), CollectorRegistry()
    histogram = LoopHistogram(own, "adtargeting_x_seconds", "A time", BOUNDS)
    expected = Histogram("adtargeting_x_seconds", "A time", buckets=BOUNDS, registry=theirs)
    for value in values:
        histogram.observe(value)
        expected.observe(value)
    assert sorted(map(repr, samples(own))) == sorted(map(repr, samples(theirs)))


def samples(registry: CollectorRegistry) -> list[tuple[str, tuple[tuple[str, str], ...], float]]:
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return [(s.name, tuple(sorted(s.labels.items())), s.value) for family in families for s in family.samples]
