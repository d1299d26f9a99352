"""The fault matrix: ``python -m tests.faults [--rows 1,4-7] [--quick] [--redis-url URL] [-- PYTEST ARGUMENTS]``.

Runs the tests that carry ``@pytest.mark.fault`` and prints a verdict on every row, with the protection on and off.
With ``--redis-url`` those run that need nothing but a store, on that store, which must be empty and is left empty.
Exit status 0 when all rows are green, 1 when one is not, 2 when the arguments are wrong or the tests cannot run.
"""

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path

import pytest

from server.store.ports import StoreError
from server.store.redis.url import parse_redis_url
from tests.faults.matrix.collector import EvidenceCollector
from tests.faults.matrix.evidence_file import read_evidence
from tests.faults.matrix.rows import ROWS
from tests.faults.matrix.staging import OPTION, HasData, require_empty
from tests.faults.matrix.table import as_json, as_markdown
from tests.faults.matrix.verdicts import row_verdicts

_ROOT = Path(__file__).parents[2]
_RAN = {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED}


def main() -> int:
    """Run the rows that are named, else all."""
    given = _arguments()
    try:
        _require_empty(given.redis_url)
        known = read_evidence(given.after) if given.after else []
    except (OSError, ValueError, HasData, StoreError) as problem:
        sys.stderr.write(f"faults: {problem}\n")
        return 2
    collector = EvidenceCollector()
    if pytest.main(_pytest_arguments(given), plugins=[collector]) not in _RAN or collector.uncollected:
        sys.stderr.write(f"faults: the tests cannot run: {', '.join(sorted(set(collector.uncollected)))}\n")
        return 2
    evidence = known + collector.evidence
    rows = {each.claim.row for each in evidence} if given.redis_url else given.rows
    verdicts = row_verdicts(evidence, rows)
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "faults.md").write_text(as_markdown(verdicts), encoding="utf-8")
    (given.out / "faults.json").write_text(as_json(verdicts), encoding="utf-8")
    green = sum(each.is_borne if given.redis_url else each.is_green for each in verdicts)
    print(f"\n{as_markdown(verdicts)}\n{green} of {len(verdicts)} rows green; see {given.out}/faults.md")
    return 0 if green == len(verdicts) else 1


def _pytest_arguments(given: Namespace) -> list[str]:
    rows = " or ".join(f"fault(row={number})" for number in given.rows)
    extent = " and not slow" if given.quick else " and slow" if given.after else ""
    chosen = f"({rows}){extent}"
    named = any(Path(each.partition("::")[0]).exists() for each in given.pytest)
    where = [] if named else [str(_ROOT / "tests")]
    own_store = [OPTION, given.redis_url] if given.redis_url else []
    return [*where, *own_store, "-q", "-m", chosen, "-p", "no:cacheprovider", "--timeout=900", *given.pytest]


def _require_empty(url: str) -> None:
    if url:
        require_empty(parse_redis_url(url))


def _arguments() -> Namespace:
    parser = ArgumentParser(prog="python -m tests.faults", description="Show that the service bears every fault.")
    every = [row.number for row in ROWS]
    parser.add_argument("--rows", type=_numbers, default=every, metavar="LIST", help="such as 1,4-7; default: all")
    extent = parser.add_mutually_exclusive_group()
    extent.add_argument("--quick", action="store_true", help="leave the tests marked slow out")
    extent.add_argument("--after", type=Path, metavar="FILE", help="add the tests marked slow to what `make test` kept")
    parser.add_argument(OPTION, default="", metavar="URL", help="the rows that need only a store, on this empty one")
    parser.add_argument("--out", type=Path, default=Path(".faults"), help="where faults.md and faults.json go")
    parser.add_argument("pytest", nargs="*", metavar="-- PYTEST ARGUMENTS", help="such as -n 2, or a test file")
    return parser.parse_args()


def _numbers(text: str) -> list[int]:
    try:
        ranges = [part.split("-") for part in text.split(",")]
        numbers = [number for ends in ranges for number in range(int(ends[0]), int(ends[-1]) + 1)]
    except ValueError:
        numbers = []
    if not numbers or not {row.number for row in ROWS}.issuperset(numbers):
        raise ArgumentTypeError(f"must be numbers of rows from 1 to {len(ROWS)}, such as 1,4-7")
    return numbers


if __name__ == "__main__":
    sys.exit(main())
