"""Exponential decay, with a half-life per kind of segment."""

from typing import NamedTuple

from targeting.policy.policy import HalfLifePolicy
from targeting.records.profile import SegmentKind

_DAY_S = 86_400.0


class Moment(NamedTuple):
    """When an activity happened and the current time (Unix seconds), and the half-lives."""

    at_s: int
    now_s: int
    half_life: HalfLifePolicy

    def days(self, kind: int) -> float:
        """Return the half-life of a kind of segment, in days."""
        if kind == SegmentKind.CONTENT:
            return self.half_life.content
        return self.half_life.purchase if kind == SegmentKind.PURCHASE else self.half_life.external


def decayed(age_s: float, half_life_days: float) -> float:
    """Return what is left of 1 after this time; an age below zero leaves 1. Example: 0.5 after one half-life."""
    return 2.0 ** (age_s / (half_life_days * -_DAY_S)) if age_s > 0 else 1.0
