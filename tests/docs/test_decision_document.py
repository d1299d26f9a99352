"""``docs/decision.md`` lists every reason with a scenario that shows it, and leads to the line that grants."""

import inspect

import pytest
import yaml

from targeting.judge import judge_stored
from targeting.reasons import Reason
from tests.docs.documents import ROOT, text_of

TEXT = text_of(ROOT / "docs" / "decision.md")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in TEXT.splitlines() if line.startswith("| `")]
NETWORK_REASONS = {"NETWORK_UNKNOWN", "NETWORK_POLICY"}


def test_every_reason_is_listed_in_the_order_of_reporting() -> None:
    assert [row[0].strip("`") for row in ROWS] == [reason.name for reason in Reason]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0].strip("`"))
def test_the_scenario_of_a_reason_shows_it(row: list[str]) -> None:
    file, name = row[-1].split(": ", 1)
    scenarios = yaml.safe_load((ROOT / "tests" / "scenarios" / f"{file.strip('`')}.yaml").read_text())["scenarios"]
    scenario = next(each for each in scenarios if each["name"] == name)
    assert row[0].strip("`") in str(scenario["expect"])


def test_the_last_line_of_the_judge_grants() -> None:
    assert "Its last line grants behavioural mode" in TEXT
    assert inspect.getsource(judge_stored).rstrip().endswith("else _ALLOWED")
