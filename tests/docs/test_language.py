"""Documents, the contract and the code avoid words that make a sentence hard to read."""

import re
from pathlib import Path

import pytest

from tests.docs.documents import DOCUMENTS, ROOT, name_of, prose_of, text_of

WORDS = "somebody|nobody|whoever|anew|meanwhile|at hand|so many"
AVOIDED = re.compile(rf"\b({WORDS}|thereby|hitherto)\b", re.IGNORECASE)
AVOIDED_IN_CODE = re.compile(rf"\b({WORDS})\b", re.IGNORECASE)
CODE = [path for folder in ("server", "targeting", "benchmarks", "deploy") for path in (ROOT / folder).rglob("*.py")]
PROTOS = sorted(ROOT.glob("proto/adtargeting/v1/*.proto"))


@pytest.mark.parametrize("document", [*DOCUMENTS, ROOT / "CHANGELOG.md"], ids=name_of)
def test_prose_avoids_them(document: Path) -> None:
    sentences = [line for line in prose_of(document).splitlines() if not line.startswith("|")]
    assert AVOIDED.findall(re.sub(r"`[^`]*`", "", "\n".join(sentences))) == []


@pytest.mark.parametrize("proto", PROTOS, ids=name_of)
def test_comments_avoid_them(proto: Path) -> None:
    assert AVOIDED.findall(text_of(proto)) == []


def test_code_avoids_them() -> None:
    assert {name_of(path): found for path in CODE if (found := AVOIDED_IN_CODE.findall(text_of(path)))} == {}


def test_they_are_found() -> None:
    assert AVOIDED.findall("Somebody is served meanwhile.") == ["Somebody", "meanwhile"]
