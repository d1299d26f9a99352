"""Encode people as dense feature vectors, a whole batch at once (schema: ``targeting.features.schema``).

Invariant: a person's row depends on that person's inputs alone, bit for bit, whatever else is in the batch.
Behavioural only: no code of LIMITED mode may import this. Knows no ids, clock or policy; scores arrive decayed.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from targeting.features.schema import AGE_BRACKETS, DIMENSIONS, GENDERS, INDEX_OF, span
from targeting.places.continents import Continent

_DAY_S: Final = 86_400.0
EXPOSURE_RATE: Final = -1 / _DAY_S
PROFILE_RATE: Final = -1 / (30 * _DAY_S)

# Little-endian on every machine, so that the memory of a row is its wire format.
_WIRE: Final = np.dtype("<f4")
_ROW_BYTES: Final = DIMENSIONS * _WIRE.itemsize

AGE: Final = span("age.")
GENDER: Final = span("gender.")
OCCUPATION: Final = INDEX_OF["occupation.known"]
DESTINATIONS: Final = INDEX_OF["calls.destinations"]
TOP_SHARE: Final = INDEX_OF["calls.top_share"]
CONTINENT_SHARES: Final = span("calls.share.")
EXPOSURES: Final = INDEX_OF["exposure.count"]
DISTINCT_ADS: Final = INDEX_OF["exposure.distinct_ads"]
EXPOSURE_RECENCY: Final = INDEX_OF["exposure.recency"]
PROFILE_RECENCY: Final = INDEX_OF["profile.recency"]

_AGE_NUMBERS: Final = np.arange(1, len(AGE_BRACKETS) + 1, dtype=np.uint8)
_GENDER_NUMBERS: Final = np.arange(1, len(GENDERS) + 1, dtype=np.uint8)


class VectorInputs(NamedTuple):
    """A batch of B people as columns; ``*_owner`` is the row, 0 … B-1, that an entry belongs to.

    Entries of one person need not be adjacent. Scores and shares are 0 … 1. Ages are in seconds; a negative age,
    from a clock that runs ahead, counts as zero.
    """

    age_bracket: NDArray[np.uint8]  # [B] 0 unknown, n = the n-th of AGE_BRACKETS
    gender: NDArray[np.uint8]  # [B] 0 unknown, n = the n-th of GENDERS
    occupation_known: NDArray[np.bool_]  # [B]
    profile_age_s: NDArray[np.float32]  # [B]
    interest_owner: NDArray[np.intp]  # [N]
    interest_dimension: NDArray[np.uint8]  # [N] from DIMENSION_OF_CODE or outside_dimension
    interest_score: NDArray[np.float32]  # [N] decayed
    destination_owner: NDArray[np.intp]  # [M]
    destination_continent: NDArray[np.uint8]  # [M] a Continent
    destination_share: NDArray[np.float32]  # [M]
    exposure_owner: NDArray[np.intp]  # [K] one entry an ad
    exposure_count: NDArray[np.uint16] | NDArray[np.uint32]  # [K]
    exposure_age_s: NDArray[np.float32]  # [K] since the ad was last shown


def encode(batch: VectorInputs) -> NDArray[np.float32]:
    """Return the vectors of a batch, float32 of shape (B, DIMENSIONS), little-endian in memory."""
    rows = np.zeros((len(batch.age_bracket), DIMENSIONS), _WIRE)
    rows[:, AGE] = batch.age_bracket[:, None] == _AGE_NUMBERS
    rows[:, GENDER] = batch.gender[:, None] == _GENDER_NUMBERS
    rows[:, OCCUPATION] = batch.occupation_known
    rows[:, PROFILE_RECENCY] = _recency(batch.profile_age_s, PROFILE_RATE)
    _raise_to(rows, batch.interest_owner, batch.interest_dimension, batch.interest_score)
    _encode_calls(rows, batch)
    _encode_exposures(rows, batch)
    return rows


def to_wire(rows: NDArray[np.float32]) -> list[bytes]:
    """Return each vector of ``encode`` as the bytes of ``BehaviouralFeatures.vector``."""
    data = rows.tobytes()
    return [data[start : start + _ROW_BYTES] for start in range(0, len(data), _ROW_BYTES)]


def _encode_calls(rows: NDArray[np.float32], batch: VectorInputs) -> None:
    owner, share, people = batch.destination_owner, batch.destination_share, len(rows)
    rows[:, DESTINATIONS] = np.log1p(np.bincount(owner, minlength=people))
    _raise_to(rows, owner, TOP_SHARE, share)
    cell = owner * len(Continent) + batch.destination_continent
    sums = np.bincount(cell, share, people * len(Continent)).reshape(people, len(Continent))
    rows[:, CONTINENT_SHARES] = np.minimum(sums, 1)


def _encode_exposures(rows: NDArray[np.float32], batch: VectorInputs) -> None:
    owner, people = batch.exposure_owner, len(rows)
    rows[:, EXPOSURES] = np.log1p(np.bincount(owner, batch.exposure_count, people))
    rows[:, DISTINCT_ADS] = np.log1p(np.bincount(owner, minlength=people))
    _raise_to(rows, owner, EXPOSURE_RECENCY, _recency(batch.exposure_age_s, EXPOSURE_RATE))


def _recency(age_s: NDArray[np.float32], rate: float) -> NDArray[np.float32]:
    exponent: NDArray[np.float32] = np.minimum(age_s * rate, 0)
    return np.exp(exponent)


def _raise_to(
    rows: NDArray[np.float32],
    owner: NDArray[np.intp],
    dimension: NDArray[np.uint8] | int,
    value: NDArray[np.float32],
) -> None:
    # A maximum, not a sum: it does not depend on order, and many weak segments do not look like a strong one.
    np.maximum.at(rows.reshape(-1), owner * DIMENSIONS + dimension, value)
