"""From what tests did to a verdict on every row. Pure.

A row holds when it has a test with its protection on and every such test passed. Its protection is proven when it has
a test with the protection off and every such test passed, which means that the fault then did harm.
"""

from collections.abc import Collection, Iterable, Sequence
from enum import Enum
from typing import NamedTuple

from tests.faults.matrix.marks import Claim
from tests.faults.matrix.rows import ROWS, Row


class Evidence(NamedTuple):
    """What one test did: its claim, how it ended (passed, failed or skipped), what it measured, and its duration."""

    test: str
    claim: Claim
    outcome: str
    figures: tuple[str, ...] = ()
    seconds: float = 0.0


class Verdict(Enum):
    """What the tests of one kind say together."""

    HELD = "held"
    NOT_HELD = "NOT HELD"
    UNTESTED = "NOT TESTED"


class RowVerdict(NamedTuple):
    """A row: whether it held, and whether the tests with the protection off showed the harm that they must."""

    row: Row
    verdict: Verdict
    figures: tuple[str, ...]
    off: Verdict
    off_figures: tuple[str, ...]
    failed: tuple[str, ...]
    seconds: float
    tests: tuple[str, ...]
    off_tests: tuple[str, ...]
    """The tests that ran, by their names."""

    @property
    def is_green(self) -> bool:
        """Whether the row held, and would not have without its protection."""
        return self.verdict is Verdict.HELD and self.off is Verdict.HELD

    @property
    def is_borne(self) -> bool:
        """Whether the row held, as far as its tests could run: for a store on which the protection is not switched."""
        return self.verdict is Verdict.HELD and self.off is not Verdict.NOT_HELD


def row_verdicts(evidence: Iterable[Evidence], numbers: Collection[int]) -> list[RowVerdict]:
    """Return the verdict on each of these rows."""
    every = list(evidence)
    return [_row_verdict(row, [each for each in every if each.claim.row == row.number]) for row in _rows(numbers)]


def _rows(numbers: Collection[int]) -> list[Row]:
    return [row for row in ROWS if row.number in numbers]


def _row_verdict(row: Row, evidence: Sequence[Evidence]) -> RowVerdict:
    on = [each for each in evidence if not each.claim.protection_off]
    off = [each for each in evidence if each.claim.protection_off]
    return RowVerdict(
        row=row,
        verdict=_verdict(on),
        figures=_figures(on),
        off=_verdict(off),
        off_figures=_figures(off),
        failed=tuple(each.test for each in evidence if each.outcome == "failed"),
        seconds=sum(each.seconds for each in evidence),
        tests=tuple(each.test for each in on),
        off_tests=tuple(each.test for each in off),
    )


def _verdict(evidence: Sequence[Evidence]) -> Verdict:
    outcomes = {each.outcome for each in evidence}
    if "failed" in outcomes:
        return Verdict.NOT_HELD
    return Verdict.HELD if "passed" in outcomes else Verdict.UNTESTED


def _figures(evidence: Sequence[Evidence]) -> tuple[str, ...]:
    found = [figure for each in evidence for figure in each.figures]
    passed = sum(each.outcome == "passed" for each in evidence)
    return tuple(dict.fromkeys(found)) or ((f"{passed} tests" if passed != 1 else "1 test"),) * bool(evidence)
