"""A random share of all requests, at the cost of one subtraction a request."""

import math
import random
from collections.abc import Callable
from typing import Final

_CHANCE: Final = random.Random()  # noqa: S311  # a sample needs no secret; its own, so that no one else's sequence moves


class EveryNth:
    """Takes one request in ``one_in``, each with the same chance and independently. Used on one thread."""

    def __init__(self, one_in: int, chance: Callable[[], float] = _CHANCE.random) -> None:
        """``chance`` returns a number in [0, 1), as ``random.random`` does."""
        self._chance = chance
        self._log_skip = math.log1p(-1 / one_in) if one_in > 1 else 0.0
        self._left = self._gap()

    def takes(self) -> bool:
        """Whether the next request is one of the sample."""
        self._left -= 1
        if self._left > 0:
            return False
        self._left = self._gap()
        return True

    def _gap(self) -> int:
        """Return how many requests there are up to the next one that is taken, by a geometric distribution."""
        if not self._log_skip:
            return 1
        return 1 + int(math.log(1 - self._chance()) / self._log_skip)
