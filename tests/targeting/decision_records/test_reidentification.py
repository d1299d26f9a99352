"""The person of a record is found no more often than a crowd and the request itself allow.

The attacker knows which record each person leaves in each hour. A person in a crowd of 20 is found by chance in one of
20 cases; a record is meant to show the hour, the country and the networks asked for.
"""

import pytest

from tests.targeting.decision_records.reidentification import Found, attack

CROWD = 20


def shown(found: Found, people: int) -> str:
    return (
        f"{people} people, {found.written} of {found.asked} decisions written: the person is found in "
        f"{found.by_record:.2%} of the records, by hour, country and networks alone in {found.by_request:.2%}"
    )


@pytest.mark.parametrize(
    ("people", "crowd", "hours"),
    [
        pytest.param(5_000, 10, 3, id="5,000 people"),
        pytest.param(100_000, CROWD, 24, id="100,000 people", marks=pytest.mark.slow),
    ],
)
def test_no_person_is_found_beyond_chance_and_what_the_request_shows(people: int, crowd: int, hours: int) -> None:
    found = attack(people, crowd, hours)
    print(shown(found, people))
    assert found.written > 100
    assert found.by_record <= found.by_request + 1 / crowd


def test_without_a_crowd_most_are_found() -> None:
    found = attack(600, 1)
    print(shown(found, 600))
    assert found.by_record > found.by_request + 0.5
