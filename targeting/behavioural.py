"""The features of behavioural mode, computed for a whole batch of people at once.

Nothing here runs without a ``Grant``, which only ``targeting.judge`` mints. A person's features depend on that
person's records alone, whatever else is in the batch.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from targeting.age import bracket_at, bracket_of, person_day
from targeting.features.batch import Behavioural, Demographics, Exposures, FeatureBatch, Floats, RankedColumn
from targeting.features.encode import VectorInputs, encode, to_wire
from targeting.features.few import MOST_PEOPLE, TINY, features_of_few
from targeting.features.schema import DIMENSION_OF_CODE, dimension_of
from targeting.judge import Grant
from targeting.model import AgeBracket, Gender
from targeting.places.continents import continent_of
from targeting.places.iso3166 import COUNTRIES
from targeting.policy.policy import HalfLifePolicy, Policy
from targeting.records.profile import (
    DESTINATION_ROW,
    EXPOSURE_ROW,
    INTEREST_ROW,
    OUTSIDE_CODE,
    SCORE_STEPS,
    RawProfile,
    segment_name,
)
from targeting.signals.nap import Nap

_DAY_S = 86_400.0
_GENDERS = tuple(Gender)


def _continents() -> NDArray[np.uint8]:
    table = np.zeros(1 << 16, np.uint8)
    for country in COUNTRIES:
        table[int.from_bytes(country.encode("ascii"), "little")] = continent_of(country)
    return table


# Two ASCII characters of a country, packed as they are stored → continent.
_CONTINENT_OF_PACKED = _continents()


class PersonData(NamedTuple):
    """What is known about one person: the profile, the birth day of the preference record, the NAP cookie."""

    profile: RawProfile
    birth_day: int | None = None
    nap: Nap | None = None


class _Entries(NamedTuple):
    """Keys and values of a batch before ranking; ``owner`` is the index of the person, ascending."""

    owner: NDArray[np.intp]
    keys: NDArray[np.uint16]
    values: Floats


def behavioural_features(_: Grant, people: Sequence[PersonData], policy: Policy, now_s: float) -> list[Behavioural]:
    """Compute each person's features at a time (Unix seconds)."""
    now, today, limits = int(now_s), person_day(now_s), policy.features
    demographics = [_demographics(person, limits.postal_prefix_characters, today) for person in people]
    if len(people) <= MOST_PEOPLE:
        profiles = [person.profile for person in people]
        batch = features_of_few(profiles, demographics, _rates(policy.half_life_days), limits, now)
    else:
        batch = features_of_many(people, demographics, policy, now)
    return [Behavioural(batch, index) for index in range(len(people))]


def features_of_many(
    people: Sequence[PersonData], demographics: list[Demographics], policy: Policy, now: int
) -> FeatureBatch:
    """Compute the features of any number of people, each step for all of them at once."""
    limits = policy.features
    interests = _interests(people, policy.half_life_days, now)
    destinations = _destinations(people, policy.half_life_days, now)
    vectors = to_wire(encode(_vector_inputs(people, demographics, (interests, destinations), now)))
    return FeatureBatch(
        demographics=demographics,
        interests=_ranked(interests, len(people), limits.max_interests, limits.min_interest_score),
        outside_names=[person.profile.outside_names for person in people],
        destinations=_ranked(destinations, len(people), limits.max_call_destinations, 0.0),
        exposures=_exposures(people, limits.max_exposures, now),
        vectors=vectors,
    )


def _demographics(person: PersonData, postal_prefix_characters: int, today: int) -> Demographics:
    # The records come first; the NAP cookie fills the gaps.
    profile, birth_day, nap = person
    age = AgeBracket.UNKNOWN if birth_day is None else bracket_at(birth_day, today)
    gender, occupation, postal_code = _GENDERS[profile.gender], profile.occupation, profile.postal_code
    if nap is not None:
        age = age or (AgeBracket.UNKNOWN if nap.age is None else bracket_of(nap.age))
        gender = gender or nap.gender
        occupation = occupation or nap.occupation
        postal_code = postal_code or nap.postal_code
    return Demographics(
        age_bracket=age, gender=gender, occupation=occupation, postal_prefix=postal_code[:postal_prefix_characters]
    )


def _interests(people: Sequence[PersonData], half_life: HalfLifePolicy, now: int) -> _Entries:
    rows, owner = _rows([person.profile.interest_rows for person in people], INTEREST_ROW)
    score = rows["score"] * _decay(rows["updated_s"], now, _rates(half_life).take(rows["kind"]))
    score *= np.float32(1 / SCORE_STEPS)
    return _Entries(owner, rows["code"], score)


