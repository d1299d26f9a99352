"""The verdicts: what is missing, still, or never resolved is said to be missed."""

import pytest

from server.metrics.metrics import Metrics
from tests.monitor.contract import CONSTANT, CONTRACT, PREFIX, STILL
from tests.monitor.prometheus_server import Series
from tests.monitor.trials import FAULTS, Outcome
from tests.monitor.verdicts import (
    LabelVerdict,
    SeriesVerdict,
    Verdicts,
    judge_found,
    judge_label,
    metrics,
    moves,
    tables,
)

FAULT = FAULTS[0]
STILL_SERIES = Series({"a": "1"}, [(1, 5), (2, 5), (3, 5)])
MOVING = Series({"a": "2"}, [(1, 5), (2, 5), (3, 6)])
UNKNOWN = Series({"a": "4"}, [(1, float("nan")), (2, float("nan")), (3, float("nan"))])
SOON = Series({"a": "3"}, [(3, 1)])
LATE = Series({"a": "5"}, [(7, 1)])


@pytest.mark.parametrize(
    ("series", "expected"),
    [
        ([], False),
        ([STILL_SERIES], False),
        ([STILL_SERIES, UNKNOWN], False),
        ([STILL_SERIES, MOVING], True),
        ([STILL_SERIES, SOON], False),
        ([STILL_SERIES, LATE], True),
    ],
    ids=["none", "still", "still and unknown", "one moves", "one is scraped later", "one comes"],
)
def test_a_metric_moves_when_a_series_of_it_changes_comes_or_goes(series: list[Series], expected: bool) -> None:
    assert moves(series) is expected


@pytest.mark.parametrize(
    ("verdict", "holds"),
    [
        (SeriesVerdict("inflight", 1, moves=True), True),
        (SeriesVerdict("inflight", 1, moves=False), False),
        (SeriesVerdict("inflight", 0, moves=False), False),
        (SeriesVerdict("build_info", 1, moves=False), True),
        (SeriesVerdict("build_info", 0, moves=False), False),
        (SeriesVerdict("build_info", 2, moves=True), False),
    ],
)
def test_a_metric_must_be_there_and_move_unless_it_is_constant(verdict: SeriesVerdict, holds: bool) -> None:
    assert verdict.holds is holds


def counted(reason: str, *values: float) -> Series:
    return Series({"reason": reason, "job": "adtargeting"}, [(float(at), value) for at, value in enumerate(values)])


def test_every_value_of_a_label_must_move_or_be_known_to_be_still() -> None:
    series = [counted("no_profile", 0, 1), counted("network_policy", 0, 0), counted("store_timeout", 4, 4)]
    verdict = judge_label("limit_reasons_total", "reason", series)
    assert verdict[2:] == (("no_profile",), ("network_policy",), ("store_timeout",))
    assert not verdict.holds
    assert judge_label("limit_reasons_total", "reason", series[:2]).holds
    assert not judge_label("limit_reasons_total", "reason", series[1:2]).holds, "none moves"
    assert not judge_label("limit_reasons_total", "reason", []).holds, "there is none"


def test_a_metric_of_the_contract_that_is_not_found_is_missed() -> None:
    found = {name: [MOVING] for name in CONTRACT}
    assert {each.metric for each in judge_found(found).series if not each.holds} == {"build_info"}
    del found["inflight"]
    assert "inflight" in metrics()
    verdicts = judge_found(found | {"inflight": []})
    assert "inflight" in {each.metric for each in verdicts.series if not each.holds}


def test_the_service_has_every_metric_and_label_of_the_contract() -> None:
    own = {}
    for family in Metrics().registry.collect():
        name = family.name.removeprefix(PREFIX) + "_total" * (family.type == "counter")
        own[name] = {label for sample in family.samples for label in sample.labels if label != "le"}
    assert CONTRACT.keys() <= own.keys()
    unset = {"policy_info", "build_info", "network_profiles_total"}
    """Their first series comes with a policy, or with a gate."""
    missing = {name: set(labels) - own[name] for name, labels in CONTRACT.items() if name not in unset}
    assert not any(missing.values()), missing


def test_what_may_be_still_is_in_the_contract_and_says_why() -> None:
    for (metric, label), reasons in STILL.items():
        assert label in CONTRACT[metric]
        assert all(len(reason.why.split()) > 3 for reason in reasons)
    assert CONSTANT.keys() <= metrics().keys()


@pytest.mark.parametrize(
    ("fired_s", "resolved_s", "holds"), [(1.0, 2.0, True), (None, 0.0, False), (1.0, None, False), (0.0, 0.0, True)]
)
def test_an_alert_must_fire_and_resolve(fired_s: float | None, resolved_s: float | None, holds: bool) -> None:
    assert Outcome(FAULT, fired_s, resolved_s).holds is holds


def test_the_tables_name_what_is_missed() -> None:
    verdicts = Verdicts(
        [SeriesVerdict("inflight", 0, moves=False), SeriesVerdict("processes", 1, moves=True)],
        [
            LabelVerdict("refused_total", "cause", ("share",), (), ("size", "wait")),
            LabelVerdict("decisions_total", "mode", ("limited",), (), ()),
            LabelVerdict("store_errors_total", "kind", ("timeout",), ("full",), ()),
        ],
    )
    lines = list(tables(verdicts, [Outcome(FAULT, 1.5, None)]))
    missed = [line.split()[0] for line in lines if "MISSED" in line]
    assert missed == ["inflight", "refused_total", "the"]
    assert any(line.endswith("MISSED: size, wait") for line in lines)
    assert "store_errors_total kind full: still, what is put off stays far below its 10,000 places" in lines
    assert any("1.5 s" in line and "never" in line for line in lines)


def test_every_metric_of_the_service_is_judged() -> None:
    judged = set(metrics().values())
    assert {"adtargeting_decisions_total", "adtargeting_room_seconds_count", "adtargeting_store_up"} <= judged
    assert len(judged) > 35
