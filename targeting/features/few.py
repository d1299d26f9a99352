"""The features of a few people without a pass of numpy for each step, which would cost more than the steps.

Invariant: bit for bit what ``targeting.behavioural`` computes for a batch. So numbers are rounded to float32 in the
same places (by ``array("f")``), sums are made in double precision in the order of the rows, and the powers and
logarithms are numpy's own, one call of each for all people.
"""

from array import array
from collections.abc import Sequence
from functools import lru_cache
from struct import Struct
from typing import Any, Final, NamedTuple

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
_CONTINENTS: Final = len(Continent)


class _Rows(NamedTuple):
    """The rows of one person, unpacked, as columns."""

    codes: Sequence[int]
    interest_updates_s: Sequence[int]
    scores: Sequence[int]
    kinds: Sequence[int]
    countries: Sequence[bytes]
    weights: Sequence[float]
    destination_updates_s: Sequence[int]
    counts: Sequence[int]
    last_seen_s: Sequence[int]


def features_of_few(
    profiles: Sequence[RawProfile], declared: list[Demographics], rates: Floats, limits: FeaturePolicy, now: int
) -> FeatureBatch:
    """Compute the features; ``rates`` are the exponents of decay a second, of destinations and each kind of segment."""
    rows = [_rows(profile) for profile in profiles]
    values = _decayed_values(rows, rates.tolist(), now)
    scores, end = _divided(values, [person.codes for person in rows])
    weights, _ = _divided(values, [person.countries for person in rows], end)
    shares = list(map(_shares, weights))
    vectors = _vectors(profiles, declared, rows, (scores, shares), now)
    codes = [person.codes for person in rows]
    countries = [[int.from_bytes(country, "little") for country in person.countries] for person in rows]
    return FeatureBatch(
        demographics=declared,
        interests=_ranked(codes, scores, limits.max_interests, limits.min_interest_score),
        outside_names=[profile.outside_names for profile in profiles],
        destinations=_ranked(countries, shares, limits.max_call_destinations, 0.0),
        exposures=_exposures(profiles, rows, limits.max_exposures, now),
        vectors=vectors,
    )


def _rows(profile: RawProfile) -> _Rows:
    codes, interest_updates_s, scores, kinds = _columns(INTEREST, profile.interest_rows, 4)
    countries, weights, destination_updates_s = _columns(DESTINATION, profile.destination_rows, 3)
    counts, _, last_seen_s = _columns(EXPOSURE, profile.exposure_rows, 3)
    return _Rows(
        codes=codes,
        interest_updates_s=interest_updates_s,
        scores=scores,
        kinds=kinds,
        countries=countries,
        weights=weights,
        destination_updates_s=destination_updates_s,
        counts=counts,
        last_seen_s=last_seen_s,
    )


def _columns(row: Struct, rows: bytes, width: int) -> list[tuple[Any, ...]]:
    return list(zip(*row.iter_unpack(rows), strict=True)) if rows else [()] * width


def _decayed_values(rows: Sequence[_Rows], rates: Sequence[float], now: int) -> list[float]:
    """Return every decayed score, and after them every decayed weight."""
    updates_s: list[int] = []
    exponents: list[float] = []
    values: list[float] = []
    for person in rows:
        updates_s += person.interest_updates_s
        exponents += [rates[kind] for kind in person.kinds]
        values += person.scores
    scores = len(values)
    for person in rows:
        updates_s += person.destination_updates_s
        exponents += [rates[0]] * len(person.weights)
        values += person.weights
    ages = np.maximum(np.array([now - updated_s for updated_s in updates_s], np.float32), 0)
    decayed = np.array(values, np.float32) * np.exp2(ages * np.array(exponents, np.float32))
    decayed[:scores] *= _PER_STEP
    result: list[float] = decayed.tolist()
    return result


def _divided(values: list[float], columns: Sequence[Sequence[object]], start: int = 0) -> tuple[list[list[float]], int]:
    """Divide values by person, as many as each has in a column; return where the last one's end."""
    divided = []
    for column in columns:
        end = start + len(column)
        divided.append(values[start:end])
        start = end
    return divided, start


def _shares(weights: list[float]) -> list[float]:
    total = 0.0
    for weight in weights:
        total += weight
    total = max(total, TINY)
    return array("f", [weight / total for weight in weights]).tolist()