def _destinations(people: Sequence[PersonData], half_life: HalfLifePolicy, now: int) -> _Entries:
    rows, owner = _rows([person.profile.destination_rows for person in people], DESTINATION_ROW)
    weight = rows["weight"] * _decay(rows["updated_s"], now, _rates(half_life)[0])
    total = np.bincount(owner, weight, len(people))
    # Very old calls decay to nothing; the shares of the others still add up to one.
    share = (weight / np.maximum(total, TINY).take(owner)).astype(np.float32)
    return _Entries(owner, rows["country"], share)


def _rows(parts: list[bytes], row: np.dtype[np.void]) -> tuple[NDArray[np.void], NDArray[np.intp]]:
    """Read the rows of all people in one pass; return them with the index of each row's owner."""
    counts = [len(part) // row.itemsize for part in parts]
    return np.frombuffer(b"".join(parts), row), np.arange(len(parts)).repeat(counts)


@lru_cache(maxsize=16)
def _rates(half_life: HalfLifePolicy) -> Floats:
    """Return the exponent of decay per second: of destinations, then of each kind of segment."""
    half_lives_days = (half_life.destination, half_life.content, half_life.purchase, half_life.external)
    return np.array([-1 / (days * _DAY_S) for days in half_lives_days], np.float32)


def _decay(updated_s: NDArray[np.uint32], now: int, rate: Floats | np.float32) -> Floats:
    # A time in the future counts as now: a fast clock makes nothing count for more than new.
    age_s = np.maximum(now - updated_s.astype(np.int64), 0).astype(np.float32)
    decay: Floats = np.exp2(age_s * rate)
    return decay


def _ranked(entries: _Entries, people: int, limit: int, minimum: float) -> RankedColumn:
    """Rank each person's entries; keep the first ``limit`` of at least ``minimum``, and none of zero."""
    owner, keys, values = entries
    # One stable sort for the batch: people in order, each one's entries from the largest down. The bits of
    # non-negative floats sort as the floats do, so one integer holds owner and value exactly.
    order = ((owner << 32) - values.view(np.uint32)).argsort(kind="stable")
    keys, values, counts = keys.take(order), values.take(order), np.bincount(owner, minlength=people)
    minimum = max(minimum, TINY)
    # Most people have few entries, all fresh: then nothing is dropped.
    if counts.max(initial=0) > limit or values.min(initial=1) < minimum:
        rank = np.arange(len(owner)) - (counts.cumsum() - counts).repeat(counts)
        kept = (rank < limit) & (values >= minimum)
        keys, values, counts = keys[kept], values[kept], np.bincount(owner[kept], minlength=people)
    return RankedColumn(keys, values, [0, *counts.cumsum().tolist()])


def _exposures(people: Sequence[PersonData], limit: int, now: int) -> Exposures:
    # Stored newest first.
    ad_ids: list[bytes] = []
    bounds = [0]
    for person in people:
        ad_ids += person.profile.ad_ids[:limit]
        bounds.append(len(ad_ids))
    size = limit * EXPOSURE_ROW.itemsize
    rows = np.frombuffer(b"".join([person.profile.exposure_rows[:size] for person in people]), EXPOSURE_ROW)
    ages = np.maximum(now - rows["last_seen_s"].astype(np.int64), 0)
    return Exposures(ad_ids, rows["count"].tolist(), ages.tolist(), bounds)


def _vector_inputs(
    people: Sequence[PersonData], demographics: list[Demographics], entries: tuple[_Entries, _Entries], now: int
) -> VectorInputs:
    interests, destinations = entries
    exposures, exposure_owner = _rows([person.profile.exposure_rows for person in people], EXPOSURE_ROW)
    return VectorInputs(
        age_bracket=np.frombuffer(bytes([declared.age_bracket for declared in demographics]), np.uint8),
        gender=np.frombuffer(bytes([declared.gender for declared in demographics]), np.uint8),
        occupation_known=np.array([declared.occupation != "" for declared in demographics]),
        profile_age_s=np.array([now - person.profile.updated_s for person in people], np.float32),
        interest_owner=interests.owner,
        interest_dimension=_dimensions(people, interests),
        interest_score=interests.values,
        destination_owner=destinations.owner,
        destination_continent=_CONTINENT_OF_PACKED.take(destinations.keys),
        destination_share=destinations.values,
        exposure_owner=exposure_owner,
        exposure_count=exposures["count"],
        exposure_age_s=(now - exposures["last_seen_s"].astype(np.int64)).astype(np.float32),
    )


def _dimensions(people: Sequence[PersonData], interests: _Entries) -> NDArray[np.uint8]:
    outside = interests.keys >= OUTSIDE_CODE
    if not outside.any():
        return DIMENSION_OF_CODE.take(interests.keys)
    dimensions = DIMENSION_OF_CODE.take(np.where(outside, 0, interests.keys))
    for index in np.flatnonzero(outside).tolist():
        names = people[interests.owner[index]].profile.outside_names
        dimensions[index] = dimension_of(segment_name(int(interests.keys[index]), names))
    return dimensions
