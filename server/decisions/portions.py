"""How calls that wait are grouped: by size, so that none waits long for others, and by the time that each has left."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence

from server.decisions.fetcher import LEAST_BUDGET_S
from server.decisions.reading import ReadCall

MOST_TOGETHER = 128
"""Decisions of several calls that are made together. More make each hardly cheaper, and all wait for the last."""

HURRIED_S = 0.005
"""Calls with less time left are decided apart, so that they do not hurry the others."""


def portions(calls: Iterable[ReadCall]) -> Iterator[list[ReadCall]]:
    """Put calls together, up to ``MOST_TOGETHER`` requests; a call with more is a portion of its own."""
    portion: list[ReadCall] = []
    size = 0
    for call in calls:
        if portion and size + len(call.requests) > MOST_TOGETHER:
            yield portion
            portion, size = [], 0
        portion.append(call)
        size += len(call.requests)
    if portion:
        yield portion


def by_patience(
    portion: Sequence[ReadCall], budget_s: Callable[[ReadCall], float]
) -> Iterator[tuple[list[ReadCall], float]]:
    """Group calls by remaining budget: expired, under 5 ms, the rest. Yield each group with its least budget.

    ``budget_s`` says how many seconds a call has left. It is asked again before each group, because time passes while
    the one before is decided.
    """
    left = list(portion)
    while left:
        timed = [(budget_s(call), call) for call in left]
        least_s = min(remaining_s for remaining_s, _ in timed)
        limit_s = next(limit for limit in (LEAST_BUDGET_S, HURRIED_S, math.inf) if least_s < limit)
        yield [call for remaining_s, call in timed if remaining_s < limit_s], least_s
        left = [call for remaining_s, call in timed if remaining_s >= limit_s]
