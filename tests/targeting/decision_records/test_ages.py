"""An age is recorded as the limits of the policy divide it, and no finer."""

from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targeting.age import is_under, latest_birth_day
from targeting.decision_records.ages import (
    TODAY,
    birth_day_of,
    limits_of,
    range_of_birth,
    range_of_years,
    years_of,
)
from targeting.decision_records.form import AgeRange
from targeting.policy.policy import ChildrenPolicy

CHILDREN = ChildrenPolicy(
    age_by_country=MappingProxyType({"DE": 16}), age_by_subdivision=MappingProxyType({"US-CT": 18})
)
LIMITS = (0, 13, 16, 18)


def test_the_limits_are_those_of_every_place() -> None:
    assert limits_of(CHILDREN) == LIMITS


@pytest.mark.parametrize(
    ("years", "expected"),
    [(0, (0, 13)), (12, (0, 13)), (13, (13, 16)), (15, (13, 16)), (16, (16, 18)), (18, (18, None)), (99, (18, None))],
)
def test_an_age_is_of_one_class(years: int, expected: AgeRange) -> None:
    assert range_of_years(years, LIMITS) == expected
    assert range_of_birth(latest_birth_day(TODAY, years), LIMITS, TODAY) == expected


def test_a_birth_to_come_is_of_a_class_of_its_own() -> None:
    assert range_of_birth(TODAY + 1, LIMITS, TODAY) == (-1, 0)
    assert range_of_birth(birth_day_of((-1, 0), oldest=True), LIMITS, TODAY) == (-1, 0)


@given(st.integers(0, 120), st.booleans(), st.sampled_from(LIMITS))
def test_the_oldest_and_the_youngest_of_a_class_are_of_it(years: int, oldest: bool, limit: int) -> None:
    age = range_of_years(years, LIMITS)
    assert range_of_birth(birth_day_of(age, oldest=oldest), LIMITS, TODAY) == age
    assert range_of_years(years_of(age, oldest=oldest), LIMITS) == age
    assert is_under(birth_day_of(age, oldest=oldest), limit, TODAY) == (years < limit)


def test_between_the_limits_the_oldest_and_the_youngest_differ() -> None:
    assert not is_under(birth_day_of((13, 16), oldest=True), 15, TODAY)
    assert is_under(birth_day_of((13, 16), oldest=False), 14, TODAY)
