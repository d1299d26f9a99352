"""How evidence fades: exponentially, with a half-life a kind of evidence."""

from typing import NamedTuple

from targeting.policy.policy import HalfLifePolicy
from targeting.records.profile import SegmentKind

_DAY_S = 86_400.0


class Moment(NamedTuple):
    """When something happened and what time it is (Unix seconds), and how fast evidence fades."""

    at_s: int
    now_s: int
    half_life: HalfLifePolicy

    def days(self, kind: int) -> float:
        """Give the half-life of a kind of segment, in days."""
        if kind == SegmentKind.CONTENT:
            return self.half_life.content
        return self.half_life.purchase if kind == SegmentKind.PURCHASE else self.half_life.external


def faded(age_s: float, half_life_days: float) -> float:
    """Give what is left of 1 after this time; of what lies in the future everything."""
    return 2.0 ** (age_s / (half_life_days * -_DAY_S)) if age_s > 0 else 1.0
