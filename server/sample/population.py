"""Draws the sample population: the same people for the same seed, whatever the size.

One in five has opted out, in one of eleven ways; two in a hundred are children; one in twelve has no profile. Knows
nothing about how a decision is made.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple, TypeVar

import numpy as np

from server.sample.habits import Habits, draw_habits
from server.sample.person import OptOutWay, Person, Stored
from server.sample.places import OCCUPATIONS, PLACES, Place
from targeting.model import Gender

T = TypeVar("T")

GROUP: Final = 1000
"""Number of people drawn together."""

OPTED_OUT: Final = 0.20
CHILDREN: Final = 0.02
_NOT_PROFILED: Final = 0.08
_DEVICE_ONLY: Final = 0.15
_YEAR_DAYS: Final = 365.25
_DAY_S: Final = 86_400
# At least half a year from the thirteenth birthday, so that a sample stays valid for half a year.
_CHILD_YEARS: Final = (6.0, 12.5)
_ADULT_YEARS: Final = (13.5, 88.0)
_GENDERS: Final = (*[Gender.FEMALE] * 9, *[Gender.MALE] * 9, Gender.OTHER, Gender.UNKNOWN)
_JOBS: Final = (*OCCUPATIONS, "", "", "", "")
_WAYS: Final = tuple(OptOutWay)
_NEED_ACCOUNT: Final = frozenset({OptOutWay.ACCOUNT_PAGE, OptOutWay.LINKED_ACCOUNT})


class _Drawn(NamedTuple):
    """The numbers drawn for one person; floats are 0 to 1."""

    place: int
    device_only: float
    muid: float
    tongue: float
    network: float
    host: int
    out: float
    way: float
    child: float
    age: float
    age_told: float
    stored: float
    gender: float
    occupation: float
    postal: float
    locale: float
    asks: float


def population(seed: int, people: int, now_s: int) -> Iterator[Person]:
    """Yield the first ``people`` of a seed's population, as of a time (Unix seconds)."""
    for group in range((people + GROUP - 1) // GROUP):
        yield from _group(seed, group, min(GROUP, people - group * GROUP), now_s)


def _group(seed: int, group: int, wanted: int, now_s: int) -> Iterator[Person]:
    random = np.random.default_rng((seed, group))
    shares = np.array([place.share for place in PLACES])
    columns = {name: random.random(GROUP).tolist() for name in _Drawn._fields}
    columns["place"] = random.choice(len(PLACES), GROUP, p=shares / shares.sum()).tolist()
    columns["host"] = random.integers(256, 65_000, GROUP).tolist()
    habits = draw_habits(random, GROUP, now_s)
    drawn = map(_Drawn, *columns.values())
    for index, each in zip(range(wanted), drawn, strict=False):
        yield _person((seed, group * GROUP + index + 1), each, next(habits), now_s // _DAY_S)


def _person(name: tuple[int, int], drawn: _Drawn, habits: Habits, today: int) -> Person:
    seed, number = name
    place, opt_out_way = PLACES[drawn.place], _opt_out_way(drawn)
    is_child = drawn.child < CHILDREN
    device_only = drawn.device_only < _DEVICE_ONLY and opt_out_way not in _NEED_ACCOUNT
    return Person(
        number=number,
        account_id="" if device_only else f"sample-{seed}-{number}",
        device_id=f"{seed & 0xFFFFFFFF:08x}{0:08x}{number:016x}",
        sends_muid=drawn.muid < 0.5,
        place=place,
        language=_pick(place.languages, drawn.tongue),
        ip=f"{_pick(place.networks, drawn.network)}.{drawn.host >> 8}.{drawn.host & 0xFF}",
        birth_day=_birth_day(drawn, today, is_child=is_child),
        is_child=is_child,
        gender=_pick(_GENDERS, drawn.gender),
        occupation="" if is_child else _pick(_JOBS, drawn.occupation),
        postal_code=_postal_code(place, drawn.postal),
        opt_out_way=opt_out_way,
        stored=Stored.PROFILE if is_child or opt_out_way else _stored(drawn.stored),
        habits=habits,
        stored_locale=drawn.locale < 0.3,
        asks_networks=drawn.asks < 0.25,
    )


def _pick(choices: tuple[T, ...], drawn: float) -> T:
    return choices[int(drawn * len(choices))]


def _opt_out_way(drawn: _Drawn) -> OptOutWay | None:
    return _WAYS[int(drawn.way * len(_WAYS))] if drawn.out < OPTED_OUT else None


def _birth_day(drawn: _Drawn, today: int, *, is_child: bool) -> int | None:
    if not is_child and drawn.age_told < 0.2:
        return None
    youngest, oldest = _CHILD_YEARS if is_child else _ADULT_YEARS
    # Squared, so that young people are more frequent than old ones.
    return today - round((youngest + (oldest - youngest) * drawn.age**2) * _YEAR_DAYS)


def _postal_code(place: Place, drawn: float) -> str:
    return place.postal_codes.format(int(drawn * place.postal_numbers)) if drawn < 0.8 else ""


def _stored(drawn: float) -> Stored:
    if drawn >= _NOT_PROFILED:
        return Stored.PROFILE
    return Stored.NOTHING if drawn < _NOT_PROFILED * 0.6 else Stored.PREFERENCE
