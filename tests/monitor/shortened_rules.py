"""The alert rules with all their times divided by 60, so that a run of minutes shows what takes hours."""

import re
from typing import Final

FACTOR: Final = 60
_TIMES = re.compile(r"\[[^\]]+\]|\b(?:for|interval): \w+")
_DURATION = re.compile(r"\b(\d+)(s|m|h|d)\b")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def shorten(rules: str) -> str:
    """Return rules whose windows, steps, intervals and ``for`` are shorter: ``[5m]`` becomes ``[5000ms]``."""
    return _TIMES.sub(lambda times: _DURATION.sub(_shorter, times[0]), rules)


def _shorter(duration: re.Match[str]) -> str:
    return f"{int(duration[1]) * _SECONDS[duration[2]] * 1_000 // FACTOR}ms"
