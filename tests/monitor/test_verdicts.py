"""The verdicts: what is missing, still, or never resolved is said to be missed."""

import pytest

from tests.monitor.prometheus_server import Series
from tests.monitor.trials import FAULTS, Outcome
from tests.monitor.verdicts import SeriesVerdict, metrics, moves, tables

FAULT = FAULTS[0]
STILL = Series({"a": "1"}, [(1, 5), (2, 5), (3, 5)])
MOVING = Series({"a": "2"}, [(1, 5), (2, 5), (3, 6)])
UNKNOWN = Series({"a": "4"}, [(1, float("nan")), (2, float("nan")), (3, float("nan"))])
SOON = Series({"a": "3"}, [(3, 1)])
LATE = Series({"a": "5"}, [(7, 1)])


@pytest.mark.parametrize(
    ("series", "expected"),
    [
        ([], False),
        ([STILL], False),
        ([STILL, UNKNOWN], False),
        ([STILL, MOVING], True),
        ([STILL, SOON], False),
        ([STILL, LATE], True),
    ],
    ids=["none", "still", "still and unknown", "one moves", "one is scraped later", "one comes"],
)
def test_a_metric_moves_when_a_series_of_it_changes_comes_or_goes(series: list[Series], expected: bool) -> None:
    assert moves(series) is expected


@pytest.mark.parametrize(
    ("verdict", "holds"),
    [
        (SeriesVerdict("adtargeting_inflight", 1, moves=True), True),
        (SeriesVerdict("adtargeting_inflight", 1, moves=False), False),
        (SeriesVerdict("adtargeting_inflight", 0, moves=False), False),
        (SeriesVerdict("adtargeting_build_info", 1, moves=False), True),
        (SeriesVerdict("adtargeting_build_info", 0, moves=False), False),
        (SeriesVerdict("adtargeting_build_info", 2, moves=True), False),
    ],
)
def test_a_metric_must_be_there_and_move_unless_it_is_constant(verdict: SeriesVerdict, holds: bool) -> None:
    assert verdict.holds is holds


@pytest.mark.parametrize(
    ("fired_s", "resolved_s", "holds"), [(1.0, 2.0, True), (None, 0.0, False), (1.0, None, False), (0.0, 0.0, True)]
)
def test_an_alert_must_fire_and_resolve(fired_s: float | None, resolved_s: float | None, holds: bool) -> None:
    assert Outcome(FAULT, fired_s, resolved_s).holds is holds


def test_the_tables_name_what_is_missed() -> None:
    series = [
        SeriesVerdict("adtargeting_inflight", 0, moves=False),
        SeriesVerdict("adtargeting_processes", 1, moves=True),
    ]
    lines = list(tables(series, [Outcome(FAULT, 1.5, None)]))
    assert [line.split()[0] for line in lines if line.endswith("MISSED")] == ["adtargeting_inflight", "the"]
    assert any("1.5 s" in line and "never" in line for line in lines)


def test_every_metric_of_the_service_is_judged() -> None:
    judged = set(metrics())
    assert {"adtargeting_decisions_total", "adtargeting_room_seconds_count", "adtargeting_store_up"} <= judged
    assert len(judged) > 25
