"""The features of behavioural mode, a whole batch of people at once.

Nothing here runs without a ``Grant``, which only ``targeting.judge`` mints. A person's features depend on that
person's records alone, whoever else is in the batch.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from targeting.age import bracket_at, bracket_of, person_day
from targeting.features.encode import VectorInputs, encode, to_wire
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

Floats = NDArray[np.float32]
_DAY_S = 86_400.0
_TINY = float(np.finfo(np.float32).tiny)


def _continents() -> NDArray[np.uint8]:
    table = np.zeros(1 << 16, np.uint8)
    for country in COUNTRIES:
        table[int.from_bytes(country.encode("ascii"), "little")] = continent_of(country)
    return table


# Two ASCII characters of a country, packed as they are stored → continent.
_CONTINENT_OF_PACKED = _continents()


class PersonData(NamedTuple):
    """What is known of one person: the profile, the birth day of the preference record, the NAP cookie."""

    profile: RawProfile
    birth_day: int | None = None
    nap: Nap | None = None


class Demographics(NamedTuple):
    """What the person declared."""

    age_bracket: AgeBracket
    gender: Gender
    occupation: str
    postal_prefix: str


class Interests(NamedTuple):
    """Segments, the strongest first: codes and scores (0..1) of the same length."""

    codes: NDArray[np.uint16]
    scores: Floats
    outside_names: tuple[str, ...] = ()

    def named(self) -> list[tuple[str, float]]:
        """Give segment ids with their scores."""
        names = (segment_name(code, self.outside_names) for code in self.codes.tolist())
        return list(zip(names, self.scores.tolist(), strict=True))


class Destinations(NamedTuple):
    """Countries (two ASCII characters, packed) and their shares (0..1), the largest first."""

    countries: NDArray[np.uint16]
    shares: Floats

    def named(self) -> list[tuple[str, float]]:
        """Give ISO 3166-1 alpha-2 codes with their shares."""
        names = (packed.to_bytes(2, "little").decode("ascii") for packed in self.countries.tolist())
        return list(zip(names, self.shares.tolist(), strict=True))


class Column(NamedTuple):
    """The ranked entries of a whole batch: person i's are ``[bounds[i]:bounds[i + 1]]``, the largest first."""

    what: NDArray[np.uint16]
    value: Floats
    bounds: list[int]


class Exposures(NamedTuple):
    """The ads that a whole batch has seen, the latest first: person i's are ``[bounds[i]:bounds[i + 1]]``.

    Ids are UTF-8; ages are seconds since the ad was last seen.
    """

    ad_ids: list[bytes]
    counts: list[int]
    ages: list[int]
    bounds: list[int]


class Features(NamedTuple):
    """The features of a batch of people as columns, each in the order of the people.

    ``vectors`` are float32, little-endian (``targeting.features.schema``).
    """

    demographics: list[Demographics]
    interests: Column
    outside_names: list[tuple[str, ...]]
    destinations: Column
    exposures: Exposures
    vectors: list[bytes]


class Behavioural:
    """All features of one person: a view of the batch that they were worked out in."""

    __slots__ = ("batch", "index")

    def __init__(self, batch: Features, index: int) -> None:
        self.batch = batch
        self.index = index

    def __repr__(self) -> str:
        """Show nothing of the person."""
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
        """Where the person calls."""
        countries, shares, bounds = self.batch.destinations
        start, end = bounds[self.index], bounds[self.index + 1]
        return Destinations(countries[start:end], shares[start:end])

    @property
    def exposures(self) -> list[tuple[bytes, int, int]]:
        """Which ads were seen: id, how often, how long ago (s)."""
        ad_ids, counts, ages, bounds = self.batch.exposures
        shown = slice(bounds[self.index], bounds[self.index + 1])
        return list(zip(ad_ids[shown], counts[shown], ages[shown], strict=True))

    @property
    def vector(self) -> bytes:
        """The same as one dense vector."""
        return self.batch.vectors[self.index]


class _Entries(NamedTuple):
    """Entries of a whole batch: whose they are, what, how much; the people in order."""

    owner: NDArray[np.intp]
    what: NDArray[np.uint16]
    value: Floats


def behavioural_features(_: Grant, people: Sequence[PersonData], policy: Policy, now_s: float) -> list[Behavioural]:
    """Give each person's features at a time (Unix seconds)."""
    now, today, shown = int(now_s), person_day(now_s), policy.features
    demographics = [_demographics(known, shown.postal_prefix_characters, today) for known in people]
    interests = _interests(people, policy.half_life_days, now)
    destinations = _destinations(people, policy.half_life_days, now)
    vectors = to_wire(encode(_vector_inputs(people, demographics, (interests, destinations), now)))
    batch = Features(
        demographics,
        _ranked(interests, len(people), shown.max_interests, shown.min_interest_score),
        [known.profile.outside_names for known in people],
        _ranked(destinations, len(people), shown.max_call_destinations, 0.0),
        _exposures(people, shown.max_exposures, now),
        vectors,
    )
    return [Behavioural(batch, index) for index in range(len(people))]


def _demographics(known: PersonData, postal_prefix_characters: int, today: int) -> Demographics:
    # The records come first; the NAP cookie fills what they leave open.
    profile, birth_day, nap = known
    age = AgeBracket.UNKNOWN if birth_day is None else bracket_at(birth_day, today)
    gender, occupation, postal_code = GENDERS[profile.gender], profile.occupation, profile.postal_code
    if nap is not None:
        age = age or (AgeBracket.UNKNOWN if nap.age is None else bracket_of(nap.age))
        gender = gender or nap.gender
        occupation = occupation or nap.occupation
        postal_code = postal_code or nap.postal_code
    return Demographics(
        age_bracket=age, gender=gender, occupation=occupation, postal_prefix=postal_code[:postal_prefix_characters]
    )


