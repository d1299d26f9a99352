"""The IAB Audience Taxonomy 1.1: its segment ids, and the category and tier of each.

Invariant: every id of the taxonomy except those of the tiers has exactly one category, and so one tier.
Knows nothing of people, profiles or feature vectors.
"""

from collections.abc import Iterator
from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from targeting.features.iab_audience_taxonomy import (
    DEMOGRAPHIC,
    DEMOGRAPHIC_ID,
    INTEREST,
    INTEREST_ID,
    INTEREST_NAMES,
    PURCHASE_INTENT,
    PURCHASE_INTENT_ID,
)


class Tier(IntEnum):
    """What a segment says about a person ("Tier 1" of the taxonomy); the value is the id of the tier."""

    DEMOGRAPHIC = DEMOGRAPHIC_ID
    INTEREST = INTEREST_ID
    PURCHASE_INTENT = PURCHASE_INTENT_ID


class Category(NamedTuple):
    """One subject within a tier ("Tier 2" of the taxonomy).

    ``codes`` ascend; the first is the category itself.
    """

    tier: Tier
    name: str
    codes: tuple[int, ...]


class Segment(NamedTuple):
    """One named segment of the taxonomy."""

    code: int
    category: str
    name: str


def _codes(ranges: str) -> Iterator[int]:
    for item in ranges.split():
        first, _, last = item.partition("-")
        yield from range(int(first), int(last or first) + 1)


def _categories() -> Iterator[Category]:
    tables = {Tier.DEMOGRAPHIC: DEMOGRAPHIC, Tier.INTEREST: INTEREST, Tier.PURCHASE_INTENT: PURCHASE_INTENT}
    for tier, table in tables.items():
        for name, ranges in table.items():
            yield Category(tier, name, tuple(_codes(ranges)))


CATEGORIES: Final = tuple(_categories())

# One more than the highest id, so that any code may index an array of this length.
CODES: Final = 1 + max(category.codes[-1] for category in CATEGORIES)


def _category_of_code() -> NDArray[np.uint8]:
    table = np.zeros(CODES, np.uint8)
    for number, category in enumerate(CATEGORIES, start=1):
        table[list(category.codes)] = number
    table.flags.writeable = False
    return table


# Code → 1 + index into CATEGORIES; 0 for the tiers themselves and for numbers that are not assigned.
CATEGORY_OF_CODE: Final = _category_of_code()

_CODE_OF_ID: Final = {
    str(code): code for code in (*Tier, *(code for category in CATEGORIES for code in category.codes))
}
_NAME_OF_CODE: Final = {
    **{int(tier): tier.name.replace("_", " ").title() for tier in Tier},
    **{category.codes[0]: category.name for category in CATEGORIES},
    **{
        code: name for first, names in INTEREST_NAMES.items() for code, name in enumerate(names.split("|"), start=first)
    },
}


def segment_code(segment_id: str) -> int | None:
    """Return the number of a segment of the taxonomy, or None for any other segment.

    Only the canonical decimal form of an assigned id counts, so ``str(code)`` gives the id back.
    """
    return _CODE_OF_ID.get(segment_id)


def category_of(code: int) -> Category | None:
    """Return the category of a code from ``segment_code``; None for the id of a tier."""
    number = int(CATEGORY_OF_CODE[code])
    return CATEGORIES[number - 1] if number else None


def segment_name(code: int) -> str:
    """Return the name of a code from ``segment_code``, or of its category where the project does not carry its name.

    Raises ``ValueError`` for other numbers.
    """
    if name := _NAME_OF_CODE.get(code):
        return name
    category = category_of(code) if 0 <= code < CODES else None
    if category is None:
        raise ValueError("not a code of the taxonomy")
    return category.name


def named_interests() -> tuple[Segment, ...]:
    """Return the named interests below category level, from which a sample population is drawn.

    None of them concerns a sensitive subject (health, religion, politics, debt, children).
    """
    return tuple(
        Segment(code, category.name, _NAME_OF_CODE[code])
        for category in CATEGORIES
        if category.tier is Tier.INTEREST
        for code in category.codes[1:]
        if code in _NAME_OF_CODE
    )
