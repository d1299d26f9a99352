"""The mutants that change nothing that could be seen, each with the reason: ``equivalent.toml`` beside this module."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

FILE: Final = Path(__file__).with_name("equivalent.toml")


def read_equivalents(file: Path = FILE) -> Mapping[str, str]:
    """Return the reason for each mutant, by its key."""
    found: dict[str, str] = {}
    for entry in tomllib.loads(file.read_text())["equivalent"]:
        found.update(dict.fromkeys(entry["mutants"], entry["because"]))
    return found
