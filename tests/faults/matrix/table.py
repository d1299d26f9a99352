"""The fault matrix as a table: Markdown for a reader, JSON for a program."""

import json
from collections.abc import Iterable, Sequence

from tests.faults.matrix.verdicts import RowVerdict, Verdict

_HEADER = ("#", "fault", "verdict", "figure", "protection off", "figure")
_MOST_FIGURES = 3
_OFF = {Verdict.HELD: "fails", Verdict.NOT_HELD: "DOES NOT FAIL", Verdict.UNTESTED: "NOT TESTED"}


def as_markdown(rows: Sequence[RowVerdict]) -> str:
    """Return the table, and under it the tests that failed."""
    lines = [_line(_HEADER), _line("---" for _ in _HEADER), *(_line(_cells(row)) for row in rows)]
    failed = [f"- row {row.row.number}: `{test}`" for row in rows for test in row.failed]
    return "\n".join([*lines, *(["", "Failed:", "", *failed] if failed else [])]) + "\n"


def as_json(rows: Sequence[RowVerdict]) -> str:
    """Return the same with the names of the tests that failed and the time that each row took."""
    return json.dumps([_facts(row) for row in rows], indent=1) + "\n"


def _cells(row: RowVerdict) -> tuple[str, ...]:
    return (
        str(row.row.number),
        row.row.fault,
        row.verdict.value,
        _shown(row.figures),
        _OFF[row.off],
        _shown(row.off_figures),
    )


def _shown(figures: Sequence[str]) -> str:
    """Return the first few; all are in the JSON."""
    return "; ".join(figures[:_MOST_FIGURES])


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _facts(row: RowVerdict) -> dict[str, object]:
    return {
        "row": row.row.number,
        "fault": row.row.fault,
        "must_hold": row.row.must_hold,
        "verdict": row.verdict.value,
        "figures": row.figures,
        "tests": row.tests,
        "protection_off": _OFF[row.off],
        "protection_off_figures": row.off_figures,
        "protection_off_tests": row.off_tests,
        "failed": row.failed,
        "seconds": round(row.seconds, 1),
    }
