"""``docs/privacy.md`` numbers its guarantees, and each names the tests that hold it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "privacy.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`((?:tests|docs)/[\w./-]+)`", DOCUMENT)))


@pytest.mark.parametrize("path", NAMED)
def test_a_file_that_it_names_is_there(path: str) -> None:
    assert (ROOT / path).is_file()


@pytest.mark.parametrize("name", re.findall(r"`(test_\w+)`", DOCUMENT))
def test_a_test_that_it_names_is_there(name: str) -> None:
    files = [ROOT / path for path in NAMED if path.endswith(".py")]
    assert any(f"def {name}(" in file.read_text(encoding="utf-8") for file in files)


def test_every_guarantee_names_what_holds_it() -> None:
    guarantees = [line for line in DOCUMENT.splitlines() if re.match(r"\| I\d", line)]
    assert [line.split("|")[1].strip() for line in guarantees] == [f"I{number}" for number in range(1, 25)]
    assert all(re.search(r"test|search", line) for line in guarantees)
