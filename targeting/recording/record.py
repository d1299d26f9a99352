"""What becomes of one subject's records when its activities are recorded: outcomes, and the values to store.

Invariants: an activity counts once, however often it is sent; a profile is never written without its preference
record; what cannot be read is never overwritten. The values hold only while the records are those that were read:
whoever stores them compares (ADR 0010).
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
    """What became of an activity; the numbers are those of ``adtargeting.v1.Outcome``."""

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
    """One activity of a subject. ``forbidden`` holds the reasons that forbid to record it."""

    activity_id: str
    activity: Activity
    forbidden: Reasons = NO_REASONS


class Values(NamedTuple):
    """The values to store, all at once: None leaves one as it is, ``b""`` removes it."""

    preference: bytes | None = None
    profile: bytes | None = None
    seen: bytes | None = None
    profile_ttl_s: int = 0


class Recorded(NamedTuple):
    """The results, in the order of the entries, and what to store; None is nothing."""

    results: list[Result]
    values: Values | None = None


RECORDED = Result(Outcome.RECORDED)
DUPLICATE = Result(Outcome.DUPLICATE)


def record(held: StoredRecords, entries: Sequence[PendingActivity], policy: Policy, now_s: int) -> Recorded:
    """Record a subject's activities, in order, at a time (Unix seconds)."""
    if all(entry.forbidden for entry in entries):
        return Recorded([_suppressed(entry.forbidden) for entry in entries])
    try:
        draft = _Draft(held, policy.half_life_days, now_s)
    except RecordUnreadable:
        unreadable = Reason.RECORD_UNREADABLE.bit
        return Recorded([_suppressed(Reasons(entry.forbidden | unreadable)) for entry in entries])
    results = [draft.take(entry) for entry in entries]
    if RECORDED not in results or draft.profile is None:
        return Recorded(results)
    return Recorded(
        results,
        Values(
            encode_preference(Preference(), held.owner) if held.preference is None else None,
            write_profile(draft.profile, held.owner),
            encode_seen(draft.seen, held.owner),
            seconds_to_live(draft.profile.updated_s, policy.retention, now_s),
        ),
    )


def seconds_to_live(updated_s: int, retention: RetentionPolicy, now_s: int) -> int:
    """Give the seconds until a profile expires, counted from its last activity (Unix seconds); at least one."""
    return max(updated_s + retention.profile_days * _DAY_S - now_s, 1)


class _Draft:
    """A subject's records while activities are added to them. Raises ``RecordUnreadable`` for what cannot be read."""

    def __init__(self, held: StoredRecords, half_life: HalfLifePolicy, now_s: int) -> None:
        self.profile = None if held.profile is None else read_profile(held.profile, held.owner)
        self.seen = NOTHING_SEEN if held.seen is None else decode_seen(held.seen, held.owner).fresh(now_s)
        self._owner = held.owner
        self._half_life = half_life
        self._now_s = now_s

    def take(self, entry: PendingActivity) -> Result:
        """Add one activity, unless it is forbidden or was recorded before."""
        if entry.forbidden:
            return _suppressed(entry.forbidden)
        if entry.activity_id:
            key = activity_key(entry.activity_id, self._owner)
            if self.seen.holds(key):
                return DUPLICATE
            self.seen = self.seen.remembering(key, self._now_s)
        self.profile = apply(self.profile, entry.activity, self._half_life, self._now_s)
        return RECORDED


def _suppressed(reasons: Reasons) -> Result:
    return Result(Outcome.SUPPRESSED, reasons)
