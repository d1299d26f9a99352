"""The smallest changes that would lift a limit: every set of changes that does, and of which no part does.

A signal can only limit, so more changes never bring a limit back. Hence no smallest set holds another, and a further
one lacks a change of each that is known: the search leaves out changes of the known sets, one after another (Reiter,
"A Theory of Diagnosis from First Principles", 1987). Its cost grows with the number of ways, not with the number of
changes. It is exact for the changes that it is given, or says that it ended early.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Generic, NamedTuple, TypeVar

from targeting.decision import Rulebook
from targeting.inspection.changes import Change, after, possible_changes
from targeting.inspection.situation import Situation

MAX_WAYS: Final = 24
"""More smallest sets are not looked for: no reader would compare them."""

MAX_STEPS: Final = 2048
"""Sets of left-out items that are looked at."""

T = TypeVar("T")


class MinimalSets(NamedTuple, Generic[T]):
    """Minimal sets, the smallest first. ``is_complete``: there are no others."""

    sets: Sequence[tuple[T, ...]]
    is_complete: bool


def smallest_changes(situation: Situation, rulebook: Rulebook, now_s: float) -> MinimalSets[Change]:
    """Return the smallest sets of changes after which the decision is behavioural; none: no set of them lifts it.

    One empty set: nothing limits.
    """

    def lifts(changes: tuple[Change, ...]) -> bool:
        return after(situation, changes).is_behavioural(rulebook, now_s)

    return minimal_sets(possible_changes(situation, rulebook, now_s), lifts)


def minimal_sets(items: Sequence[T], holds: Callable[[tuple[T, ...]], bool]) -> MinimalSets[T]:
    """Return the minimal sets of items for which ``holds`` is true; more items never make it false.

    Items keep their order. At most ``MAX_WAYS`` sets are found, in at most ``MAX_STEPS`` steps.
    """

    def taken(places: Iterable[int]) -> tuple[T, ...]:
        return tuple(items[place] for place in sorted(places))

    found, is_complete = _search(len(items), lambda places: holds(taken(places)))
    return MinimalSets([taken(each) for each in sorted(found, key=lambda each: (len(each), sorted(each)))], is_complete)


def _search(count: int, holds: Callable[[frozenset[int]], bool]) -> tuple[list[frozenset[int]], bool]:
    """Return the minimal sets of places, and whether these are all."""
    every = frozenset(range(count))
    found: list[frozenset[int]] = []
    waiting, seen = deque([frozenset[int]()]), {frozenset[int]()}
    for _ in range(MAX_STEPS):
        if not waiting:
            return found, True
        left_out = waiting.popleft()
        known = next((each for each in found if not each & left_out), None)
        if known is None:
            if not holds(every - left_out):
                continue
            if len(found) == MAX_WAYS:
                return found, False
            known = _shrunk(every - left_out, holds)
            found.append(known)
        further = {left_out | {place} for place in known} - seen
        seen |= further
        waiting.extend(further)
    return found, False


def _shrunk(places: frozenset[int], holds: Callable[[frozenset[int]], bool]) -> frozenset[int]:
    """Return a minimal set within ``places``, which hold."""
    for place in sorted(places):
        if holds(places - {place}):
            places -= {place}
    return places
