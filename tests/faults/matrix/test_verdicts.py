"""A row is green when it held, and was seen not to hold with its protection off."""

import json
from pathlib import Path

import pytest

from tests.faults.matrix.evidence_file import read_evidence, replace_evidence, write_evidence
from tests.faults.matrix.marks import Claim, claims_of
from tests.faults.matrix.row_gate import main
from tests.faults.matrix.rows import ROWS
from tests.faults.matrix.table import as_json, as_markdown
from tests.faults.matrix.verdicts import Evidence, RowVerdict, Verdict, row_verdicts

ON, OFF = Claim(3, protection_off=False), Claim(3, protection_off=True)
HELD, NOT_HELD, UNTESTED = Verdict.HELD, Verdict.NOT_HELD, Verdict.UNTESTED


def verdict(*evidence: tuple[Claim, str]) -> RowVerdict:
    (row,) = row_verdicts([Evidence(f"test {n}", claim, outcome) for n, (claim, outcome) in enumerate(evidence)], [3])
    return row


@pytest.mark.parametrize(
    ("evidence", "on", "off"),
    [
        ([], UNTESTED, UNTESTED),
        ([(ON, "passed")], HELD, UNTESTED),
        ([(ON, "passed"), (OFF, "passed")], HELD, HELD),
        ([(ON, "passed"), (ON, "skipped"), (OFF, "passed")], HELD, HELD),
        ([(ON, "skipped"), (OFF, "passed")], UNTESTED, HELD),
        ([(ON, "passed"), (ON, "failed"), (OFF, "passed")], NOT_HELD, HELD),
        ([(ON, "passed"), (OFF, "failed")], HELD, NOT_HELD),
    ],
    ids=["no test", "no twin", "both", "one skipped", "all skipped", "one failed", "harmless without the protection"],
)
def test_a_verdict(evidence: list[tuple[Claim, str]], on: Verdict, off: Verdict) -> None:
    found = verdict(*evidence)
    assert (found.verdict, found.off) == (on, off)
    assert found.is_green == (on is off is HELD)


def test_only_the_rows_that_are_asked_for_are_judged() -> None:
    assert [each.row.number for each in row_verdicts([Evidence("a", ON, "passed")], [4, 27])] == [4, 27]


def test_the_table_shows_figures_and_names_what_failed() -> None:
    rows = row_verdicts(
        [Evidence("a", ON, "passed", ("0 of 9 lost",), 1.5), Evidence("b", OFF, "failed", ("9 of 9 lost",), 0.5)], [3]
    )
    assert as_markdown(rows).splitlines()[2:] == [
        f"| 3 | {ROWS[2].fault} | held | 0 of 9 lost | DOES NOT FAIL | 9 of 9 lost |",
        "",
        "Failed:",
        "",
        "- row 3: `b`",
    ]
    (facts,) = json.loads(as_json(rows))
    assert (facts["row"], facts["verdict"], facts["failed"], facts["seconds"]) == (3, "held", ["b"], 2.0)
    assert (facts["tests"], facts["protection_off_tests"]) == (["a"], ["b"])


class TestMarks:
    """Added while the test runs, when claims have been collected: these tests show nothing of any row."""

    def claims(self, request: pytest.FixtureRequest, *marks: dict[str, object]) -> list[Claim]:
        for mark in marks:
            request.node.add_marker(pytest.mark.fault(**mark), append=False)
        return claims_of(request.node)

    def test_the_closest_mark_of_a_row_counts(self, request: pytest.FixtureRequest) -> None:
        claims = self.claims(request, {"row": 3}, {"row": 3, "protection_off": True}, {"row": 5})
        assert claims == [OFF, Claim(5, protection_off=False)]

    @pytest.mark.parametrize("protected", [True, False])
    def test_the_case_that_is_not_protected_has_the_protection_off(
        self, request: pytest.FixtureRequest, protected: bool
    ) -> None:
        assert self.claims(request, {"row": 3}) == [ON if protected else OFF]

    @pytest.mark.parametrize("mark", [{"row": 28}, {"row": "3"}, {}], ids=str)
    def test_a_row_that_does_not_exist_is_refused(
        self, request: pytest.FixtureRequest, mark: dict[str, object]
    ) -> None:
        with pytest.raises(pytest.UsageError, match="1 to 27"):
            self.claims(request, mark)


class TestEvidenceOnDisk:
    def test_it_is_read_as_it_was_written(self, tmp_path: Path) -> None:
        evidence = [Evidence("a", ON, "passed", ("0 lost",), 1.5), Evidence("b", OFF, "failed")]
        write_evidence(tmp_path / "new" / "evidence.json", evidence)
        assert read_evidence(tmp_path / "new" / "evidence.json") == evidence

    def test_a_test_that_ran_again_counts_by_its_last_run(self, tmp_path: Path) -> None:
        first, again = tmp_path / "first.json", tmp_path / "again.json"
        write_evidence(first, [Evidence("a", ON, "failed"), Evidence("b", OFF, "passed")])
        write_evidence(again, [Evidence("a", ON, "passed")])
        replace_evidence(first, again)
        assert read_evidence(first) == [Evidence("b", OFF, "passed"), Evidence("a", ON, "passed")]

    @pytest.mark.parametrize("content", ["", "{}x", "[1]", '[{"test": "a"}]'])
    def test_another_file_is_refused(self, tmp_path: Path, content: str) -> None:
        (tmp_path / "other.json").write_text(content)
        with pytest.raises(ValueError, match=r"."):
            read_evidence(tmp_path / "other.json")


class TestTheGateOfTheRows:
    @pytest.fixture
    def complete(self) -> list[Evidence]:
        return [Evidence("a", Claim(row.number, off), "passed") for row in ROWS for off in (False, True)]

    def test_it_is_open_when_every_row_has_both_tests(
        self, tmp_path: Path, complete: list[Evidence], capsys: pytest.CaptureFixture[str]
    ) -> None:
        write_evidence(tmp_path / "tests.json", complete)
        assert main(str(tmp_path / "tests.json")) == 0
        assert capsys.readouterr().out == "27 fault rows, each shown with its protection on and off\n"

    def test_it_names_the_row_that_lost_a_test(
        self, tmp_path: Path, complete: list[Evidence], capsys: pytest.CaptureFixture[str]
    ) -> None:
        write_evidence(tmp_path / "tests.json", [each for each in complete if each.claim not in (ON, OFF)])
        assert main(str(tmp_path / "tests.json")) == 1
        assert capsys.readouterr().out.splitlines()[:2] == [
            "fault row 3: no fast test",
            "fault row 3: no fast test with the protection off",
        ]
