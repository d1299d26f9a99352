"""Evidence on disk, so that what ``make test`` has shown need not be shown again by ``make faults``."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.faults.matrix.marks import Claim
from tests.faults.matrix.verdicts import Evidence


def write_evidence(path: Path, evidence: Iterable[Evidence]) -> None:
    """Write evidence as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([each._asdict() for each in evidence], indent=1) + "\n", encoding="utf-8")


def read_evidence(path: Path) -> list[Evidence]:
    """Read what ``write_evidence`` wrote. Raises ``OSError``, and ``ValueError`` for any other file."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        return [Evidence(**{**row, "claim": Claim(*row["claim"]), "figures": tuple(row["figures"])}) for row in rows]
    except (KeyError, TypeError):
        raise ValueError(f"{path}: no evidence of the fault matrix") from None


def replace_evidence(path: Path, newer: Path) -> None:
    """Replace in the first file what the tests of the second have shown since."""
    again = read_evidence(newer)
    repeated = {each.test for each in again}
    write_evidence(path, [each for each in read_evidence(path) if each.test not in repeated] + again)


if __name__ == "__main__":
    replace_evidence(*map(Path, sys.argv[1:3]))
