"""The page on upgrades names what the newest part of the changelog says that an operator meets."""

import re

import pytest

from tests.docs.documents import ROOT, text_of

NAMES = re.compile(r"ADTARGETING_[A-Z_]+\b|adtargeting-[a-z]+\b")
INTERNAL = {"ADTARGETING_REDIS_URL"}
"""Named by changes that ask nothing of an operator."""


def first(pattern: str, text: str) -> str:
    """Return the first part of a text: from a heading to the next one."""
    found = re.search(pattern + r"\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, pattern
    return found[1]


CHANGES = first("^### Changed", text_of(ROOT / "CHANGELOG.md"))
SECTION = first(r"^## From [^\n]+", text_of(ROOT / "docs" / "upgrade.md"))


@pytest.mark.parametrize("name", sorted(set(NAMES.findall(CHANGES)) - INTERNAL))
def test_what_changed_is_in_the_section(name: str) -> None:
    assert name in SECTION


def test_what_breaks_is_called_breaking() -> None:
    assert CHANGES.count("**Breaking:**") == SECTION.count("(breaking)")
