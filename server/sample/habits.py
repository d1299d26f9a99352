"""The habits of the sample population: packed rows of profiles, drawn for a whole group at once.

Interests follow Zipf's law over the named interests of the IAB Audience Taxonomy: few are common, most are rare.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from server.sample.places import CALLED
from targeting.features.taxonomy import named_interests
from targeting.records.profile import DESTINATION_ROW, EXPOSURE_ROW, INTEREST_ROW, SCORE_STEPS, SegmentKind

_DAY_S: Final = 86_400
_ZIPF_EXPONENT: Final = 1.05
_MAX_INTERESTS: Final = 32
_DESTINATIONS: Final = np.array([0, 0, 1, 1, 2, 3, 4, 6])
_MAX_EXPOSURES: Final = 12
_ADS: Final = tuple(b"ad-%04d" % number for number in range(1, 2001))
_KINDS: Final = np.array([SegmentKind.CONTENT] * 15 + [SegmentKind.PURCHASE] * 3 + [SegmentKind.EXTERNAL] * 2)
_CALLED: Final = np.frombuffer("".join(CALLED).encode("ascii"), "<u2")
# A fixed order of popularity, unrelated to the order of the codes.
_POPULAR_FIRST: Final = np.random.default_rng(0).permutation([segment.code for segment in named_interests()])


class Habits(NamedTuple):
    """The rows of one profile, in their stored form (``targeting.records.profile.RawProfile``)."""

    interest_rows: bytes
    destination_rows: bytes
    exposure_rows: bytes
    ad_ids: list[bytes]


class _Draws(NamedTuple):
    """Distinct things drawn for each person: ``drawn`` marks the cells (person, column) that contain one."""

    drawn: NDArray[np.bool_]
    ranks: NDArray[np.intp]
    """Rank of each thing, 0 the most common; person after person."""

    def ends(self) -> list[int]:
        """Return the end of each person's things."""
        return list(np.cumsum(self.drawn.sum(axis=1)).tolist())


def draw_habits(random: np.random.Generator, people: int, now_s: int) -> Iterator[Habits]:
    """Draw the habits of a group of people as they are at a time (Unix seconds)."""
    interests = _draw(random, len(_POPULAR_FIRST), random.integers(3, _MAX_INTERESTS + 1, people))
    destinations = _draw(random, len(CALLED), random.choice(_DESTINATIONS, people))
    exposures = _draw(random, len(_ADS), np.minimum(random.poisson(4, people), _MAX_EXPOSURES))
    ads = [_ADS[rank] for rank in exposures.ranks.tolist()]
    return map(
        Habits,
        _cut(_interest_rows(random, interests, now_s), interests.ends()),
        _cut(_destination_rows(random, destinations, now_s), destinations.ends()),
        _cut(_exposure_rows(random, exposures, now_s), exposures.ends()),
        (ads[start:end] for start, end in _bounds(exposures.ends())),
    )


def _draw(random: np.random.Generator, things: int, wanted: NDArray[np.int64]) -> _Draws:
    """Draw by Zipf's law: the r-th most common thing with a probability in proportion to 1 / r ** exponent.

    A thing drawn twice counts once, so a person may have fewer than wanted.
    """
    cumulative = np.cumsum(np.arange(1, things + 1) ** -_ZIPF_EXPONENT)
    shape = (len(wanted), int(wanted.max()))
    ranks = np.searchsorted(cumulative, random.random(shape) * cumulative[-1])
    ranks[np.arange(shape[1]) >= wanted[:, None]] = things
    ranks.sort(axis=1)
    drawn = (ranks < things) & (np.diff(ranks, axis=1, prepend=-1) > 0)
    return _Draws(drawn, ranks[drawn])


def _times(random: np.random.Generator, draws: _Draws, now_s: int, mean_days: float) -> NDArray[np.int64]:
    """Draw the time of the latest sighting of each thing, each person's latest first."""
    days = np.sort(np.minimum(random.exponential(mean_days, draws.drawn.shape), 300), axis=1)
    return now_s - 60 - (days[draws.drawn] * _DAY_S).astype(np.int64)


def _interest_rows(random: np.random.Generator, draws: _Draws, now_s: int) -> bytes:
    rows = np.zeros(len(draws.ranks), INTEREST_ROW)
    rows["code"] = _POPULAR_FIRST[draws.ranks]
    rows["updated_s"] = _times(random, draws, now_s, 9)
    rows["score"] = random.random(len(rows)) ** 0.7 * SCORE_STEPS
    rows["kind"] = random.choice(_KINDS, len(rows))
    return rows.tobytes()


def _destination_rows(random: np.random.Generator, draws: _Draws, now_s: int) -> bytes:
    rows = np.zeros(len(draws.ranks), DESTINATION_ROW)
    rows["country"] = _CALLED[draws.ranks]
    rows["weight"] = 1 + random.gamma(1.2, 8.0, len(rows))
    rows["updated_s"] = _times(random, draws, now_s, 30)
    return rows.tobytes()


def _exposure_rows(random: np.random.Generator, draws: _Draws, now_s: int) -> bytes:
    rows = np.zeros(len(draws.ranks), EXPOSURE_ROW)
    rows["count"] = random.geometric(0.4, len(rows))
    rows["clicks"] = random.binomial(rows["count"], 0.03)
    rows["last_seen_s"] = _times(random, draws, now_s, 5)
    return rows.tobytes()


def _cut(rows: bytes, ends: list[int]) -> Iterator[bytes]:
    """Split the rows of a group into those of each person."""
    size = len(rows) // ends[-1] if ends[-1] else 0
    return (rows[start * size : end * size] for start, end in _bounds(ends))


def _bounds(ends: list[int]) -> Iterator[tuple[int, int]]:
    return zip([0, *ends[:-1]], ends, strict=True)