GENDERS = tuple(Gender)


def _interests(people: Sequence[PersonData], half_life: HalfLifePolicy, now: int) -> _Entries:
    rows, owner = _rows([known.profile.interest_rows for known in people], INTEREST_ROW)
    score = rows["score"] * _decay(rows["updated_s"], now, _rates(half_life).take(rows["kind"]))
    score *= np.float32(1 / SCORE_STEPS)
    return _Entries(owner, rows["code"], score)


def _destinations(people: Sequence[PersonData], half_life: HalfLifePolicy, now: int) -> _Entries:
    rows, owner = _rows([known.profile.destination_rows for known in people], DESTINATION_ROW)
    weight = rows["weight"] * _decay(rows["updated_s"], now, _rates(half_life)[0])
    total = np.bincount(owner, weight, len(people))
    # Calls of long ago decay to nothing; their shares still add up to one.
    share = (weight / np.maximum(total, _TINY).take(owner)).astype(np.float32)
    return _Entries(owner, rows["country"], share)


def _rows(parts: list[bytes], row: np.dtype[np.void]) -> tuple[NDArray[np.void], NDArray[np.intp]]:
    """Read the rows of everybody in one go, and whose each is."""
    counts = [len(part) // row.itemsize for part in parts]
    return np.frombuffer(b"".join(parts), row), np.arange(len(parts)).repeat(counts)


@lru_cache(maxsize=16)
def _rates(half_life: HalfLifePolicy) -> Floats:
    """Give the exponent of decay for each second: of destinations, then of each kind of segment."""
    days = (half_life.destination, half_life.content, half_life.purchase, half_life.external)
    return np.array([-1 / (each * _DAY_S) for each in days], np.float32)


def _decay(updated_s: NDArray[np.uint32], now: int, rate: Floats | np.float32) -> Floats:
    # Evidence from a clock that runs ahead counts as new, not as more than new.
    age_s = np.maximum(now - updated_s.astype(np.int64), 0).astype(np.float32)
    decay: Floats = np.exp2(age_s * rate)
    return decay


def _ranked(entries: _Entries, people: int, limit: int, least: float) -> Column:
    """Rank each person's entries, and keep the first ``limit`` that are at least ``least``, and anything at all."""
    owner, what, value = entries
    # One stable sort for the batch: people in order, each one's entries from the largest down. The bits of floats
    # that are not negative are in the order of the floats, so one integer holds owner and value, exactly.
    order = ((owner << 32) - value.view(np.uint32)).argsort(kind="stable")
    what, value, counts = what.take(order), value.take(order), np.bincount(owner, minlength=people)
    least = max(least, _TINY)
    # Most people have few entries, all of them fresh: then nothing is left out.
    if counts.max(initial=0) > limit or value.min(initial=1) < least:
        rank = np.arange(len(owner)) - (counts.cumsum() - counts).repeat(counts)
        kept = (rank < limit) & (value >= least)
        what, value, counts = what[kept], value[kept], np.bincount(owner[kept], minlength=people)
    return Column(what, value, [0, *counts.cumsum().tolist()])


def _exposures(people: Sequence[PersonData], limit: int, now: int) -> Exposures:
    # Stored newest first.
    ad_ids: list[bytes] = []
    bounds = [0]
    for known in people:
        ad_ids += known.profile.ad_ids[:limit]
        bounds.append(len(ad_ids))
    shown = limit * EXPOSURE_ROW.itemsize
    rows = np.frombuffer(b"".join([known.profile.exposure_rows[:shown] for known in people]), EXPOSURE_ROW)
    ages = np.maximum(now - rows["last_seen_s"].astype(np.int64), 0)
    return Exposures(ad_ids, rows["count"].tolist(), ages.tolist(), bounds)


def _vector_inputs(
    people: Sequence[PersonData], demographics: list[Demographics], entries: tuple[_Entries, _Entries], now: int
) -> VectorInputs:
    interests, destinations = entries
    exposures, exposure_owner = _rows([known.profile.exposure_rows for known in people], EXPOSURE_ROW)
    return VectorInputs(
        age_bracket=np.frombuffer(bytes([each.age_bracket for each in demographics]), np.uint8),
        gender=np.frombuffer(bytes([each.gender for each in demographics]), np.uint8),
        occupation_known=np.array([each.occupation != "" for each in demographics]),
        profile_age_s=np.array([now - known.profile.updated_s for known in people], np.float32),
        interest_owner=interests.owner,
        interest_dimension=_dimensions(people, interests),
        interest_score=interests.value,
        destination_owner=destinations.owner,
        destination_continent=_CONTINENT_OF_PACKED.take(destinations.what),
        destination_share=destinations.value,
        exposure_owner=exposure_owner,
        exposure_count=exposures["count"],
        exposure_age_s=(now - exposures["last_seen_s"].astype(np.int64)).astype(np.float32),
    )


def _dimensions(people: Sequence[PersonData], interests: _Entries) -> NDArray[np.uint8]:
    outside = interests.what >= OUTSIDE_CODE
    if not outside.any():
        return DIMENSION_OF_CODE.take(interests.what)
    dimensions = DIMENSION_OF_CODE.take(np.where(outside, 0, interests.what))
    for index in np.flatnonzero(outside).tolist():
        names = people[interests.owner[index]].profile.outside_names
        dimensions[index] = dimension_of(segment_name(int(interests.what[index]), names))
    return dimensions
