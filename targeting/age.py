"""Ages from birth dates, in the person's own day.

The person's time zone is unknown, so a birthday counts once it has begun everywhere on Earth (UTC-12): in doubt the
person is the younger. A person born on 29 February comes of age on 1 March in other years.
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
    """Return the latest day, counted from 1970-01-01, that has begun everywhere on Earth."""
    return int((now_s - _LAST_TIME_ZONE_S) // _DAY_S)


def day_of(birth_date: date) -> int:
    """Return the days since 1970-01-01."""
    return (birth_date - _EPOCH).days


def date_of(day: int) -> date:
    """Return the date of a day counted from 1970-01-01."""
    return _EPOCH + timedelta(days=day)


@lru_cache(maxsize=256)
def latest_birth_day(today: int, years: int) -> int:
    """Return the latest birth day, counted from 1970-01-01, of people who are at least ``years`` old today."""
    now = date_of(today)
    try:
        return day_of(now.replace(year=now.year - years))
    except ValueError:
        # Today is 29 February and that year had none: people born on its 28th have had their birthday.
        return day_of(now.replace(year=now.year - years, day=28))


def is_under(birth_day: int, years: int, today: int) -> bool:
    """Whether a person born that day is younger than ``years`` today."""
    return birth_day > latest_birth_day(today, years)


def bracket_at(birth_day: int, today: int) -> AgeBracket:
    """Return the age bracket of a person born that day; unknown under 13."""
    index = bisect_left(_bracket_starts(today), birth_day)
    return _BRACKETS[index][1] if index < len(_BRACKETS) else AgeBracket.UNKNOWN


def bracket_of(years: int) -> AgeBracket:
    """Return the age bracket of an age in years; unknown under 13."""
    return next((bracket for start, bracket in _BRACKETS if years >= start), AgeBracket.UNKNOWN)


@lru_cache(maxsize=8)
def _bracket_starts(today: int) -> tuple[int, ...]:
    return tuple(latest_birth_day(today, years) for years, _ in _BRACKETS)
