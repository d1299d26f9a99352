"""The installed packages are pinned, hashed, within the bounds of the project and in the bill of materials."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
RUNTIME, DEVELOPMENT = ROOT / "requirements.txt", ROOT / "requirements-dev.txt"
NEEDED = {
    RUNTIME: PROJECT["dependencies"],
    DEVELOPMENT: [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]],
}
both = pytest.mark.parametrize("path", [RUNTIME, DEVELOPMENT], ids=lambda path: path.name)


def pins(path: Path) -> dict[str, Requirement]:
    """Return the pinned requirements of a file by name."""
    lines = [line.rstrip("\\ ") for line in path.read_text().splitlines() if re.match(r"\w", line)]
    return {canonicalize_name(pin.name): pin for pin in map(Requirement, lines)}


@both
def test_every_requirement_has_a_hash(path: Path) -> None:
    blocks = re.split(r"\n(?=\w)", path.read_text().strip())
    assert len(blocks) == len(pins(path))
    assert all("--hash=sha256:" in block for block in blocks)


@both
def test_no_index_is_named(path: Path) -> None:
    assert not re.search(r"://|--(extra-)?index", path.read_text())


@both
def test_the_pins_are_those_of_the_constraints(path: Path) -> None:
    constrained = pins(ROOT / "constraints.txt")
    for name, pin in pins(path).items():
        assert name not in constrained or constrained[name].specifier == pin.specifier, name


@both
def test_what_the_project_needs_is_pinned_within_its_bounds(path: Path) -> None:
    pinned = pins(path)
    for line in NEEDED[path]:
        needed = Requirement(line)
        assert canonicalize_name(needed.name) in pinned, f"{needed.name}: run `make lock`"
        version = str(pinned[canonicalize_name(needed.name)].specifier).removeprefix("==")
        assert needed.specifier.contains(version), f"{needed.name}: run `make lock`"


def test_the_bill_of_materials_lists_the_runtime() -> None:
    bill = json.loads((ROOT / "sbom.cdx.json").read_text())
    assert bill["bomFormat"] == "CycloneDX"
    root = bill["metadata"]["component"]
    assert (root["name"], root["version"]) == (PROJECT["name"], PROJECT["version"])
    listed = {canonicalize_name(each["name"]): each["version"] for each in bill["components"]}
    expected = {
        name: str(pin.specifier).removeprefix("==") for name, pin in pins(RUNTIME).items() if applies(pin.marker)
    }
    assert listed == expected, "run `make sbom`"


def applies(marker: Marker | None) -> bool:
    """Return whether a requirement applies to the environment of the bill: CPython 3.11 on Linux x86-64."""
    linux = {"python_full_version": "3.11.7", "python_version": "3.11", "platform_machine": "x86_64"}
    return marker is None or marker.evaluate({**linux, "sys_platform": "linux", "implementation_name": "cpython"})
