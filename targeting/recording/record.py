"""Recording a subject's activities: the outcome of each, and the values to store.

Invariants: an activity counts once, however often it is sent; a profile is never written without its preference
record; an unreadable record is never overwritten. The values are valid only while the records are those that were
read: the store compares them (ADR 0010).
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

from targeting.policy.policy import HalfLifePolicy, Policy, RetentionPolicy
from targeting.reasons import NO_REASONS, Reason, Reasons
from targeting.recording.activity import Activity, apply
from targeting.records.deduplication import NOTHING_SEEN, activity_key, decode_seen, encode_seen
from targeting.records.envelope import RecordUnreadable
from targeting.records.preference import Preference, encode_preference
from targeting.records.profile import read_profile, write_profile
from targeting.records.stored_records import StoredRecords

_DAY_S = 86_400


class Outcome(IntEnum):
    """The outcome of an activity; the numbers are those of ``adtargeting.v1.Outcome``."""

    RECORDED = 1
    SUPPRESSED = 2
    DUPLICATE = 3
    REJECTED = 4


class Result(NamedTuple):
    """The outcome of one activity: the reasons of a suppressed one, the field of a rejected one."""

    outcome: Outcome
    reasons: Reasons = NO_REASONS
    field: str = ""


class PendingActivity(NamedTuple):
    """One activity of a subject. ``forbidden`` holds the reasons against recording it."""

    activity_id: str
    activity: Activity
    forbidden: Reasons = NO_REASONS


class Values(NamedTuple):
    """The values to store, all at once: None leaves a value unchanged, ``b""`` removes it."""

    preference: bytes | None = None
    profile: bytes | None = None
    seen: bytes | None = None
    profile_ttl_s: int = 0


class Recorded(NamedTuple):
    """The results, in the order of the activities, and what to store; None: nothing."""

    results: list[Result]
    values: Values | None = None


RECORDED = Result(Outcome.RECORDED)
DUPLICATE = Result(Outcome.DUPLICATE)


def record(stored: StoredRecords, pending: Sequence[PendingActivity], policy: Policy, now_s: int) -> Recorded:
    """Record a subject's activities, in order, at a time (Unix seconds)."""
    if all(entry.forbidden for entry in pending):
        return Recorded([_suppressed(entry.forbidden) for entry in pending])
    try:
        draft = _Draft(stored, policy.half_life_days, now_s)
    except RecordUnreadable:
        unreadable = Reason.RECORD_UNREADABLE.bit
        return Recorded([_suppressed(Reasons(entry.forbidden | unreadable)) for entry in pending])
    results = [draft.take(entry) for entry in pending]
    if RECORDED not in results or draft.profile is None:
        return Recorded(results)
    return Recorded(
        results,
        Values(
            encode_preference(Preference(), stored.owner) if stored.preference is None else None,
            write_profile(draft.profile, stored.owner),
            encode_seen(draft.seen, stored.owner),
            seconds_to_live(draft.profile.updated_s, policy.retention, now_s),
        ),
    )


def seconds_to_live(updated_s: int, retention: RetentionPolicy, now_s: int) -> int:
    """Return the seconds until a profile expires, counted from its last activity (Unix seconds); at least one."""
    return max(updated_s + retention.profile_days * _DAY_S - now_s, 1)


class _Draft:
    """A subject's records while activities are added to them. Raises ``RecordUnreadable``."""

    def __init__(self, stored: StoredRecords, half_life: HalfLifePolicy, now_s: int) -> None:
        self.profile = None if stored.profile is None else read_profile(stored.profile, stored.owner)
        self.seen = NOTHING_SEEN if stored.seen is None else decode_seen(stored.seen, stored.owner).fresh(now_s)
        self._owner = stored.owner
        self._half_life = half_life
        self._now_s = now_s

    def take(self, entry: PendingActivity) -> Result:
        """Add one activity, unless it is forbidden or was already recorded."""
        if entry.forbidden:
            return _suppressed(entry.forbidden)
        if entry.activity_id:
            activity = entry.activity
            key = activity_key(entry.activity_id, activity.kind, activity.ad_id, self._owner)
            if self.seen.holds(key):
                return DUPLICATE
            self.seen = self.seen.remembering(key, self._now_s)
        self.profile = apply(self.profile, entry.activity, self._half_life, self._now_s)
        return RECORDED


def _suppressed(reasons: Reasons) -> Result:
    return Result(Outcome.SUPPRESSED, reasons)
