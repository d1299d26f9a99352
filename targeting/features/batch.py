"""The features of a batch of people as columns, and the view of one person.

Rows of all people stand one after the other; person i's are ``[bounds[i]:bounds[i + 1]]``. This module knows no record
and no policy.
"""

from array import array
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from targeting.model import AgeBracket, Gender
from targeting.records.profile import segment_name

Floats = NDArray[np.float32]
FloatColumn: TypeAlias = "Floats | array[float]"
KeyColumn: TypeAlias = "NDArray[np.uint16] | array[int]"
"""Columns of float32 and of 16 bits: numpy's for many people, the standard library's for a few."""


class Demographics(NamedTuple):
    """What the person declared."""

    age_bracket: AgeBracket
    gender: Gender
    occupation: str
    postal_prefix: str


class Interests(NamedTuple):
    """Segments, the strongest first: codes and scores (0..1) of the same length."""

    codes: KeyColumn
    scores: FloatColumn
    outside_names: tuple[str, ...] = ()

    def named(self) -> list[tuple[str, float]]:
        """Return segment ids with their scores."""
        names = (segment_name(code, self.outside_names) for code in self.codes.tolist())
        return list(zip(names, self.scores.tolist(), strict=True))


class Destinations(NamedTuple):
    """Countries (two ASCII characters, packed) and their shares (0..1), the largest first."""

    countries: KeyColumn
    shares: FloatColumn

    def named(self) -> list[tuple[str, float]]:
        """Return ISO 3166-1 alpha-2 codes with their shares."""
        names = (packed.to_bytes(2, "little").decode("ascii") for packed in self.countries.tolist())
        return list(zip(names, self.shares.tolist(), strict=True))


class RankedColumn(NamedTuple):
    """Keys and values of a batch, each person's from the largest value down."""

    keys: KeyColumn
    values: FloatColumn
    bounds: list[int]


class Exposures(NamedTuple):
    """The ads that the people of a batch have seen, each person's from the latest back.

    Ids are UTF-8; ages are seconds since the ad was last seen.
    """

    ad_ids: list[bytes]
    counts: list[int]
    ages: list[int]
    bounds: list[int]


class FeatureBatch(NamedTuple):
    """The features of a batch, each column in the order of the people.

    ``vectors`` are float32, little-endian (``targeting.features.schema``).
    """

    demographics: list[Demographics]
    interests: RankedColumn
    outside_names: list[tuple[str, ...]]
    destinations: RankedColumn
    exposures: Exposures
    vectors: list[bytes]


class Behavioural:
    """The features of one person: a view of the batch that they were computed in."""

    __slots__ = ("batch", "index")

    def __init__(self, batch: FeatureBatch, index: int) -> None:
        self.batch = batch
        self.index = index

    def __repr__(self) -> str:
        """Show nothing about the person."""
        return "Behavioural()"

    @property
    def demographics(self) -> Demographics:
        """What the person declared."""
        return self.batch.demographics[self.index]

    @property
    def interests(self) -> Interests:
        """The strongest segments."""
        codes, scores, bounds = self.batch.interests
        start, end = bounds[self.index], bounds[self.index + 1]
        return Interests(codes[start:end], scores[start:end], self.batch.outside_names[self.index])

    @property
    def destinations(self) -> Destinations:
        """The countries that the person calls."""
        countries, shares, bounds = self.batch.destinations
        start, end = bounds[self.index], bounds[self.index + 1]
        return Destinations(countries[start:end], shares[start:end])

    @property
    def exposures(self) -> list[tuple[bytes, int, int]]:
        """The ads seen: id, how often, how long ago (s)."""
        ad_ids, counts, ages, bounds = self.batch.exposures
        shown = slice(bounds[self.index], bounds[self.index + 1])
        return list(zip(ad_ids[shown], counts[shown], ages[shown], strict=True))

    @property
    def vector(self) -> bytes:
        """The features as one dense vector."""
        return self.batch.vectors[self.index]
