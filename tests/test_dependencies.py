"""The dependencies: each bounded below and above, each pinned within its bounds, none used by its private parts."""

import ast
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
REQUIREMENTS = [
    Requirement(text)
    for text in [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]
    if ">" in text or "==" in text
]
EXACT = {"grafana-foundation-sdk"}
"""Generated for one release of Grafana; every other release is another interface."""
NOT_DEPENDENCIES = {"adtargeting", "server", "targeting"} | sys.stdlib_module_names

PRIVATE_PARTS = {"h2corn._lib"}
"""Modules and names of other packages that begin with an underscore, as ``package.module._name``, and are used all
the same. An upgrade that takes one away must fail here; so each needs an upper bound of its own and a line below."""


def pinned() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = (line.partition("==") for line in lines if "==" in line)
    return {canonicalize_name(name): version.partition(";")[0].strip() for name, _, version in pins}


def test_every_requirement_has_bounds() -> None:
    assert len(REQUIREMENTS) == len(PROJECT["dependencies"]) + len(PROJECT["optional-dependencies"]["dev"])


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=lambda requirement: requirement.name)
def test_the_bounds_hold_the_pinned_version_and_end_below_a_later_one(requirement: Requirement) -> None:
    operators = {specifier.operator for specifier in requirement.specifier}
    assert operators == ({"=="} if requirement.name in EXACT else {">=", "<"})
    assert requirement.specifier.contains(pinned()[canonicalize_name(requirement.name)])


def private_parts(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        yield from (name for name in names if is_private(name))


def is_private(name: str) -> bool:
    package, *parts = name.split(".")
    return package not in NOT_DEPENDENCIES and any(part.startswith("_") and not part.startswith("__") for part in parts)


def test_no_other_private_parts_are_used() -> None:
    paths = [path for package in ("server", "targeting") for path in (ROOT / package).rglob("*.py")]
    assert {name for path in paths for name in private_parts(path)} == PRIVATE_PARTS


def test_the_search_finds_private_parts(tmp_path: Path) -> None:
    path = tmp_path / "user.py"
    path.write_text("from redis._parsers import hiredis\nimport a._b\nfrom __future__ import annotations\n")
    assert list(private_parts(path)) == ["redis._parsers.hiredis", "a._b"]
