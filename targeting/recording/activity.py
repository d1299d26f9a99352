"""From an activity to the profile that has learnt of it: decay, evidence, bounds.

What ``apply`` gives is exactly what the store gives back: scores in steps of 1/65,535, weights as float32. To within
that rounding activities of one instant may come in any order, and call destinations and exposures in any order at
all. Where a bound drops something, the order may decide what. Whether an activity may be recorded is asked elsewhere
(``targeting.recording.admission``).
"""

from enum import IntEnum
from typing import NamedTuple

from targeting.policy.policy import HalfLifePolicy
from targeting.recording.counters import count_call, count_exposure
from targeting.recording.decay import Moment
from targeting.recording.interests import InterestGain, InterestRows
from targeting.records.profile import NOTHING_KNOWN, RawProfile, SegmentKind


class ActivityKind(IntEnum):
    """What a person did; the numbers are those of ``adtargeting.v1.ActivityKind``."""

    PAGE_VIEW = 1
    CONTENT = 2
    CALL = 3
    PURCHASE = 4
    AD_IMPRESSION = 5
    AD_CLICK = 6
    EXTERNAL_SEGMENT = 7


INTEREST_GAINS = {
    ActivityKind.PAGE_VIEW: InterestGain(SegmentKind.CONTENT, 0.1),
    ActivityKind.CONTENT: InterestGain(SegmentKind.CONTENT, 0.2),
    ActivityKind.PURCHASE: InterestGain(SegmentKind.PURCHASE, 0.5),
    ActivityKind.EXTERNAL_SEGMENT: InterestGain(SegmentKind.EXTERNAL, 0.3),
}
"""Reading on is worth more than a glance, and a purchase most."""


class Activity(NamedTuple):
    """One activity: parsed, bounded, and free of anything that identifies. Only what its kind uses is looked at."""

    kind: ActivityKind
    occurred_s: int
    segment_ids: tuple[str, ...] = ()
    destination_country: str = ""
    ad_id: str = ""

    def __repr__(self) -> str:
        """Name the kind alone: what was done is the person's."""
        return f"Activity({self.kind.name})"


def apply(profile: RawProfile | None, activity: Activity, half_life: HalfLifePolicy, now_s: int) -> RawProfile:
    """Give the profile after the activity; None is a person of whom nothing was known. Times are Unix seconds.

    A time in the future counts as now.
    """
    at_s = min(activity.occurred_s, now_s)
    held = NOTHING_KNOWN._replace(created_s=at_s) if profile is None else profile
    interests = InterestRows(held.interest_rows, held.outside_names)
    destinations, exposures = held.destination_rows, (held.exposure_rows, held.ad_ids)
    if activity.kind in INTEREST_GAINS:
        moment = Moment(at_s, now_s, half_life)
        interests = interests.strengthened(activity.segment_ids, INTEREST_GAINS[activity.kind], moment)
    elif activity.kind is ActivityKind.CALL:
        destinations = count_call(destinations, activity.destination_country, Moment(at_s, now_s, half_life))
    else:
        clicks = int(activity.kind is ActivityKind.AD_CLICK)
        exposures = count_exposure(*exposures, activity.ad_id.encode(), (1 - clicks, clicks, at_s))
    return RawProfile(
        gender=held.gender,
        occupation=held.occupation,
        postal_code=held.postal_code,
        country=held.country,
        language=held.language,
        interest_rows=interests.rows,
        destination_rows=destinations,
        exposure_rows=exposures[0],
        outside_names=interests.outside_names,
        ad_ids=exposures[1],
        version=held.version + 1,
        created_s=min(held.created_s, at_s),
        updated_s=max(held.updated_s, at_s),
    )
