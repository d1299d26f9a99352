"""The rules of ``deploy/prometheus`` and their unit tests, as data."""

import re
from functools import cache
from typing import Any, Final

import yaml

from server.metrics.metrics import Metrics
from tests.deploy.tools import DEPLOY

PROMETHEUS: Final = DEPLOY / "prometheus"
RULES: Final = sorted(PROMETHEUS.glob("rules/*.yaml"))
TESTS: Final = sorted(PROMETHEUS.glob("tests/*.yaml"))
Rule = dict[str, Any]
_SERIES = re.compile(r"\b(?:adtargeting|process)_[a-z_]+\b")
_RECORDED = re.compile(r"\b\w+:adtargeting_\w+:\w+\b")
_NOT_METRICS = re.compile(r"\{[^}]*\}|\b(?:by|on|group_left|without)\s*\([^)]*\)")


@cache
def rules() -> list[Rule]:
    """Return every rule."""
    groups = [group for path in RULES for group in yaml.safe_load(path.read_text())["groups"]]
    return [rule for group in groups for rule in group["rules"]]


def alerts() -> dict[str, Rule]:
    """Return every alert by its name."""
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


@cache
def alert_tests() -> list[dict[str, Any]]:
    """Return what the unit tests expect of alerts."""
    files = [yaml.safe_load(path.read_text()) for path in TESTS]
    return [expected for file in files for test in file["tests"] for expected in test["alert_rule_test"]]


def recorded() -> set[str]:
    """Return the names of recorded series."""
    return {rule["record"] for rule in rules() if "record" in rule}


def recorded_in(query: str) -> set[str]:
    """Return the recorded series that a query uses."""
    return set(_RECORDED.findall(query))


def metrics_in(query: str) -> set[str]:
    """Return the metrics of the service that a query uses."""
    return set(_SERIES.findall(_NOT_METRICS.sub("", _RECORDED.sub("", query))))


@cache
def exposed() -> set[str]:
    """Return the names of the samples that the service exposes."""
    registry = Metrics().registry
    described = {name for names in registry._collector_to_names.values() for name in names}
    return described | {sample.name for family in registry.collect() for sample in family.samples}
