"""The command line, run in this process, against a service of its own."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from cryptography.fernet import Fernet

from server.app import Service
from server.cli.main import main
from server.settings import PREFIX, Settings
from tests.conftest import MEMORY

WIDTH = 80
ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Ended:
    """The result of a command."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """Its output line by line, without the padding of tables."""
        return [line.rstrip() for line in self.out.splitlines()]


def started(*argv: str, **settings: str) -> "subprocess.Popen[str]":
    """Start a command line in a process of its own, with these settings."""
    return subprocess.Popen(
        [sys.executable, "-m", "server", *argv],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'proto'}", "COLUMNS": str(WIDTH), **settings},
    )


Adt = Callable[..., Ended]


@pytest.fixture(scope="module")
def data_dir() -> Iterator[Path]:
    with TemporaryDirectory(prefix="adt-", dir=MEMORY if MEMORY.is_dir() else None) as directory:
        yield Path(directory)


@pytest.fixture(scope="module")
def service(data_dir: Path) -> Iterator[Service]:
    """A service on its embedded store, as `make run` starts it, but with budgets that a slow machine keeps."""
    settings = Settings(
        grpc_address="127.0.0.1:0",
        metrics_address="127.0.0.1:0",
        data_dir=data_dir,
        decision_budget_ms=5_000,
        write_budget_ms=5_000,
        drain_grace_s=1,
    )
    with Service(settings) as service:
        yield service


@pytest.fixture
def adt(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Adt:
    """Return a function that runs a command line on a terminal of 80 columns, without settings of the environment."""
    for name in os.environ:
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    monkeypatch.chdir(tmp_path)

    def run(*argv: str) -> Ended:
        capsys.readouterr()
        status = main(argv)
        return Ended(status, *capsys.readouterr())

    return run


@pytest.fixture
def served(adt: Adt, service: Service, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Adt:
    """The same, with the settings of the running service."""
    monkeypatch.setenv("ADTARGETING_GRPC_ADDRESS", service.address)
    monkeypatch.setenv("ADTARGETING_DATA_DIR", str(data_dir))
    return adt


@pytest.fixture
def nap_keys(tmp_path: Path) -> Path:
    """A file with one key of the NAP cookie."""
    path = tmp_path / "nap.keys"
    path.write_text(f"# the only key\n{Fernet.generate_key().decode()}\n")
    return path
