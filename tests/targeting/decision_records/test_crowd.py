"""A record is released only among as many equal ones of its hour as the crowd needs."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from targeting.decision_records.crowd import Crowd
from tests.targeting.decision_records.test_lines import MINIMAL

LATER = replace(MINIMAL, hour="2026-11-29T03Z")


def test_the_first_are_held_back_and_released_together() -> None:
    crowd = Crowd(3)
    released = [crowd.release(MINIMAL, bytes([person])) for person in (4, 5, 6, 7)]
    assert [[record.person for record in records] for records in released] == [[], [], [4, 5, 6], [7]]
    assert crowd.forgotten == 0


def test_one_person_is_no_crowd_and_without_a_person_requests_count() -> None:
    crowd = Crowd(3)
    assert [len(crowd.release(MINIMAL, b"a")) for _ in range(5)] == [0] * 5
    assert [len(crowd.release(MINIMAL, person)) for person in (b"b", b"c")] == [0, 7]
    assert [len(crowd.release(LATER)) for _ in range(4)] == [0, 0, 3, 1]


def test_what_is_held_back_is_forgotten_with_its_hour() -> None:
    crowd = Crowd(3)
    assert [*crowd.release(MINIMAL), *crowd.release(MINIMAL), *crowd.release(LATER), *crowd.release(LATER)] == []
    assert crowd.forgotten == 2
    assert len(crowd.release(LATER)) == 3


def test_with_a_crowd_of_one_each_is_released_at_once() -> None:
    crowd = Crowd(1)
    assert [len(crowd.release(record)) for record in (MINIMAL, MINIMAL, LATER)] == [1, 1, 1]


def test_classes_beyond_the_bound_are_as_rare_ones() -> None:
    crowd = Crowd(1, max_classes=1)
    assert len(crowd.release(MINIMAL)) == 1
    assert crowd.release(replace(MINIMAL, policy="other")) == ()
    assert crowd.forgotten == 1


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 7)), max_size=60), st.integers(1, 6))
def test_no_class_is_written_of_fewer_people_than_the_crowd(left: list[tuple[int, int]], least: int) -> None:
    crowd = Crowd(least)
    released = [
        record
        for policy, person in left
        for record in crowd.release(replace(MINIMAL, policy=f"p{policy}"), bytes([person]))
    ]
    crowd.end_hour()
    assert crowd.forgotten + len(released) == len(left)
    written = Counter((record.policy, record.person) for record in released)
    assert not written - Counter((f"p{policy}", person) for policy, person in left)
    for policy in {record.policy for record in released}:
        assert len({person for of, person in written if of == policy}) >= least
