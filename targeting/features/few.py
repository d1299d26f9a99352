"""The features of a few people without a pass of numpy for each step, which would cost more than the steps.

Invariant: bit for bit what ``targeting.behavioural`` computes for a batch. So numbers are rounded to float32 in the
same places (by ``array("f")``), sums are made in double precision in the order of the rows, and the powers and
logarithms are numpy's own, one call of each for all people.
"""

from array import array
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from targeting.features.batch import Demographics, Exposures, FeatureBatch, Floats, RankedColumn
from targeting.features.encode import (
    AGE,
    CONTINENT_SHARES,
    DESTINATIONS,
    DISTINCT_ADS,
    EXPOSURE_RATE,
    EXPOSURE_RECENCY,
    EXPOSURES,
    GENDER,
    OCCUPATION,
    PROFILE_RATE,
    PROFILE_RECENCY,
    TOP_SHARE,
)
from targeting.features.schema import DIMENSION_OF_CODE, DIMENSIONS, dimension_of
from targeting.places.continents import Continent, continent_of
from targeting.policy.policy import FeaturePolicy
from targeting.records.profile import (
    DESTINATION,
    EXPOSURE,
    INTEREST,
    OUTSIDE_CODE,
    SCORE_STEPS,
    RawProfile,
    segment_name,
)

MOST_PEOPLE: Final = 3 if array("H", [1]).tobytes() == b"\1\0" else 0
"""With more, arrays are quicker. Vectors are little-endian, and so are arrays on such machines alone."""

TINY: Final = float(np.finfo(np.float32).tiny)
_PER_STEP: Final = np.float32(1 / SCORE_STEPS)
_DIMENSION_OF_CODE: Final = DIMENSION_OF_CODE.tolist()
_NO_VECTOR: Final = bytes(4 * DIMENSIONS)


class _Rows(NamedTuple):
    """The rows of one person, unpacked."""

    interests: list[tuple[int, int, int, int]]
    destinations: list[tuple[bytes, float, int]]
    exposures: list[tuple[int, int, int]]


def features_of_few(
    profiles: Sequence[RawProfile], declared: list[Demographics], rates: Floats, limits: FeaturePolicy, now: int
) -> FeatureBatch:
    """Compute the features; ``rates`` are the exponents of decay a second, of destinations and each kind of segment."""
    rows = [_rows(profile) for profile in profiles]
    values = iter(_decayed_values(rows, rates.tolist(), now))
    scores = [[next(values) for _ in person.interests] for person in rows]
    shares = [_shares([next(values) for _ in person.destinations]) for person in rows]
    vectors = _vectors(profiles, declared, rows, (scores, shares), now)
    codes = [[code for code, *_ in person.interests] for person in rows]
    countries = [[int.from_bytes(country, "little") for country, *_ in person.destinations] for person in rows]
    return FeatureBatch(
        demographics=declared,
        interests=_ranked(codes, scores, limits.max_interests, limits.min_interest_score),
        outside_names=[profile.outside_names for profile in profiles],
        destinations=_ranked(countries, shares, limits.max_call_destinations, 0.0),
        exposures=_exposures(profiles, rows, limits.max_exposures, now),
        vectors=vectors,
    )


def _rows(profile: RawProfile) -> _Rows:
    return _Rows(
        list(INTEREST.iter_unpack(profile.interest_rows)),
        list(DESTINATION.iter_unpack(profile.destination_rows)),
        list(EXPOSURE.iter_unpack(profile.exposure_rows)),
    )


def _decayed_values(rows: Sequence[_Rows], rates: Sequence[float], now: int) -> list[float]:
    """Return every decayed score, and after them every decayed weight."""
    ages: list[int] = []
    exponents: list[float] = []
    values: list[float] = []
    for person in rows:
        for _, updated_s, score, kind in person.interests:
            ages.append(max(now - updated_s, 0))
            exponents.append(rates[kind])
            values.append(score)
    scores = len(values)
    for person in rows:
        for _, weight, updated_s in person.destinations:
            ages.append(max(now - updated_s, 0))
            exponents.append(rates[0])
            values.append(weight)
    decayed = np.array(values, np.float32) * np.exp2(np.array(ages, np.float32) * np.array(exponents, np.float32))
    decayed[:scores] *= _PER_STEP
    result: list[float] = decayed.tolist()
    return result


def _shares(weights: list[float]) -> list[float]:
    total = 0.0
    for weight in weights:
        total += weight
    total = max(total, TINY)
    return array("f", [weight / total for weight in weights]).tolist()


