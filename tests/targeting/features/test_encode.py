"""Dense vectors: what each number is, and that batch-mates never change a row."""

import math
import struct
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from targeting.features.encode import VectorInputs, encode, to_wire
from targeting.features.schema import DIMENSION_OF_CODE, DIMENSIONS, SCHEMA
from targeting.places.continents import Continent

DAY_S = 86_400.0


class Person(NamedTuple):
    """One person's inputs; the defaults are those of someone of whom nothing is known."""

    age_bracket: int = 0
    gender: int = 0
    occupation_known: bool = False
    profile_age_s: float = math.inf
    interests: tuple[tuple[int, float], ...] = ()
    destinations: tuple[tuple[int, float], ...] = ()
    exposures: tuple[tuple[int, float], ...] = ()


def columns(people: list[Person]) -> VectorInputs:
    """The batch of these people."""

    def entries(field: str) -> tuple[NDArray[np.intp], list[int], NDArray[np.float32]]:
        found = [(row, *entry) for row, person in enumerate(people) for entry in getattr(person, field)]
        owner = np.array([entry[0] for entry in found], np.intp)
        return owner, [entry[1] for entry in found], np.array([entry[2] for entry in found], np.float32)

    interest_owner, dimension, score = entries("interests")
    destination_owner, continent, share = entries("destinations")
    exposure_owner, count, age_s = entries("exposures")
    return VectorInputs(
        age_bracket=np.array([person.age_bracket for person in people], np.uint8),
        gender=np.array([person.gender for person in people], np.uint8),
        occupation_known=np.array([person.occupation_known for person in people], np.bool_),
        profile_age_s=np.array([person.profile_age_s for person in people], np.float32),
        interest_owner=interest_owner,
        interest_dimension=np.array(dimension, np.uint8),
        interest_score=score,
        destination_owner=destination_owner,
        destination_continent=np.array(continent, np.uint8),
        destination_share=share,
        exposure_owner=exposure_owner,
        exposure_count=np.array(count, np.uint16),
        exposure_age_s=age_s,
    )


def named(row: NDArray[np.float32]) -> dict[str, float]:
    """The numbers of a row that are not zero, by name."""
    return {SCHEMA[index].name: float(row[index]) for index in np.flatnonzero(row)}


SOCCER, TENNIS, FURNITURE = (int(DIMENSION_OF_CODE[code]) for code in (663, 669, 1407))


@pytest.mark.parametrize(
    ("person", "expected"),
    [
        pytest.param(Person(), {}, id="nothing known"),
        pytest.param(Person(age_bracket=1), {"age.13_17": 1}, id="youngest bracket"),
        pytest.param(Person(age_bracket=7), {"age.65_plus": 1}, id="oldest bracket"),
        pytest.param(Person(age_bracket=8, gender=4), {}, id="numbers of no bracket and no gender"),
        pytest.param(Person(gender=1), {"gender.female": 1}, id="female"),
        pytest.param(Person(gender=3), {"gender.other": 1}, id="other gender"),
        pytest.param(Person(occupation_known=True), {"occupation.known": 1}, id="occupation"),
        pytest.param(Person(profile_age_s=0), {"profile.recency": 1}, id="profile of this second"),
        pytest.param(Person(profile_age_s=30 * DAY_S), {"profile.recency": math.exp(-1)}, id="profile of 30 days ago"),
        pytest.param(Person(profile_age_s=-1e9), {"profile.recency": 1}, id="profile of the future"),
        pytest.param(
            Person(interests=((SOCCER, 0.25), (FURNITURE, 0.5))),
            {"interest.sports": 0.25, "purchase.home": 0.5},
            id="interests of two subjects",
        ),
        pytest.param(
            Person(interests=((TENNIS, 0.25), (SOCCER, 0.75), (TENNIS, 0.5))),
            {"interest.sports": 0.75},
            id="the strongest of a subject counts",
        ),
        pytest.param(
            Person(destinations=((Continent.ASIA, 0.5), (Continent.EUROPE, 0.25), (Continent.ASIA, 0.25))),
            {
                "calls.destinations": math.log(4),
                "calls.top_share": 0.5,
                "calls.share.asia": 0.75,
                "calls.share.europe": 0.25,
            },
            id="calls",
        ),
        pytest.param(
            Person(destinations=((Continent.ELSEWHERE, 1.0),)),
            {"calls.destinations": math.log(2), "calls.top_share": 1, "calls.share.elsewhere": 1},
            id="calls to no continent",
        ),
        pytest.param(
            Person(exposures=((3, 5 * DAY_S), (1, DAY_S))),
            {
                "exposure.count": math.log(5),
                "exposure.distinct_ads": math.log(3),
                "exposure.recency": math.exp(-1),
            },
            id="ads",
        ),
        pytest.param(
            Person(exposures=((1, -3.0),)),
            {"exposure.count": math.log(2), "exposure.distinct_ads": math.log(2), "exposure.recency": 1},
            id="an ad of the future",
        ),
    ],
)
def test_what_a_person_looks_like(person: Person, expected: dict[str, float]) -> None:
    (row,) = encode(columns([person]))
    assert named(row) == pytest.approx(expected, rel=1e-6)


