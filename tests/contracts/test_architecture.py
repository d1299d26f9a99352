"""The architecture beyond what import-linter can say: what the core may import, and that no module is left out."""

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ALLOWED_LIBRARIES = {"msgspec", "numpy"}
ALLOWED_STDLIB = {
    "base64",
    "array",
    "binascii",
    "bisect",
    "collections",
    "dataclasses",
    "datetime",
    "decimal",
    "difflib",
    "enum",
    "fnmatch",
    "functools",
    "hashlib",
    "html",
    "ipaddress",
    "itertools",
    "json",
    "math",
    "re",
    "struct",
    "types",
    "typing",
    "unicodedata",
    "urllib.parse",
    "zlib",
}
ALLOWED_NAMES = {("socket", name) for name in ("AF_INET", "AF_INET6", "inet_ntop", "inet_pton")}
"""Conversions of text, from a module that can otherwise open connections."""


def imports(source: str) -> Iterator[tuple[str, str]]:
    """Every import in a module: the module's name and the name that is taken from it, if any."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", alias.name) for alias in node.names)


def is_allowed(module: str, name: str) -> bool:
    roots = {module, module.partition(".")[0]}
    return bool(roots & (ALLOWED_LIBRARIES | ALLOWED_STDLIB | {"targeting"})) or (module, name) in ALLOWED_NAMES


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        ("import numpy as np", True),
        ("from targeting.model import AdRequest", True),
        ("from socket import inet_pton", True),
        ("from socket import create_connection", False),
        ("import os.path", False),
        ("from server.gate.port import Gate", False),
        ("from time import time", False),
        ("import urllib.request", False),
    ],
    ids=str,
)
def test_the_allow_list_says_yes_and_no(statement: str, allowed: bool) -> None:
    ((module, name),) = imports(statement)
    assert is_allowed(module, name) == allowed


@pytest.mark.parametrize("module", sorted((ROOT / "targeting").rglob("*.py")), ids=lambda path: path.stem)
def test_the_core_imports_only_what_cannot_wait_look_at_a_clock_or_roll_dice(module: Path) -> None:
    assert [each for each in imports(module.read_text(encoding="utf-8")) if not is_allowed(*each)] == []


def test_every_allowed_module_is_of_the_standard_library() -> None:
    assert {name.partition(".")[0] for name in ALLOWED_STDLIB} <= sys.stdlib_module_names


def test_every_module_of_the_server_has_its_layer() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    (layers,) = (contract["layers"] for contract in contracts if contract["type"] == "layers")
    placed = {name for layer in layers for name in layer.replace(":", "|").replace(" ", "").split("|")}
    modules = [path.relative_to(ROOT).with_suffix("") for path in (ROOT / "server").rglob("*.py")]
    names = [".".join(path.parts) for path in modules if path.name != "__init__"]
    assert [name for name in names if not any(f"{name}.".startswith(f"{layer}.") for layer in placed)] == []


def test_a_service_on_the_http2_gate_does_without_the_library_of_grpc() -> None:
    """It takes 10 MiB of every process."""
    started = "import sys, server.cli.main, server.serving, server.gate.http2.gate; sys.exit('grpc' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", started], cwd=ROOT, check=False).returncode == 0