def _ranked(keys: Sequence[Sequence[int]], values: list[list[float]], limit: int, minimum: float) -> RankedColumn:
    """Rank each person's entries; keep the first ``limit`` of at least ``minimum``, and none of zero."""
    minimum = max(minimum, TINY)
    kept_keys, kept_values, bounds = array("H"), array("f"), [0]
    for own_keys, own_values in zip(keys, values, strict=True):
        # Sorting keeps the order of equal values, also in reverse.
        order = sorted(range(len(own_values)), key=own_values.__getitem__, reverse=True)[:limit]
        kept = [index for index in order if own_values[index] >= minimum]
        kept_keys.extend([own_keys[index] for index in kept])
        kept_values.extend([own_values[index] for index in kept])
        bounds.append(len(kept_keys))
    return RankedColumn(kept_keys, kept_values, bounds)


def _exposures(profiles: Sequence[RawProfile], rows: Sequence[_Rows], limit: int, now: int) -> Exposures:
    ad_ids: list[bytes] = []
    counts: list[int] = []
    ages: list[int] = []
    bounds = [0]
    for profile, person in zip(profiles, rows, strict=True):
        ad_ids += profile.ad_ids[:limit]
        counts += person.counts[:limit]
        ages += [max(now - last_seen_s, 0) for last_seen_s in person.last_seen_s[:limit]]
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
        vector = [0.0] * DIMENSIONS
        if stated.age_bracket:
            vector[AGE.start + stated.age_bracket - 1] = 1.0
        if stated.gender:
            vector[GENDER.start + stated.gender - 1] = 1.0
        vector[OCCUPATION] = float(stated.occupation != "")
        vector[DESTINATIONS], vector[EXPOSURES], vector[DISTINCT_ADS] = next(counted), next(counted), next(counted)
        vector[PROFILE_RECENCY] = next(recency)
        vector[EXPOSURE_RECENCY] = max([next(recency) for _ in person.last_seen_s], default=0.0)
        for dimension, score in zip(_dimensions(person.codes, profile.outside_names), scores, strict=True):
            if score > vector[dimension]:  # noqa: PLR1730  # a call of max for each segment costs as much as all else
                vector[dimension] = score
        vector[TOP_SHARE] = max(shares, default=0.0)
        for dimension, total in enumerate(_continent_sums(person, shares), CONTINENT_SHARES.start):
            vector[dimension] = min(total, 1.0)
        vectors.append(array("f", vector).tobytes())
    return vectors


def _recency(profiles: Sequence[RawProfile], rows: Sequence[_Rows], now: int) -> list[float]:
    """Return each person's recency of the profile, and after it those of the exposures."""
    ages: list[int] = []
    rates: list[float] = []
    for profile, person in zip(profiles, rows, strict=True):
        ages.append(now - profile.updated_s)
        ages += [now - last_seen_s for last_seen_s in person.last_seen_s]
        rates.append(PROFILE_RATE)
        rates += [EXPOSURE_RATE] * len(person.last_seen_s)
    exponents = np.minimum(np.array(ages, np.float32) * np.array(rates, np.float32), 0)
    result: list[float] = np.exp(exponents).tolist()
    return result


def _logarithms(rows: Sequence[_Rows]) -> list[float]:
    """Return ln(1 + n) for each person's destinations, ads shown and different ads shown."""
    counts: list[float] = []
    for person in rows:
        counts += (len(person.countries), sum(person.counts), len(person.counts))
    result: list[float] = np.log1p(np.array(counts, np.float64)).tolist()
    return result


def _continent_sums(person: _Rows, shares: Sequence[float]) -> list[float]:
    sums = [0.0] * _CONTINENTS
    for country, share in zip(person.countries, shares, strict=True):
        sums[_continent(country)] += share
    return sums


@lru_cache(maxsize=1024)
def _continent(country: bytes) -> int:
    return int(continent_of(country.decode("latin-1")))


def _dimensions(codes: Sequence[int], outside_names: tuple[str, ...]) -> list[int]:
    if not outside_names:
        return [_DIMENSION_OF_CODE[code] for code in codes]
    return [
        _DIMENSION_OF_CODE[code] if code < OUTSIDE_CODE else dimension_of(segment_name(code, outside_names))
        for code in codes
    ]
