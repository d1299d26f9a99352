"""Ages by the classes that the limits of a policy make, so that a record tells no more than the judge asked.

Example: with the limits 13 and 16 an age of 14 is "at least 13, under 16", and one of 40 "at least 16".
"""

from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import Final

from targeting.age import day_of, is_under, latest_birth_day
from targeting.decision_records.form import AgeRange
from targeting.policy.policy import ChildrenPolicy

TODAY: Final = day_of(date(2026, 1, 1))
"""The day on which people of a recorded age are taken to have it."""

_NOT_BORN: Final = -1
_OLDEST: Final = 120


def limits_of(children: ChildrenPolicy) -> tuple[int, ...]:
    """Return every age (years) that a policy compares with, and 0, in ascending order."""
    return tuple(sorted({0, children.age, *children.age_by_country.values(), *children.age_by_subdivision.values()}))


@lru_cache(maxsize=4096)
def range_of_birth(birth_day: int, limits: tuple[int, ...], today: int) -> AgeRange:
    """Return the class of an age; both days count from 1970-01-01."""
    return _range([limit for limit in limits if not is_under(birth_day, limit, today)], limits)


def range_of_years(years: int, limits: tuple[int, ...]) -> AgeRange:
    """Return the class of an age in years."""
    return _range([limit for limit in limits if years >= limit], limits)


def birth_day_of(age: AgeRange, *, oldest: bool) -> int:
    """Return the birth day of the oldest or of the youngest people of a class, as of ``TODAY``."""
    least, under = age
    if not oldest:
        return TODAY + 1 if least == _NOT_BORN else latest_birth_day(TODAY, least)
    return latest_birth_day(TODAY, _OLDEST) if under is None else latest_birth_day(TODAY, under) + 1


def years_of(age: AgeRange, *, oldest: bool) -> int:
    """Return the age in years of the oldest or of the youngest people of a class."""
    least, under = age
    if not oldest:
        return max(least, 0)
    return _OLDEST if under is None else max(under - 1, 0)


def _range(reached: Iterable[int], limits: tuple[int, ...]) -> AgeRange:
    least = max(reached, default=_NOT_BORN)
    return least, next((limit for limit in limits if limit > least), None)
