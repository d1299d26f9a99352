"""The metrics of several processes as one: what adds up, what shows the worst, and what never falls."""

from collections.abc import Mapping

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from server.processes.merged_metrics import Families, MergedMetrics, families_of


def process(calls: int = 0, seconds: tuple[float, ...] = (), gauges: Mapping[str, float] | None = None) -> Families:
    """The metrics of one process."""
    registry = CollectorRegistry()
    Counter("calls", "Calls", ["code"], registry=registry).labels("ok").inc(calls)
    histogram = Histogram("seconds", "Times", buckets=(1, 2), registry=registry)
    for value in seconds:
        histogram.observe(value)
    for name, value in (gauges or {}).items():
        Gauge(name, "A gauge", registry=registry).set(value)
    return families_of(registry)


def scraped(*processes: Families, ended: tuple[Families, ...] = ()) -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=False)
    merged = MergedMetrics(registry, CollectorRegistry(), lambda: None)
    for families in ended:
        merged.report(0, families)
        merged.retire(0)
    for worker, families in enumerate(processes):
        merged.report(worker, families)
    return registry


def test_counters_add_up() -> None:
    assert scraped(process(calls=3), process(calls=4)).get_sample_value("calls_total", {"code": "ok"}) == 7


def test_the_calls_of_a_process_that_has_ended_stay_counted() -> None:
    registry = scraped(process(calls=4), ended=(process(calls=3), process(calls=2)))
    assert registry.get_sample_value("calls_total", {"code": "ok"}) == 9


def test_histograms_add_up_bucket_by_bucket() -> None:
    registry = scraped(process(seconds=(0.5, 1.5)), process(seconds=(1.5, 9)))
    counts = [registry.get_sample_value("seconds_bucket", {"le": bound}) for bound in ("1.0", "2.0", "+Inf")]
    assert counts == [1, 3, 4]
    assert registry.get_sample_value("seconds_sum") == 12.5


@pytest.mark.parametrize(
    ("name", "values", "shown"),
    [
        ("adtargeting_inflight", (3, 4), 7),
        ("process_resident_memory_bytes", (100, 50), 150),
        ("adtargeting_store_up", (1, 0), 0),
        ("adtargeting_store_trusted", (1, 0), 0),
        ("adtargeting_store_writable", (0, 1), 0),
        ("adtargeting_circuit_open", (0, 1), 1),
        ("adtargeting_unconfirmed_preference_age_seconds", (2, 61), 61),
        ("adtargeting_country_table_age_seconds", (60, 86400), 86400),
    ],
)
def test_a_gauge_shows_the_sum_or_the_worst(name: str, values: tuple[float, float], shown: float) -> None:
    first, second = (process(gauges={name: value}) for value in values)
    assert scraped(first, second).get_sample_value(name) == shown
    assert scraped(second, first).get_sample_value(name) == shown


def test_a_gauge_of_a_process_that_has_ended_is_gone() -> None:
    assert (
        scraped(process(), ended=(process(gauges={"adtargeting_inflight": 5}),)).get_sample_value(
            "adtargeting_inflight"
        )
        is None
    )


def test_a_scrape_has_every_family_once() -> None:
    text = generate_latest(scraped(process(calls=1), process(calls=1), ended=(process(calls=1),))).decode()
    assert text.count("# TYPE calls_total counter") == 1


def test_the_supervisors_own_metrics_are_there_too() -> None:
    own, registry = CollectorRegistry(), CollectorRegistry(auto_describe=False)
    Counter("adtargeting_worker_ends", "Ends", registry=own).inc()
    MergedMetrics(registry, own, lambda: None)
    assert registry.get_sample_value("adtargeting_worker_ends_total") == 1


def test_a_worker_that_ends_during_a_scrape_counts_once() -> None:
    registry = CollectorRegistry(auto_describe=False)
    merged = MergedMetrics(registry, CollectorRegistry(), lambda: merged.retire(0))
    merged.report(0, process(calls=3))
    for _ in range(3):
        assert registry.get_sample_value("calls_total", {"code": "ok"}) == 3


@pytest.mark.fault(row=12)
def test_a_successor_counts_on_from_what_its_predecessor_reported_last() -> None:
    registry = CollectorRegistry(auto_describe=False)
    merged = MergedMetrics(registry, CollectorRegistry(), lambda: None)
    for calls in (3, 5):
        merged.report(0, process(calls=calls))
    merged.retire(0)
    merged.report(0, process(calls=1))
    assert registry.get_sample_value("calls_total", {"code": "ok"}) == 6
