"""How long the place of a worker that ended waits for the next one: arithmetic, without a clock or a process."""

from typing import Final

FIRST_S: Final = 0.5
LONGEST_S: Final = 30.0
LASTING_S: Final = 60.0
"""After a worker that ran for this long the pauses begin again."""


class RestartPauses:
    """The pauses of one place: none at first, then from ``first_s`` on, doubled each time up to ``LONGEST_S``."""

    def __init__(self, first_s: float = FIRST_S) -> None:
        self._first_s = first_s
        self._next_s = 0.0

    def after(self, ran_s: float) -> float:
        """Return the pause (s) after a worker that ran for ``ran_s``."""
        pause_s = 0.0 if ran_s >= LASTING_S else self._next_s
        self._next_s = min(max(2 * pause_s, self._first_s), LONGEST_S)
        return pause_s
