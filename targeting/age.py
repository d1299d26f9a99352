"""Ages from birth dates, in the person's own day.

A service does not know the person's time zone, so a birthday counts once it is there everywhere on Earth
(UTC-12): in doubt the person is the younger. Somebody born on 29 February comes of age on 1 March in other years.
"""

from bisect import bisect_left
from datetime import date, timedelta
from functools import lru_cache

from targeting.model import AgeBracket

_LAST_TIME_ZONE_S = 12 * 3600
_DAY_S = 86_400
_EPOCH = date(1970, 1, 1)
_BRACKETS = (
    (65, AgeBracket.FROM_65),
    (55, AgeBracket.FROM_55),
    (45, AgeBracket.FROM_45),
    (35, AgeBracket.FROM_35),
    (25, AgeBracket.FROM_25),
    (18, AgeBracket.FROM_18),
    (13, AgeBracket.FROM_13),
)


def person_day(now_s: float) -> int:
    """Give the day, counted from 1970-01-01, that it is everywhere on Earth at this time or later."""
    return int((now_s - _LAST_TIME_ZONE_S) // _DAY_S)


def day_of(birth_date: date) -> int:
    """Count the days from 1970-01-01."""
    return (birth_date - _EPOCH).days


def date_of(day: int) -> date:
    """Give the date of a day counted from 1970-01-01."""
    return _EPOCH + timedelta(days=day)


@lru_cache(maxsize=256)
def latest_birth_day(today: int, years: int) -> int:
    """Give the last birth day, counted from 1970-01-01, of those who are at least ``years`` old today."""
    now = date_of(today)
    try:
        return day_of(now.replace(year=now.year - years))
    except ValueError:
        # Today is 29 February and that year had none: born on its 28th, one has had the birthday.
        return day_of(now.replace(year=now.year - years, day=28))


def is_under(birth_day: int, years: int, today: int) -> bool:
    """Tell whether somebody born that day is younger than ``years`` today."""
    return birth_day > latest_birth_day(today, years)


def bracket_at(birth_day: int, today: int) -> AgeBracket:
    """Give the age bracket of somebody born that day; unknown under 13."""
    index = bisect_left(_bracket_starts(today), birth_day)
    return _BRACKETS[index][1] if index < len(_BRACKETS) else AgeBracket.UNKNOWN


def bracket_of(years: int) -> AgeBracket:
    """Give the age bracket of an age in years; unknown under 13."""
    return next((bracket for start, bracket in _BRACKETS if years >= start), AgeBracket.UNKNOWN)


@lru_cache(maxsize=8)
def _bracket_starts(today: int) -> tuple[int, ...]:
    return tuple(latest_birth_day(today, years) for years, _ in _BRACKETS)
