"""The alert rules: promtool accepts and tests them, each has a runbook, and each watches what the service exposes."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
import yaml

from tests.deploy.alert_rules import (
    PROMETHEUS,
    RULES,
    TESTS,
    alert_tests,
    alerts,
    exposed,
    metrics_in,
    recorded,
    recorded_in,
    rules,
)
from tests.deploy.tools import ROOT, program, run

ALERTS = alerts()
README = (PROMETHEUS / "README.md").read_text()
RUNBOOK = (ROOT / "docs" / "operate.md").read_text()

every_alert = pytest.mark.parametrize("name", ALERTS)


def test_promtool_accepts_the_rules_and_the_sample_configuration() -> None:
    checked = run(program("promtool"), "check", "config", "--lint=all", PROMETHEUS / "prometheus.yml")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert len(re.findall(r"SUCCESS: \d+ rules found", checked.stdout)) == len(RULES)


def test_the_unit_tests_pass() -> None:
    tested = run(program("promtool"), "test", "rules", *TESTS)
    assert tested.returncode == 0, tested.stdout + tested.stderr


@pytest.mark.parametrize(("condition", "wrong"), [("vector(0) > 1", "got:[]"), ("vector(1)", "exp:[]")])
def test_the_unit_tests_fail_for_an_alert_that_never_or_always_fires(
    tmp_path: Path, condition: str, wrong: str
) -> None:
    copy = shutil.copytree(PROMETHEUS, tmp_path / "prometheus")
    for path in copy.glob("rules/*.yaml"):
        content = yaml.safe_load(path.read_text())
        for group in content["groups"]:
            group["rules"] = [alert | {"expr": condition, "for": "0s"} for alert in group["rules"] if "alert" in alert]
        path.write_text(yaml.safe_dump(content))
    tested = run(program("promtool"), "test", "rules", *sorted(copy.glob("tests/*.yaml")))
    output = re.sub(r"\s+", "", tested.stdout + tested.stderr)
    failures = {name for name in ALERTS for part in output.split("alertname:")[1:] if part.startswith(name + ",")}
    assert (tested.returncode, failures) == (1, set(ALERTS))
    assert wrong in output


@every_alert
def test_an_alert_has_a_test_in_which_it_fires_and_one_in_which_it_does_not(name: str) -> None:
    expected = [bool(test["exp_alerts"]) for test in alert_tests() if test["alertname"] == name]
    assert set(expected) == {True, False}


@every_alert
def test_an_alert_leads_to_its_runbook(name: str) -> None:
    assert ALERTS[name]["annotations"]["runbook_url"] == f"docs/operate.md#{name.lower()}"
    section = re.search(rf"^### {name}\n(.*?)(?=^##|\Z)", RUNBOOK, re.MULTILINE | re.DOTALL)
    assert section
    for part in ("**Means:**", "**See:**", "**Do:**"):
        assert part in section[1]


def test_the_step_for_their_address_makes_a_url_of_every_path(tmp_path: Path) -> None:
    copy = shutil.copytree(PROMETHEUS / "rules", tmp_path / "rules")
    step = re.search(r"^sudo (sed -i .*) /etc/prometheus/rules/\*\.yaml$", README, re.MULTILINE)
    assert step
    changed = run(*shlex.split(step[1]), *copy.glob("*.yaml"))
    assert changed.returncode == 0
    text = "".join(path.read_text() for path in copy.glob("*.yaml"))
    assert len(re.findall(r"runbook_url: https://\S+/docs/operate\.md#\w+$", text, re.MULTILINE)) == len(ALERTS)


def test_every_runbook_belongs_to_an_alert() -> None:
    assert set(re.findall(r"^### (Adtargeting\w+)$", RUNBOOK, re.MULTILINE)) == set(ALERTS)


@every_alert
def test_an_alert_pages_or_makes_a_ticket(name: str) -> None:
    assert ALERTS[name]["labels"]["severity"] in {"page", "ticket"}


def test_every_metric_exists() -> None:
    used = set[str]().union(*(metrics_in(rule["expr"]) for rule in rules()))
    assert len(used) > 10
    assert used <= exposed()


def test_every_recorded_series_exists_and_is_used() -> None:
    used = set[str]().union(*(recorded_in(rule["expr"]) for rule in rules()))
    assert used == recorded()


def test_a_metric_that_does_not_exist_is_found() -> None:
    query = 'sum by (job, adtargeting_label) (rate(adtargeting_nothing_total{adtargeting_label="x"}[5m]))'
    assert metrics_in(query) == {"adtargeting_nothing_total"}
    assert not metrics_in(query) <= exposed()
