"""What to work on next: single calls together, and one large call at a time, clients by turns.

A batch is worked off in portions, and so is one long request after the other; single calls go in between. Each turn of
the worker takes from both, so neither kind starves the other.
"""

from collections import deque

from server.decisions.jobs import Job
from server.gate.port import Call


class Agenda:
    """Calls that wait to be worked on. Knows their sizes, not their contents; drops those whose caller has gone."""

    def __init__(self) -> None:
        self._singles: deque[Call] = deque()
        self._large: dict[str, deque[Call | Job]] = {}

    def __bool__(self) -> bool:
        """Whether there is anything to do."""
        return bool(self._singles or self._large)

    @property
    def has_large(self) -> bool:
        """Whether there are large calls."""
        return bool(self._large)

    def add(self, waiting: deque[Call]) -> None:
        """Take over all calls that wait."""
        while waiting:
            call = waiting.popleft()
            if call.is_large:
                self._large.setdefault(call.client, deque()).append(call)
            else:
                self._singles.append(call)

    def next_single(self) -> Call | None:
        """Take the oldest single call."""
        while self._singles:
            call = self._singles.popleft()
            if not call.gone:
                return call
        return None

    def next_large(self) -> Call | Job | None:
        """Take the oldest large call, or the one that was begun, of the client whose turn it is."""
        while self._large:
            client, calls = next(iter(self._large.items()))
            # The client's next turn comes after those of all others.
            del self._large[client]
            large = calls.popleft()
            if calls:
                self._large[client] = calls
            if not (large if isinstance(large, Call) else large.call).gone:
                return large
        return None

    def resume(self, job: Job) -> None:
        """Put a large call back whose next portion has to wait for its client's turn."""
        self._large.setdefault(job.call.client, deque()).appendleft(job)
