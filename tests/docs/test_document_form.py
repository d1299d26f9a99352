"""No document is orphaned, every decision has its parts, and prose is wrapped."""

import re
from pathlib import Path

import pytest

from tests.docs.documents import DOCUMENTS, ROOT, name_of, prose_of, text_of

WIDTH = 120
INDEX = ROOT / "docs" / "README.md"
DECISIONS = sorted(ROOT.glob("docs/adr/[0-9]*.md"))
DECISION_INDEX = ROOT / "docs" / "adr" / "README.md"


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_prose_is_wrapped(document: Path) -> None:
    long = [line for line in prose_of(document).splitlines() if len(line) > WIDTH and not line.startswith("|")]
    assert not long


@pytest.mark.parametrize("document", sorted(ROOT.glob("docs/*.md")), ids=name_of)
def test_every_page_is_in_the_index(document: Path) -> None:
    assert document == INDEX or f"({document.name})" in text_of(INDEX)


def test_the_readme_leads_to_the_index() -> None:
    assert "(docs/README.md)" in text_of(ROOT / "README.md")


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_has_its_parts(decision: Path) -> None:
    text = text_of(decision)
    assert re.match(rf"# {int(decision.name[:4])}\. ", text)
    assert re.search(r"^- Date: \d{4}-\d\d-\d\d$", text, re.MULTILINE)
    for heading in ("Decision", "Why", "Rejected options"):
        assert f"\n## {heading}\n" in text, heading


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda path: path.stem)
def test_a_status_is_known_and_the_index_repeats_it(decision: Path) -> None:
    found = re.search(r"^- Status: (accepted|superseded by ADR (\d+)|accepted; .+)$", text_of(decision), re.MULTILINE)
    assert found
    title = text_of(decision).splitlines()[0].split(". ", 1)[1]
    row = next(line for line in text_of(DECISION_INDEX).splitlines() if f"({decision.name})" in line)
    assert [cell.strip() for cell in row.strip("|").split("|")][1:3] == [title, found[1]]
