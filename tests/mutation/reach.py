"""Which tests reach a line, and how long each takes, from one run of the suite with coverage's contexts.

The map is kept in ``.mutation/`` until a file of the project changes.
"""

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

from coverage import CoverageData

DIRECTORY: Final = Path(".mutation")
_TESTED: Final = (
    *("tests/targeting", "tests/properties", "tests/scenarios", "tests/contracts"),
    *(f"tests/server/{room}" for room in ("calls", "canaries", "choices", "decisions", "keys", "messages", "store")),
    *("tests/server/test_app.py", "tests/server/test_app_store.py", "tests/server/cli/test_decide.py"),
    *("tests/server/schemas", "tests/server/web/test_inspect.py", "tests/faults/test_write_guard.py"),
)
"""Tests that can reach the code in scope within their own process."""
_SCRIPTS: Final = {"server/store/redis/commit.lua": "server/store/redis/commit.py"}
"""Coverage does not see a script; what applies it stands for it."""


class Reach(NamedTuple):
    """The tests of each line of each file, and the seconds of each test that passes without a mutant."""

    by_line: dict[str, dict[int, list[str]]]
    seconds: dict[str, float]

    def tests_of(self, path: str, line: int) -> list[str]:
        """Return the tests to run for a change of a line: those that reach it, the quickest first.

        A line that runs at import is reached by no test in particular: then all tests of the file and of its room
        count. A test of the room may see a constant or a field without reaching a line of the file.
        """
        lines = self.by_line.get(_SCRIPTS.get(path, path), {})
        reached = set(lines.get(line, ())) if path not in _SCRIPTS else set[str]()
        if not reached:
            reached = {test for tests in lines.values() for test in tests}
            reached |= self._tests_in(Path(path).parent) if path not in _SCRIPTS else set()
        return sorted(reached & self.seconds.keys(), key=lambda test: (self.seconds[test], test))

    def _tests_in(self, room: Path) -> set[str]:
        return {test for test in self.seconds if Path(test.partition("::")[0]).parent == "tests" / room}


def read_reach(root: Path, processes: int) -> Reach:
    """Return the map, made again where the project has changed."""
    directory = root / DIRECTORY
    directory.mkdir(exist_ok=True)
    stamp = directory / "stamp"
    if not stamp.exists() or stamp.read_text() != _stamp(root):
        _run(root, processes)
        stamp.write_text(_stamp(root))
    return load_reach(root, directory)


def load_reach(root: Path, directory: Path) -> Reach:
    """Read the map from coverage's data and from the durations beside it."""
    data = CoverageData(str(directory / "coverage"))
    data.read()
    by_line = {
        str(Path(file).relative_to(root)): {
            line: sorted({test for context in contexts if (test := context.partition("|")[0])})
            for line, contexts in data.contexts_by_lineno(file).items()
        }
        for file in sorted(data.measured_files())
    }
    return Reach(by_line, json.loads((directory / "seconds.json").read_text()))


def _run(root: Path, processes: int) -> None:
    """Run the suite with coverage."""
    directory = root / DIRECTORY
    command = [
        *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-m", "not slow"),
        *("-n", str(processes), "--hypothesis-seed=0", "--cov=targeting", "--cov=server", "--cov-context=test"),
        *("--cov-report=", f"--junitxml={directory / 'junit.xml'}", "-o", "junit_family=xunit1", *_TESTED),
    ]
    environment = {**os.environ, "COVERAGE_FILE": str(directory / "coverage")}
    # A test that fails without a mutant is left out: it would notice everything.
    subprocess.run(command, cwd=root, env=environment, check=False)
    (directory / "seconds.json").write_text(json.dumps(seconds_in(directory / "junit.xml")))


def seconds_in(report: Path) -> dict[str, float]:
    """Return the duration of each test that passed, from a report of JUnit's form."""
    cases = ET.parse(report).iter("testcase")
    return {_node(case): float(case.get("time", 0)) for case in cases if _has_passed(case)}


def _has_passed(case: ET.Element) -> bool:
    """Whether a test neither failed nor was skipped; one that passed may state its properties."""
    return all(case.find(outcome) is None for outcome in ("failure", "error", "skipped"))


def _node(case: ET.Element) -> str:
    """Return pytest's name of a test: its file, its class if it has one, its name."""
    file = case.get("file", "")
    classes = case.get("classname", "").removeprefix(file.removesuffix(".py").replace("/", "."))
    return "::".join([file, *filter(None, classes.split(".")), case.get("name", "")])


def _stamp(root: Path) -> str:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "*.py", "*.lua", "*.yaml"], cwd=root, capture_output=True, check=True
    )
    digest = sha256()
    for name in filter(None, listed.stdout.split(b"\0")):
        path = root / name.decode()
        digest.update(name + (path.read_bytes() if path.exists() else b""))
    return digest.hexdigest()