def test_no_people_no_rows() -> None:
    rows = encode(columns([]))
    assert rows.shape == (0, DIMENSIONS)
    assert to_wire(rows) == []


def test_the_wire_form_is_little_endian_float32_in_order() -> None:
    rows = encode(columns([Person(age_bracket=2), Person(profile_age_s=DAY_S)]))
    wire = to_wire(rows)
    assert [len(vector) for vector in wire] == [4 * DIMENSIONS] * 2
    assert [list(struct.unpack(f"<{DIMENSIONS}f", vector)) for vector in wire] == rows.tolist()


def entries_of(
    key: st.SearchStrategy[int], value: st.SearchStrategy[float]
) -> st.SearchStrategy[tuple[tuple[int, float], ...]]:
    return st.lists(st.tuples(key, value), max_size=9).map(tuple)


UNIT = st.floats(0, 1, width=32)
AGE_S = st.floats(-1e6, 1e9, width=32)
PEOPLE = st.builds(
    Person,
    age_bracket=st.integers(0, 7),
    gender=st.integers(0, 3),
    occupation_known=st.booleans(),
    profile_age_s=AGE_S,
    interests=entries_of(st.integers(int(DIMENSION_OF_CODE.min()), int(DIMENSION_OF_CODE.max())), UNIT),
    destinations=entries_of(st.integers(0, 6), UNIT),
    exposures=entries_of(st.integers(1, 65_535), AGE_S),
)


@given(st.lists(PEOPLE, min_size=1, max_size=12))
def test_a_row_does_not_depend_on_batch_mates(people: list[Person]) -> None:
    together = to_wire(encode(columns(people)))
    alone = [to_wire(encode(columns([person])))[0] for person in people]
    assert together == alone


@given(st.lists(PEOPLE, max_size=4))
def test_every_number_is_in_the_range_that_the_schema_gives(people: list[Person]) -> None:
    rows = encode(columns(people))
    assert np.isfinite(rows).all()
    assert (rows >= 0).all()
    for dimension in SCHEMA:
        values = rows[:, dimension.index]
        match dimension.unit:
            case "0 or 1":
                assert set(values.tolist()) <= {0, 1}
            case "0 to 1":
                assert (values <= 1).all()
            case unit:
                assert unit == "ln(1 + n)"


@given(PEOPLE, st.integers(int(DIMENSION_OF_CODE.min()), int(DIMENSION_OF_CODE.max())), UNIT)
def test_one_more_segment_only_ever_raises_its_own_dimension(person: Person, dimension: int, score: float) -> None:
    (before,) = encode(columns([person]))
    (after,) = encode(columns([person._replace(interests=(*person.interests, (dimension, score)))]))
    assert after[dimension] == max(before[dimension], np.float32(score))
    after[dimension] = before[dimension]
    assert after.tobytes() == before.tobytes()


def test_entries_of_one_person_need_not_be_adjacent() -> None:
    people = [
        Person(interests=((SOCCER, 0.5), (FURNITURE, 0.25)), exposures=((1, 9.0), (2, 5.0))),
        Person(interests=((TENNIS, 0.75),), exposures=((7, 1.0),)),
    ]
    batch = columns(people)
    order = np.array([2, 0, 1])
    shuffled = batch._replace(
        interest_owner=batch.interest_owner[order],
        interest_dimension=batch.interest_dimension[order],
        interest_score=batch.interest_score[order],
        exposure_owner=batch.exposure_owner[order],
        exposure_count=batch.exposure_count[order],
        exposure_age_s=batch.exposure_age_s[order],
    )
    assert encode(shuffled).tobytes() == encode(batch).tobytes()
