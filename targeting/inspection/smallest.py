"""The smallest changes that would lift a limit: every set of changes that does, and of which no part does.

A signal can only limit, so most changes are needed whatever else changes, or never: with all changes but one made, the
limit stands exactly if that one is needed. Only where there is a choice, as between consent and a request out of the
GDPR's scope, the rest is searched. The result is exact for the changes that it is given.
"""

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Final, TypeVar

from targeting.decision import Rulebook
from targeting.inspection.changes import Change, after, possible_changes
from targeting.inspection.situation import Situation

MAX_OPTIONAL: Final = 12
"""More changes that are not needed in any case are not combined."""

T = TypeVar("T")


def smallest_changes(situation: Situation, rulebook: Rulebook, now_s: float) -> list[tuple[Change, ...]]:
    """Return every smallest set of changes after which the decision is behavioural; none: no set of them lifts it.

    One empty set: nothing limits.
    """

    def lifts(changes: tuple[Change, ...]) -> bool:
        return after(situation, changes).is_behavioural(rulebook, now_s)

    return minimal_sets(possible_changes(situation, rulebook, now_s), lifts)


def minimal_sets(items: Sequence[T], holds: Callable[[tuple[T, ...]], bool]) -> list[tuple[T, ...]]:
    """Return every minimal set of items for which ``holds`` is true; more items never make it false.

    Items keep their order. At most 2 ** ``MAX_OPTIONAL`` sets are tried.
    """
    if not holds(tuple(items)):
        return []
    places = range(len(items))
    needed = {place for place in places if not holds(tuple(items[each] for each in places if each != place))}
    optional = [place for place in places if place not in needed][:MAX_OPTIONAL]
    found: list[set[int]] = []
    for size in range(len(optional) + 1):
        for chosen in combinations(optional, size):
            if any(each <= needed.union(chosen) for each in found):
                continue
            if holds(tuple(items[place] for place in sorted(needed.union(chosen)))):
                found.append(needed.union(chosen))
    return [tuple(items[place] for place in sorted(each)) for each in found]
