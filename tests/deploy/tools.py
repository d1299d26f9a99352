"""Programs that check files of ``deploy/``; ``make tools`` and the system's packages bring them."""

import re
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Final

import pytest

from server.settings import PREFIX, Settings

ROOT: Final = Path(__file__).parents[2]
DEPLOY: Final = ROOT / "deploy"
SETTINGS: Final = {f"{PREFIX}{each.name.upper()}" for each in fields(Settings)}


def program(name: str) -> str:
    """Return the path of a program, or skip the test."""
    beside_python = Path(sys.executable).with_name(name)
    found = str(beside_python) if beside_python.exists() else shutil.which(name)
    if found is None:
        pytest.skip(f"needs {name}: run `make tools`, or install it")
    return found


def run(*command: str | Path, text: str | None = None) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end; ``text`` is its standard input."""
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60, input=text)


def settings_in(text: str) -> set[str]:
    """Return the settings that a text names."""
    return set(re.findall(rf"\b{PREFIX}[A-Z_]+\b", text))
