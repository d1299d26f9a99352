"""The documents of this repository, and what they name."""

import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
DOCUMENTS: Final = sorted(
    [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "proto" / "README.md",
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("deploy/**/*.md"),
    ]
)


def name_of(document: Path) -> str:
    """Return the path of a document below the root, for the id of a test."""
    return str(document.relative_to(ROOT))


def text_of(document: Path) -> str:
    """Return the text of a document."""
    return document.read_text(encoding="utf-8")


def prose_of(document: Path) -> str:
    """Return the text of a document without its fenced blocks."""
    return re.sub(r"^```.*?^```", "", text_of(document), flags=re.MULTILINE | re.DOTALL)


def code_spans(document: Path) -> list[str]:
    """Return what stands between backticks in the prose of a document."""
    return re.findall(r"`([^`\n]+)`", prose_of(document))


def blocks(text: str, language: str) -> list[str]:
    """Return the fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
