"""The rules of a run are the real ones, only faster."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.alert_rules import RULES
from tests.monitor.shortened_rules import shorten


@pytest.mark.parametrize(
    ("rule", "shorter"),
    [
        ("rate(a_total[5m])", "rate(a_total[5000ms])"),
        ("avg_over_time((a * b)[5m:15s])", "avg_over_time((a * b)[5000ms:250ms])"),
        ("sum_over_time(job:a:rate5m[3d])", "sum_over_time(job:a:rate5m[4320000ms])"),
        ("for: 1h", "for: 60000ms"),
        ("interval: 30s", "interval: 500ms"),
        ("a > 60", "a > 60"),
        ("a > 180 * 86400", "a > 180 * 86400"),
        ("summary: waits for 5m", "summary: waits for 5m"),
    ],
)
def test_times_become_shorter_and_nothing_else_changes(rule: str, shorter: str) -> None:
    assert shorten(rule) == shorter


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_every_window_of_the_real_rules_is_shorter(path: Path) -> None:
    shorter = shorten(path.read_text())
    assert [rule.keys() for rule in rules_in(shorter)] == [rule.keys() for rule in rules_in(path.read_text())]
    for rule in rules_in(shorter):
        assert re.search(r"\[[^\]]*\d[smhd]\b", rule["expr"]) is None
        assert rule.get("for", "0ms").endswith("ms")


def rules_in(text: str) -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]
