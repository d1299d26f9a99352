"""Processes that try mutants, each in a copy of the project of its own."""

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final, NamedTuple

from tests.mutation.mutants import Mutant
from tests.mutation.reach import DIRECTORY, Reach
from tests.mutation.trial import NOT_RUN, SURVIVED, job_for

_FIRST_GROUP: Final = 40
"""Tests that are run first; most mutants are found by them."""
_SPARE_S: Final = 60.0
_PATIENCE: Final = 10


class Outcome(NamedTuple):
    """What became of a mutant: one of the outcomes of ``tests.mutation.trial``."""

    mutant: Mutant
    result: str
    seconds: float


class Crew:
    """Tries mutants on several processes."""

    def __init__(self, root: Path, reach: Reach, most_test_s: float) -> None:
        """``most_test_s`` bounds what the tests of one mutant may take, by their durations without it."""
        self._root = root
        self._reach = reach
        self._most_test_s = most_test_s

    def try_all(
        self, mutants: Sequence[Mutant], processes: int, until_s: float, on_outcome: Callable[[Outcome], None]
    ) -> None:
        """Try mutants until all are tried, or until a time (``time.monotonic``)."""
        waiting: SimpleQueue[Mutant] = SimpleQueue()
        for mutant in mutants:
            waiting.put(mutant)
        threads = [
            threading.Thread(target=self._work, args=(number, waiting, until_s, on_outcome))
            for number in range(processes)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def groups_for(self, mutant: Mutant) -> list[list[str]]:
        """Return the tests of a mutant: near ones, a few of them first, then others while there is time."""
        tests = self._reach.tests_of(mutant.path, mutant.line)
        near = [test for test in tests if test.startswith(f"tests/{Path(mutant.path).parent}/")]
        first = (near or tests)[:_FIRST_GROUP]
        rest, spent_s = [], 0.0
        for test in sorted(set(tests) - set(near), key=tests.index) if near else tests[_FIRST_GROUP:]:
            spent_s += self._reach.seconds[test]
            if spent_s < self._most_test_s:
                rest.append(test)
        return [group for group in (first, near[_FIRST_GROUP:], rest) if group]

    def _work(
        self, number: int, waiting: SimpleQueue[Mutant], until_s: float, on_outcome: Callable[[Outcome], None]
    ) -> None:
        tree = self._copy(number)
        environment = {
            **os.environ,
            "HYPOTHESIS_STORAGE_DIRECTORY": str(tree / ".hypothesis"),
            "PYTHONPATH": os.pathsep.join((str(tree), str(tree / "proto"))),
        }
        command = [sys.executable, "-m", "tests.mutation.trial"]
        with subprocess.Popen(
            command, cwd=tree, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            self._check(process.stdin.write, process.stdin.flush, process.stdout.readline)
            while time.monotonic() < until_s:
                try:
                    mutant = waiting.get_nowait()
                except Empty:
                    break
                on_outcome(self._try(mutant, process.stdin.write, process.stdin.flush, process.stdout.readline))
            process.stdin.close()

    def _check(self, write: Callable[[str], object], flush: Callable[[], None], read: Callable[[], str]) -> None:
        """Try a file without a change: if its tests fail, every mutant would seem to be noticed."""
        path = next(path for path in self._reach.by_line if self._reach.tests_of(path, 0))
        tests = self._reach.tests_of(path, 0)[:_FIRST_GROUP]
        write(job_for(path, (self._root / path).read_bytes(), [tests], _SPARE_S) + "\n")
        flush()
        if (result := read().strip()) != SURVIVED:
            raise RuntimeError(f"without a mutant the tests of {path} end as: {result}")

    def _try(
        self, mutant: Mutant, write: Callable[[str], object], flush: Callable[[], None], read: Callable[[], str]
    ) -> Outcome:
        groups, began_s = self.groups_for(mutant), time.monotonic()
        if not groups:
            return Outcome(mutant, NOT_RUN, 0.0)
        usual_s = max(sum(self._reach.seconds[test] for test in group) for group in groups)
        text = mutant.text((self._root / mutant.path).read_bytes())
        write(job_for(mutant.path, text, groups, _SPARE_S + _PATIENCE * usual_s) + "\n")
        flush()
        return Outcome(mutant, read().strip(), time.monotonic() - began_s)

    def _copy(self, number: int) -> Path:
        """Copy what git knows of the project."""
        tree = self._root / DIRECTORY / f"tree-{number}"
        shutil.rmtree(tree, ignore_errors=True)
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=self._root, capture_output=True, check=True)
        for name in filter(None, listed.stdout.decode().split("\0")):
            source, target = self._root / name, tree / name
            if source.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
        subprocess.run(
            [sys.executable, "-m", "compileall", "-q", "server", "targeting", "proto", "tests"], cwd=tree, check=False
        )
        return tree
