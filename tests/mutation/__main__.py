"""Try mutants and show what no test noticed: ``python -m tests.mutation [--size N] [--seed S] [--minutes M]``.

Exit status 1 when the score without equivalent mutants is below the floor.
"""

import json
import sys
import time
from argparse import ArgumentParser, Namespace
from pathlib import Path

from tests.mutation.crew import Crew, Outcome
from tests.mutation.equivalents import read_equivalents
from tests.mutation.mutants import mutants_of, sample
from tests.mutation.reach import DIRECTORY, read_reach
from tests.mutation.report import score, stale, survivors, table

FLOOR = 97.0
ROOT = Path(__file__).parents[2]


def main() -> int:
    """Try a sample, or all."""
    given = _arguments()
    began_s = time.monotonic()
    equivalent = read_equivalents()
    every = mutants_of(ROOT)
    for line in stale(equivalent, every):
        print(line)
    found = [mutant for mutant in every if mutant.path.startswith(tuple(given.only or [""]))]
    chosen = sample(found, given.size or len(found), given.seed)
    reach = read_reach(ROOT, given.processes)
    print(f"{len(found):,} mutants, {len(chosen):,} of them chosen with seed {given.seed}", flush=True)
    outcomes: list[Outcome] = []
    with (ROOT / DIRECTORY / "outcomes.jsonl").open("w") as file:

        def take(outcome: Outcome) -> None:
            outcomes.append(outcome)
            file.write(json.dumps([outcome.mutant.key, outcome.result, round(outcome.seconds, 2)]) + "\n")
            file.flush()

        until_s = began_s + given.minutes * 60
        Crew(ROOT, reach, given.test_seconds).try_all(chosen, given.processes, until_s, take)
    print("\n".join(table(outcomes, equivalent)))
    print("\n".join(survivors(outcomes, equivalent)))
    counted = score([outcome for outcome in outcomes if outcome.mutant.key not in equivalent])
    print(f"{counted:.2f} % of {len(outcomes):,} mutants noticed, floor {FLOOR} %")
    return int(counted < FLOOR)


def _arguments() -> Namespace:
    parser = ArgumentParser(prog="python -m tests.mutation", description="Try small changes of the code.")
    parser.add_argument("--size", type=int, default=300, help="mutants of the sample; 0: all")
    parser.add_argument("--seed", type=int, default=1, help="another seed is another sample")
    parser.add_argument("--minutes", type=float, default=15.0, help="no mutant is begun after that")
    parser.add_argument("--processes", type=int, default=2, help="mutants that are tried at the same time")
    parser.add_argument("--test-seconds", type=float, default=60.0, help="tests of one mutant, by their durations")
    parser.add_argument("--only", action="append", metavar="PATH", help="mutants of such paths; may be repeated")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
