"""Fail when ``make test`` has no test of a row, or none with its protection off: ``python -m … EVIDENCE``."""

import sys
from collections.abc import Iterable
from pathlib import Path

from tests.faults.matrix.evidence_file import read_evidence
from tests.faults.matrix.marks import Claim
from tests.faults.matrix.rows import ROWS
from tests.faults.matrix.verdicts import Evidence


def missing(evidence: Iterable[Evidence]) -> list[Claim]:
    """Return what no test claims. A test that was skipped, because the machine lacks a program, counts."""
    claimed = {each.claim for each in evidence}
    return [claim for row in ROWS for off in (False, True) if (claim := Claim(row.number, off)) not in claimed]


def main(path: str) -> int:
    """Print what is missing; 1 when anything is."""
    found = missing(read_evidence(Path(path)))
    for row, protection_off in found:
        print(f"fault row {row}: no fast test{' with the protection off' if protection_off else ''}")
    print(f"{len(ROWS)} fault rows{'' if found else ', each shown with its protection on and off'}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
