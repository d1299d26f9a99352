"""What a test says of the fault matrix.

``@pytest.mark.fault(row=3)`` on a test, class or module: it shows that row 3 holds.
``@pytest.mark.fault(row=3, protection_off=True)``: the same fault with the protection off; the test passes when the
fault then does harm. A test with a parameter ``protected`` is both: the case ``False`` runs with the protection off.
A test may name several rows, with a mark each; on the same row its own mark overrides that of its module. The fixture
``figure`` (tests/conftest.py) records what was measured.
"""

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

import pytest

from tests.faults.matrix.rows import ROWS

CLAIM: Final = "fault"
"""The name under which a test's report carries a claim: the row, and whether the protection is off."""
FIGURE: Final = "figure"
"""The name under which a test's report carries what it measured."""

Figure = Callable[[str], None]
"""Records a figure for the row of the test, as in ``figure("0 of 944 lost")``."""


class Claim(NamedTuple):
    """The row that a test is about, and whether it runs with the protection off."""

    row: int
    protection_off: bool


def add_claims(items: Iterable[pytest.Item]) -> None:
    """Have the reports of tests carry their claims, also from another process."""
    for item in items:
        item.user_properties += [(CLAIM, tuple(claim)) for claim in claims_of(item)]


def claims_of(item: pytest.Item) -> list[Claim]:
    """Return what the marks of a test claim. Raises ``pytest.UsageError`` for a row that does not exist."""
    claims = [_claim(item, mark) for mark in item.iter_markers(CLAIM)]
    # The closest mark comes first, and the last of a row would win.
    return list({claim.row: claim for claim in reversed(claims)}.values())


def _claim(item: pytest.Item, mark: pytest.Mark) -> Claim:
    row, off = mark.kwargs.get("row"), mark.kwargs.get("protection_off", False)
    if mark.args or row not in {each.number for each in ROWS}:
        raise pytest.UsageError(f"{item.nodeid}: fault(row=…) takes the number of a row, 1 to {len(ROWS)}")
    case = getattr(item, "callspec", None)
    return Claim(row, off or (case is not None and case.params.get("protected") is False))
