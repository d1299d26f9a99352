"""Fuzz the parsers of outside bytes: ``python -m tests.fuzzing [--seconds S] [TARGET ...]``.

Each target runs in a process of its own, with atheris where it is installed (Linux x86-64), else with random mutations
of the corpus. The input of a fault is kept in ``.fuzz/`` and named at the end, and the exit status is then 1.
"""

import random
import subprocess
import sys
import time
import traceback
from argparse import ArgumentParser, Namespace
from importlib.util import find_spec

from tests.fuzzing.coverage_guided import FOUND, LONGEST
from tests.fuzzing.mutation import mutated
from tests.fuzzing.targets import TARGETS, seeds

_SECONDS = 120


def main() -> int:
    """Run the targets that are named, else all, one after the other."""
    given = _arguments()
    failed = [name for name in given.targets or TARGETS if not _fuzz(name, given.seconds)]
    print("no faults" if not failed else f"faults in {', '.join(failed)}; see {FOUND}/")
    return 1 if failed else 0


def fuzz_with_mutations(name: str, seconds: float, seed: int = 0) -> int:
    """Return the number of inputs that were tried until the time was up. Raises what a target raises."""
    chance, corpus, target = random.Random(seed), seeds(name), TARGETS[name]
    until, tried = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        data = mutated(chance.choice(corpus), chance)[:LONGEST]
        tried += 1
        try:
            target(data)
        except Exception:
            FOUND.mkdir(exist_ok=True)
            (FOUND / f"{name}-fault").write_bytes(data)
            raise
    return tried


def _fuzz(name: str, seconds: int) -> bool:
    if find_spec("atheris") is None:
        print(f"{name}: {seconds} s of random mutations", flush=True)
        try:
            print(f"{name}: {fuzz_with_mutations(name, seconds, time.time_ns()):,} inputs")
        except Exception:  # noqa: BLE001 - every exception of a target is a fault to report
            traceback.print_exc()
            return False
        return True
    print(f"{name}: {seconds} s of atheris", flush=True)
    command = [sys.executable, "-m", "tests.fuzzing.coverage_guided", name, str(seconds)]
    return subprocess.run(command, check=False).returncode == 0


def _arguments() -> Namespace:
    parser = ArgumentParser(prog="python -m tests.fuzzing", description="Fuzz the parsers of outside bytes.")
    parser.add_argument("targets", nargs="*", choices=[*TARGETS, []], metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--seconds", type=int, default=_SECONDS, help="for each target")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
