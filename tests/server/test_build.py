"""The version of the package, of the contract and of the changelog agree, and every place shows it."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from server import build
from server.build import UNKNOWN, build_version, python_version
from server.metrics.metrics import Metrics

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
RELEASES = re.findall(r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d\d-\d\d$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)


def test_the_version_is_that_of_the_package() -> None:
    assert build_version() == PROJECT["version"], "run `make .venv/.ready`"


def test_a_checkout_that_is_not_installed_has_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(build, "version", missing)
    assert build_version() == UNKNOWN


def test_the_changelog_describes_the_version_and_is_in_order() -> None:
    assert RELEASES[0] == PROJECT["version"]
    assert sorted(RELEASES, key=lambda text: [int(part) for part in text.split(".")], reverse=True) == RELEASES


def test_a_metric_shows_the_build() -> None:
    metrics = Metrics()
    metrics.show_build("grpcio")
    labels = {"version": build_version(), "python": python_version(), "gate": "grpcio"}
    assert metrics.registry.get_sample_value("adtargeting_build_info", labels) == 1
