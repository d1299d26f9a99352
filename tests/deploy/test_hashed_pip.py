"""Hashed requirements are installed without h2corn where it has no wheel, and not at all if anything else is amiss."""

import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.deploy.tools import DEPLOY

SCRIPT = DEPLOY / "container" / "hashed_pip.sh"
PACKAGES = ("connectrpc", "h2corn", "protobuf", "protobuf-py-ext")


def make_wheel(directory: Path, name: str) -> str:
    """Write a wheel that has a module of its name, and return its line of the requirements."""
    module = name.replace("-", "_")
    path = directory / f"{module}-1-py3-none-any.whl"
    about = f"{module}-1.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{module}.py", "")
        wheel.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        wheel.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{about}/RECORD", "")
    return f"{name}==1 ; python_version > '3' \\\n    --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


@pytest.fixture
def requirements(tmp_path: Path) -> Path:
    path = tmp_path / "requirements.txt"
    path.write_text("".join(make_wheel(tmp_path, name) for name in PACKAGES))
    return path


def installed_from(requirements: Path) -> tuple[int, set[str], str]:
    """Return the exit status, the modules that are installed, and what is said on standard error."""
    target = requirements.parent / "target"
    environment = {"PATH": os.environ["PATH"], "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}
    environment |= {"PIP_FIND_LINKS": str(requirements.parent), "PIP_TARGET": str(target)}
    command = [str(SCRIPT), str(requirements), sys.executable, "-m", "pip", "install", "--disable-pip-version-check"]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, env=environment, timeout=60)
    return ended.returncode, {path.stem for path in target.glob("*.py")}, ended.stderr


def test_everything_is_installed_where_it_can_be(requirements: Path) -> None:
    status, modules, said = installed_from(requirements)
    assert (status, modules) == (0, {"connectrpc", "h2corn", "protobuf", "protobuf_py_ext"})
    assert "grpcio" not in said


def test_without_a_wheel_of_h2corn_its_gate_is_left_out(requirements: Path) -> None:
    next(requirements.parent.glob("h2corn*.whl")).unlink()
    status, modules, said = installed_from(requirements)
    assert (status, modules) == (0, {"protobuf"})
    assert "the gate is then grpcio" in said


@pytest.mark.parametrize("harm", ["missing", "another hash"])
def test_nothing_else_may_be_amiss(requirements: Path, harm: str) -> None:
    wheel = next(requirements.parent.glob("protobuf-*.whl"))
    if harm == "missing":
        wheel.unlink()
    else:
        with zipfile.ZipFile(wheel, "a") as changed:
            changed.writestr("more.py", "")
    status, modules, _ = installed_from(requirements)
    assert (status != 0, modules) == (True, set())
