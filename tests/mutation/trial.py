"""Tries mutants in a copy of the project: ``python -m tests.mutation.trial``, started there by ``tests.mutation.crew``.

Reads one job a line from standard input and answers with one outcome a line. What tests import from outside the project
is imported once; each trial is a fork, so it begins within a fraction of a second and leaves nothing behind.
"""

import importlib
import json
import os
import signal
import sys
import time
from base64 import b64decode, b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple, TypedDict

import pytest

_OUTSIDE: Final = (
    *("numpy", "hypothesis.strategies", "msgspec", "google.protobuf", "google.rpc.status_pb2", "yaml", "redis"),
    *("cryptography.fernet", "prometheus_client", "starlette.applications", "babel", "grpc", "rich.console"),
)
_POLL_S: Final = 0.01
_ARGUMENTS: Final = (
    *("-q", "-x", "-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:xdist", "--hypothesis-seed=0"),
    # No one reads why an assertion failed, so none is rewritten: most of the time of a trial would go into that.
    *("--no-header", "--timeout=60", "--assert=plain"),
)
SURVIVED, KILLED, TIMED_OUT, NOT_RUN = "survived", "killed", "timed out", "not run"


class Job(TypedDict):
    """The changed file (base64) and groups of tests; the next group is run only when the one before has passed."""

    path: str
    text: str
    groups: list[list[str]]
    limit_s: float


class Selection(NamedTuple):
    """A pytest plugin: run these tests, in this order."""

    tests: Sequence[str]

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave the other tests out."""
        place = {test: index for index, test in enumerate(self.tests)}
        items[:] = sorted((item for item in items if item.nodeid in place), key=lambda item: place[item.nodeid])


def job_for(path: str, text: bytes, groups: Sequence[Sequence[str]], limit_s: float) -> str:
    """Return the line of a job."""
    return json.dumps(Job(path=path, text=b64encode(text).decode(), groups=list(map(list, groups)), limit_s=limit_s))


def attempt(job: Job) -> str:
    """Write the mutant, run its tests, and put the file back. Return the outcome."""
    path = Path(job["path"])
    original = path.read_bytes()
    try:
        _write(path, b64decode(job["text"]))
        outcome = NOT_RUN
        for group in job["groups"]:
            outcome = _run(group, job["limit_s"])
            if outcome != SURVIVED:
                break
        return outcome
    finally:
        _write(path, original)


def _write(path: Path, text: bytes) -> None:
    """Write a source; its bytecode may look as new."""
    path.write_bytes(text)
    for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
        compiled.unlink()


def _run(tests: Sequence[str], limit_s: float) -> str:
    pid = os.fork()
    if not pid:
        _run_in_child(tests)
    deadline_s = time.monotonic() + limit_s
    while time.monotonic() < deadline_s:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            # Nothing collected: the module no longer has such tests, or cannot be imported.
            return SURVIVED if os.waitstatus_to_exitcode(status) == pytest.ExitCode.OK else KILLED
        time.sleep(_POLL_S)
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return TIMED_OUT


def _run_in_child(tests: Sequence[str]) -> None:
    """Run tests in a session of their own, and end the process."""
    os.setsid()
    sys.dont_write_bytecode = True
    silence = os.open(os.environ.get("MUTATION_LOG", os.devnull), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    files = list(dict.fromkeys(test.partition("::")[0] for test in tests))
    status = 1
    try:
        status = pytest.main([*_ARGUMENTS, *files], plugins=[Selection(tests)])
    finally:
        os._exit(status)


def main() -> None:
    """Work until standard input ends."""
    for name in _OUTSIDE:
        importlib.import_module(name)
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        answers.write(attempt(json.loads(line)) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
