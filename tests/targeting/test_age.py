"""Ages: birthdays in the person's day, 29 February too; in doubt the younger."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targeting.age import bracket_at, bracket_of, date_of, day_of, is_under, latest_birth_day, person_day
from targeting.model import AgeBracket

CASES = [
    ("the day before the birthday", date(2010, 6, 15), date(2023, 6, 14), True),
    ("the birthday", date(2010, 6, 15), date(2023, 6, 15), False),
    ("born on 29 February, on the 28th of another year", date(2012, 2, 29), date(2025, 2, 28), True),
    ("born on 29 February, on 1 March of another year", date(2012, 2, 29), date(2025, 3, 1), False),
    ("born on 29 February, on a 29th", date(2012, 2, 29), date(2028, 2, 29), False),
    ("born on 28 February, on a 29th", date(2015, 2, 28), date(2028, 2, 29), False),
    ("born on 1 March, on a 29th", date(2015, 3, 1), date(2028, 2, 29), True),
]


@pytest.mark.fault(row=18)
@pytest.mark.parametrize(("born", "today", "child"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_under_thirteen(born: date, today: date, child: bool) -> None:
    assert is_under(day_of(born), 13, day_of(today)) is child


def test_a_day_counts_once_it_is_there_everywhere_on_earth() -> None:
    midnight = datetime(2026, 6, 15, tzinfo=UTC)
    assert date_of(person_day(midnight.timestamp())) == date(2026, 6, 14)
    assert date_of(person_day((midnight + timedelta(hours=12)).timestamp())) == date(2026, 6, 15)


@given(st.dates(date(1900, 1, 1), date(2030, 1, 1)), st.dates(date(2030, 1, 2), date(2100, 1, 1)), st.integers(0, 130))
def test_under_age_is_what_counting_birthdays_says(born: date, today: date, years: int) -> None:
    had_birthday = (today.month, today.day) >= (born.month, born.day)
    age = today.year - born.year - (not had_birthday)
    assert is_under(day_of(born), years, day_of(today)) is (age < years)


@given(st.dates(date(1900, 1, 1), date(2030, 1, 1)))
def test_the_bracket_of_a_birth_date_is_the_bracket_of_the_age(born: date) -> None:
    today = date(2030, 6, 15)
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    assert bracket_at(day_of(born), day_of(today)) is bracket_of(age)


@pytest.mark.parametrize(
    ("years", "bracket"),
    [(12, AgeBracket.UNKNOWN), (13, AgeBracket.FROM_13), (17, AgeBracket.FROM_13), (18, AgeBracket.FROM_18),
     (25, AgeBracket.FROM_25), (44, AgeBracket.FROM_35), (54, AgeBracket.FROM_45), (64, AgeBracket.FROM_55),
     (65, AgeBracket.FROM_65), (120, AgeBracket.FROM_65)],
)  # fmt: skip
def test_brackets(years: int, bracket: AgeBracket) -> None:
    assert bracket_of(years) is bracket


def test_the_latest_birth_day_is_of_a_person_whose_birthday_is_today() -> None:
    assert date_of(latest_birth_day(day_of(date(2026, 11, 24)), 13)) == date(2013, 11, 24)
