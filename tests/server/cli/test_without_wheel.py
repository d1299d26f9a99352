"""A reader's first commands on a machine without h2corn's wheel, where the gate is grpcio and uvicorn has the pages.

Its libraries are hidden from every process: an entry of None in ``sys.modules`` is a module that is not there.
"""

import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.cli.conftest import ROOT, started
from tests.server.cli.test_readme import ANSWER, README, commands, example, printed_by

HIDING = 'import sys\nsys.modules.update(dict.fromkeys(("h2corn", "connectrpc", "pyqwest")))\n'
ALL_COMMANDS = "import json, sys; from server.cli.main import main; print(sum(map(main, json.loads(sys.argv[1]))))"
FREE = "127.0.0.1:0"


@pytest.fixture
def hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of processes that cannot import them."""
    (tmp_path / "sitecustomize.py").write_text(HIDING)
    path = os.pathsep.join(map(str, (tmp_path, ROOT, ROOT / "proto")))
    return {"PYTHONPATH": path, "ADTARGETING_DATA_DIR": str(tmp_path / "data")}


def ended(environment: dict[str, str], *argv: str) -> "subprocess.CompletedProcess[str]":
    whole = {**os.environ, **environment}
    return subprocess.run([sys.executable, *argv], check=False, capture_output=True, text=True, cwd=ROOT, env=whole)


@pytest.fixture
def served(hidden: dict[str, str]) -> Iterator[str]:
    """The start line of a service as `make run` starts it."""
    more = {"ADTARGETING_GRPC_ADDRESS": FREE, "ADTARGETING_METRICS_ADDRESS": FREE, "ADTARGETING_WEB_ADDRESS": FREE}
    more |= {"ADTARGETING_DRAIN_DELAY_S": "0"}
    patient = {"ADTARGETING_DECISION_BUDGET_MS": "5000", "ADTARGETING_WRITE_BUDGET_MS": "5000"}
    with started("serve", "--policy", "policy.example.toml", **hidden, **more, **patient) as process:
        assert process.stdout
        yield process.stdout.readline()
        process.terminate()
        assert process.wait(30) == 0


def test_the_libraries_are_hidden(hidden: dict[str, str]) -> None:
    assert "ModuleNotFoundError" in ended(hidden, "-c", "import h2corn").stderr


def test_the_tour(hidden: dict[str, str]) -> None:
    tour = ended(hidden, "-m", "server", "demo", "--pages", FREE)
    assert (tour.returncode, tour.stderr) == (0, "")
    assert "The tour is over" in tour.stdout


def test_a_service_with_its_pages_and_the_commands_of_the_readme(hidden: dict[str, str], served: str) -> None:
    assert "(grpcio gate, plaintext)" in served
    address = re.search(r"gRPC on (\S+)", served)
    page = re.search(r"http://\S+/choice", served)
    assert address
    assert page
    with urllib.request.urlopen(page[0], timeout=15) as answer:
        assert answer.status == 200
    asked = {**hidden, "ADTARGETING_GRPC_ADDRESS": address[1]}
    run = ended(asked, "-c", ALL_COMMANDS, json.dumps(commands(README)))
    assert (run.stdout.splitlines()[-1:], run.stderr) == (["0"], "")
    assert ANSWER.fullmatch(printed_by([sys.executable, "-c", example("python", address[1])]))
