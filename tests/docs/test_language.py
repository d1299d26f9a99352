"""Documents and the contract avoid words that make a sentence hard to read."""

import re
from pathlib import Path

import pytest

from tests.docs.documents import DOCUMENTS, ROOT, name_of, prose_of, text_of

AVOIDED = re.compile(r"\b(somebody|nobody|whoever|anew|meanwhile|at hand|so many|thereby|hitherto)\b", re.IGNORECASE)
PROTOS = sorted(ROOT.glob("proto/adtargeting/v1/*.proto"))


@pytest.mark.parametrize("document", [*DOCUMENTS, ROOT / "CHANGELOG.md"], ids=name_of)
def test_prose_avoids_them(document: Path) -> None:
    sentences = [line for line in prose_of(document).splitlines() if not line.startswith("|")]
    assert AVOIDED.findall(re.sub(r"`[^`]*`", "", "\n".join(sentences))) == []


@pytest.mark.parametrize("proto", PROTOS, ids=name_of)
def test_comments_avoid_them(proto: Path) -> None:
    assert AVOIDED.findall(text_of(proto)) == []


def test_they_are_found() -> None:
    assert AVOIDED.findall("Somebody is served meanwhile.") == ["Somebody", "meanwhile"]