def _ranked(keys: list[list[int]], values: list[list[float]], limit: int, minimum: float) -> RankedColumn:
    """Rank each person's entries; keep the first ``limit`` of at least ``minimum``, and none of zero."""
    minimum = max(minimum, TINY)
    kept_keys, kept_values, bounds = array("H"), array("f"), [0]
    for own_keys, own_values in zip(keys, values, strict=True):
        # Sorting keeps the order of equal values, also in reverse.
        for index in sorted(range(len(own_values)), key=own_values.__getitem__, reverse=True)[:limit]:
            if own_values[index] >= minimum:
                kept_keys.append(own_keys[index])
                kept_values.append(own_values[index])
        bounds.append(len(kept_keys))
    return RankedColumn(kept_keys, kept_values, bounds)


def _exposures(profiles: Sequence[RawProfile], rows: Sequence[_Rows], limit: int, now: int) -> Exposures:
    ad_ids: list[bytes] = []
    counts: list[int] = []
    ages: list[int] = []
    bounds = [0]
    for profile, person in zip(profiles, rows, strict=True):
        ad_ids += profile.ad_ids[:limit]
        for count, _, last_seen_s in person.exposures[:limit]:
            counts.append(count)
            ages.append(max(now - last_seen_s, 0))
        bounds.append(len(ad_ids))
    return Exposures(ad_ids, counts, ages, bounds)


def _vectors(
    profiles: Sequence[RawProfile],
    declared: Sequence[Demographics],
    rows: Sequence[_Rows],
    values: tuple[list[list[float]], list[list[float]]],
    now: int,
) -> list[bytes]:
    recency, counted = iter(_recency(profiles, rows, now)), iter(_logarithms(rows))
    vectors: list[bytes] = []
    for profile, person, stated, scores, shares in zip(profiles, rows, declared, *values, strict=True):
        vector = array("f", _NO_VECTOR)
        if stated.age_bracket:
            vector[AGE.start + stated.age_bracket - 1] = 1.0
        if stated.gender:
            vector[GENDER.start + stated.gender - 1] = 1.0
        vector[OCCUPATION] = stated.occupation != ""
        vector[DESTINATIONS], vector[EXPOSURES], vector[DISTINCT_ADS] = next(counted), next(counted), next(counted)
        vector[PROFILE_RECENCY] = next(recency)
        vector[EXPOSURE_RECENCY] = max([next(recency) for _ in person.exposures], default=0.0)
        for (code, *_), score in zip(person.interests, scores, strict=True):
            dimension = _dimension(code, profile.outside_names)
            vector[dimension] = max(vector[dimension], score)
        vector[TOP_SHARE] = max(shares, default=0.0)
        for dimension, total in enumerate(_continent_sums(person, shares), CONTINENT_SHARES.start):
            vector[dimension] = min(total, 1.0)
        vectors.append(vector.tobytes())
    return vectors


def _recency(profiles: Sequence[RawProfile], rows: Sequence[_Rows], now: int) -> list[float]:
    """Return each person's recency of the profile, and after it those of the exposures."""
    ages: list[int] = []
    rates: list[float] = []
    for profile, person in zip(profiles, rows, strict=True):
        ages.append(now - profile.updated_s)
        rates.append(PROFILE_RATE)
        for _, _, last_seen_s in person.exposures:
            ages.append(now - last_seen_s)
            rates.append(EXPOSURE_RATE)
    exponents = np.minimum(np.array(ages, np.float32) * np.array(rates, np.float32), 0)
    result: list[float] = np.exp(exponents).tolist()
    return result


def _logarithms(rows: Sequence[_Rows]) -> list[float]:
    """Return ln(1 + n) for each person's destinations, ads shown and different ads shown."""
    counts: list[float] = []
    for person in rows:
        shown = sum([count for count, _, _ in person.exposures])
        counts += (len(person.destinations), shown, len(person.exposures))
    result: list[float] = np.log1p(np.array(counts, np.float64)).tolist()
    return result


def _continent_sums(person: _Rows, shares: Sequence[float]) -> Iterator[float]:
    sums = [0.0] * len(Continent)
    for (country, *_), share in zip(person.destinations, shares, strict=True):
        sums[_continent(country)] += share
    return iter(sums)


@lru_cache(maxsize=1024)
def _continent(country: bytes) -> int:
    return int(continent_of(country.decode("latin-1")))


def _dimension(code: int, outside_names: tuple[str, ...]) -> int:
    if code < OUTSIDE_CODE:
        dimension: int = _DIMENSION_OF_CODE[code]
        return dimension
    return dimension_of(segment_name(code, outside_names))
