"""Attempts at a change that others may overtake: as many as the budget allows, with pauses that separate rivals."""

import random
import time
from collections.abc import Callable, Iterator
from typing import Final

from server.store.ports import RecordStore
from targeting.model import Subject
from targeting.records.stored_records import StoredRecords

_MAX_ATTEMPTS = 32
_FIRST_PAUSE_S = 0.0002
_LONGEST_PAUSE_S = 0.016
_DICE: Final = random.Random()  # noqa: S311  # a pause needs no secret; its own, so that no one else's sequence moves


def attempts(left_s: Callable[[], float]) -> Iterator[None]:
    """Yield once per attempt; when exhausted, the caller gives up.

    ``left_s`` returns how many seconds are left. Between attempts it pauses for a random time whose upper bound
    doubles, so that rivals do not keep step.
    """
    for number in range(_MAX_ATTEMPTS):
        yield
        longest_s = min(_FIRST_PAUSE_S * 2**number, _LONGEST_PAUSE_S, max(left_s(), 0.0))
        time.sleep(_DICE.uniform(0.0, longest_s))


def read_with_retry(store: RecordStore, subject: Subject, budget_s: float) -> Iterator[tuple[StoredRecords, float]]:
    """Yield a fresh reading of the subject's records per attempt, and how much of the budget is left (seconds).

    Raises ``StoreError``.
    """
    deadline_s = time.monotonic() + budget_s

    def left_s() -> float:
        return deadline_s - time.monotonic()

    for _ in attempts(left_s):
        stored = store.read([subject], left_s())[0]
        yield stored, left_s()
