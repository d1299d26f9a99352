"""Fibonacci coding, against the steps and the table of the specification."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from targeting.signals.gpp.fibonacci import MAX_ID, DigitReader
from targeting.signals.segments import split_segments
from targeting.signals.unreadable import Unreadable
from tests.targeting.signals.gpp.gpp_encoder import characters, fibonacci, fibonacci_range, groups, uint

SPECIFIED = {1: "11", 2: "011", 3: "0011", 4: "1011", 5: "00011", 6: "10011", 7: "01011"}


def digits(bits: str) -> DigitReader:
    return DigitReader(split_segments(characters(bits), 1)[0])


@pytest.mark.parametrize(("number", "code"), SPECIFIED.items())
def test_the_codes_of_the_specification(number: int, code: str) -> None:
    assert fibonacci(number) == code
    assert digits(f"{uint(1, 12)}0{code}").fibonacci_range() == [(number, number)]


def test_every_id_is_read() -> None:
    for number in range(1, MAX_ID + 1, 7):
        assert digits(f"{uint(1, 12)}0{fibonacci(number)}").fibonacci_range() == [(number, number)]


@given(st.sets(st.integers(1, MAX_ID), max_size=60))
@settings(deadline=None)
def test_ranges_give_the_groups_of_the_ids(ids: set[int]) -> None:
    reader = digits(fibonacci_range(ids))
    assert reader.fibonacci_range() == groups(ids)
    assert reader.only_zeros_left(5)


UNREADABLE = {
    "nothing": "",
    "a count that is cut": "0" * 6,
    "entries that are missing": uint(2, 12),
    "fewer entries than announced": uint(3, 12) + "0" + fibonacci(1) + "0" + fibonacci(1),
    "a code without its end": uint(1, 12) + "0" + "10" * 12,
    "zeros only": uint(1, 12) + "0" * 60,
    "a group without its length": uint(1, 12) + "1" + fibonacci(2),
    "an id above the highest": uint(1, 12) + "0" + fibonacci(65_536),
    "a code of many digits": uint(1, 12) + "0" + fibonacci(10**9),
    "a group above the highest": uint(1, 12) + "1" + fibonacci(65_000) + fibonacci(1000),
    "a group of 10^15": uint(1, 12) + "1" + fibonacci(1) + fibonacci(10**15),
}


@pytest.mark.parametrize("bits", UNREADABLE.values(), ids=UNREADABLE)
def test_a_range_that_is_cut_or_too_high_is_unreadable(bits: str) -> None:
    # Six more digits, so that there is something to read.
    reader = DigitReader(split_segments(characters("000000" + bits), 1)[0])
    reader.take(6)
    with pytest.raises(Unreadable):
        reader.fibonacci_range()


def test_an_allowance_is_spent_by_what_is_read() -> None:
    segment = split_segments(characters(fibonacci_range([1, 3, 4]) + fibonacci_range([7])), 1)[0]
    reader = DigitReader(segment, 3)
    assert (reader.fibonacci_range(), reader.entry_budget) == ([(1, 1), (3, 4)], 1)
    assert (reader.fibonacci_range(), reader.entry_budget) == ([(7, 7)], 0)
    reader = DigitReader(segment, 2)
    reader.fibonacci_range()
    with pytest.raises(Unreadable, match="given up"):
        reader.fibonacci_range()
    with pytest.raises(Unreadable, match="given up"):
        reader.charge(1)


def test_what_announces_more_than_it_has_spends_what_it_has() -> None:
    reader = DigitReader(split_segments(characters(uint(5, 12) + "0" + fibonacci(3) + "0" * 40), 1)[0], 9)
    with pytest.raises(Unreadable, match="has no end"):
        reader.fibonacci_range()
    assert reader.entry_budget == 8
