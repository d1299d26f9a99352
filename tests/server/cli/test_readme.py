"""What the README and docs/operate.md say is so: commands run, the snippet runs, the tables are complete."""

import re
import shlex
from dataclasses import fields
from typing import Any

import pytest

from server.app import Service
from server.metrics.metrics import Metrics
from server.settings import PREFIX, Settings
from tests.server.cli.conftest import ROOT, Adt

README = (ROOT / "README.md").read_text(encoding="utf-8")
OPERATE = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def commands(text: str) -> list[list[str]]:
    """The command lines of `adtargeting` in a text's shell blocks that ask a running service."""
    lines = (line for block in blocks(text, "sh") for line in block.splitlines())
    found = [shlex.split(line, comments=True) for line in lines if re.match(r"(\.venv/bin/)?adtargeting ", line)]
    return [words[1:] for words in found if words[1] not in {"serve", "nap"}]


@pytest.mark.parametrize("text", [README, OPERATE], ids=["README", "operate"])
def test_the_commands_run_as_they_stand(served: Adt, text: str) -> None:
    assert len(commands(text)) >= 4
    for argv in commands(text):
        ended = served(*argv)
        assert (ended.status, ended.err) == (0, ""), argv


def test_the_first_decision_is_what_the_readme_promises(served: Adt) -> None:
    load, known, opt_out, explain, british, *_ = commands(README)
    served(*load)
    served("opt-in", *opt_out[1:])
    assert served(*known).lines[0].startswith("BEHAVIOURAL")
    served(*opt_out)
    assert "ACCOUNT_OPT_OUT" in served(*explain).out
    shown = served(*british).out
    assert "TCF_NO_CONSENT" in shown
    assert "GB" in shown


def test_the_snippet_prints_a_decision(served: Adt, service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    """It is run as it stands, after what stands before it, but for the port, which is the test's own."""
    section = README.split("\n### From Python\n")[1].split("\n### ")[0]
    load, *rest = commands(section)
    served(*load)
    # As who followed the README so far has left it. Before there is a sample nobody would be loaded over a choice.
    served("opt-out", "--account", "sample-7-3")
    for argv in rest:
        served(*argv)
    [snippet] = blocks(section, "python")
    assert "127.0.0.1:50051" in snippet
    exec(compile(snippet.replace("127.0.0.1:50051", service.address), "README.md", "exec"), {})
    assert re.match(r"MODE_BEHAVIOURAL US [1-9]\d*", capsys.readouterr().out)


def rows(heading: str) -> list[list[str]]:
    """The rows of the table under a heading of docs/operate.md, without its head."""
    section = OPERATE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_table_of_settings_is_complete_and_tells_the_defaults() -> None:
    defaults = {f"{PREFIX}{each.name.upper()}": str(each.default) for each in fields(Settings)}
    assert {name.strip("`"): default.strip("`") for name, default, _ in rows("Settings")} == defaults


def test_the_table_of_metrics_is_complete_and_tells_the_labels() -> None:
    registered: dict[str, set[str]] = {}
    for collector in Metrics().registry._collector_to_names:
        # There is no public way to the names of labels; a collector of our own has them in its family.
        family: Any = next(iter(collector.collect()))
        labels = getattr(collector, "_labelnames", getattr(family, "_labelnames", ()))
        if family.name.startswith("adtargeting_"):
            registered[family.name + ("_total" if family.type == "counter" else "")] = set(labels)
    documented = {name.strip("`"): set(re.findall(r"\w+", labels)) for name, labels, _ in rows("Metrics")}
    assert documented == registered
