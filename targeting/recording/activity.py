"""Adds an activity to a profile: decay, gains, bounds.

``apply`` returns exactly what the store will return: scores in steps of 1/65,535, weights as float32. Within that
rounding, activities of one instant may come in any order, and call destinations and exposures in any order at all.
Where a bound drops an entry, the order may decide which. ``targeting.recording.admission`` decides whether an activity
may be recorded.
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
"""Content read counts more than a page view, and a purchase most."""


class Activity(NamedTuple):
    """One activity: parsed, bounded, and free of identifying texts. Only the fields of its kind are used."""

    kind: ActivityKind
    occurred_s: int
    segment_ids: tuple[str, ...] = ()
    destination_country: str = ""
    ad_id: str = ""

    def __repr__(self) -> str:
        """Show the kind only."""
        return f"Activity({self.kind.name})"


def apply(profile: RawProfile | None, activity: Activity, half_life: HalfLifePolicy, now_s: int) -> RawProfile:
    """Return the profile after the activity; None stands for a person without a profile. Times are Unix seconds.

    A time in the future counts as now.
    """
    at_s = min(activity.occurred_s, now_s)
    before = NOTHING_KNOWN._replace(created_s=at_s) if profile is None else profile
    interests = InterestRows(before.interest_rows, before.outside_names)
    destinations, exposures = before.destination_rows, (before.exposure_rows, before.ad_ids)
    if activity.kind in INTEREST_GAINS:
        moment = Moment(at_s, now_s, half_life)
        interests = interests.strengthened(activity.segment_ids, INTEREST_GAINS[activity.kind], moment)
    elif activity.kind is ActivityKind.CALL:
        destinations = count_call(destinations, activity.destination_country, Moment(at_s, now_s, half_life))
    else:
        clicks = int(activity.kind is ActivityKind.AD_CLICK)
        exposures = count_exposure(*exposures, activity.ad_id.encode(), (1 - clicks, clicks, at_s))
    return RawProfile(
        gender=before.gender,
        occupation=before.occupation,
        postal_code=before.postal_code,
        country=before.country,
        language=before.language,
        interest_rows=interests.rows,
        destination_rows=destinations,
        exposure_rows=exposures[0],
        outside_names=interests.outside_names,
        ad_ids=exposures[1],
        version=before.version + 1,
        created_s=min(before.created_s, at_s),
        updated_s=max(before.updated_s, at_s),
    )
