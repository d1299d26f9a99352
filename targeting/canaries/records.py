"""The records of canaries: what to write next, until the store has of each subject what it is meant to have.

Order: first the profile with a choice that allows it, then the limit, as with a person; the guard of the store lets no
other order pass. Every preference record carries a mark, so that a reader of records tells canaries from people.
Invariant: what is wanted is judged by meaning, not by bytes, so that several services that write agree.
"""

from datetime import date
from typing import Final, NamedTuple

from targeting.age import day_of, is_under, latest_birth_day, person_day
from targeting.canaries.people import CHILDS_AGE, Stored
from targeting.model import Gender
from targeting.records.envelope import RecordNewer, RecordUnreadable
from targeting.records.preference import (
    CHOICES_THAT_ALLOW,
    Choice,
    Preference,
    PreferenceChange,
    Source,
    decode_preference,
    encode_preference,
)
from targeting.records.profile import (
    HeldDestination,
    HeldExposure,
    HeldInterest,
    Profile,
    SegmentKind,
    encode_profile,
    read_profile,
)
from targeting.records.stored_records import StoredRecords

CHANGE_MARK: Final = b"\0canary\0"
"""The change key in the history of a canary's preference record; no person's change has it but by chance (2**-64)."""

_ADULT: Final = day_of(date(1980, 1, 1))
_LOST_AFTER_S: Final = 1
_STUCK_AFTER_MS: Final = 10_000
_CHOICES: Final = {
    Stored.OPTED_IN: (Choice.OPT_IN, Source.ACCOUNT_PAGE),
    Stored.UNDECIDED: (Choice.NONE, Source.UNSTATED),
    Stored.OPTED_OUT: (Choice.OPT_OUT, Source.ACCOUNT_PAGE),
    Stored.SIGNALLED: (Choice.OPT_OUT, Source.GPC),
    Stored.CHILD: (Choice.OPT_IN, Source.ACCOUNT_PAGE),
    Stored.LOST: (Choice.OPT_IN, Source.ACCOUNT_PAGE),
}


class Values(NamedTuple):
    """What to write of one subject, in one step; None leaves a value as it is, and nothing at all means to wait."""

    preference: bytes | None = None
    profile: bytes | None = None
    preference_ttl_s: int = 0
    """0: for good."""


WAIT: Final = Values()


def next_values(wanted: Stored, held: StoredRecords, mark: str, now_s: float) -> Values | None:
    """Return what to write next of a subject at a time (Unix seconds); None: the store has what is wanted.

    ``mark`` stands in the profile, and nowhere else.
    """
    try:
        current = None if held.preference is None else decode_preference(held.preference, held.owner)
    except RecordNewer:
        # A newer version of the service has other canaries; two versions must not undo each other's work.
        return WAIT
    except RecordUnreadable:
        return _choose(wanted, Preference(), held.owner, now_s)
    if not _has_profile(held):
        return _begin(wanted, current, held.owner, mark, now_s)
    if wanted is Stored.LOST:
        return None if current is None else _lose(current, held.owner, now_s)
    return None if _is_wanted(wanted, current, now_s) else _choose(wanted, current or Preference(), held.owner, now_s)


def is_marked(preference: Preference) -> bool:
    """Whether a preference record is a canary's."""
    return any(change.change_key == CHANGE_MARK for change in preference.history)


def _begin(wanted: Stored, current: Preference | None, owner: bytes, mark: str, now_s: float) -> Values:
    """Write the profile, with a choice that allows it; where the stored one does not, that choice first."""
    allowed = Stored.OPTED_IN if _CHOICES[wanted][0] is Choice.OPT_OUT else wanted
    chosen = _choose(allowed, current or Preference(), owner, now_s)
    if current is not None and current.choice not in CHOICES_THAT_ALLOW:
        return chosen
    chosen = chosen._replace(profile=encode_profile(_profile(mark, int(now_s)), owner))
    return chosen._replace(preference_ttl_s=_LOST_AFTER_S) if wanted is Stored.LOST else chosen


def _lose(current: Preference, owner: bytes, now_s: float) -> Values:
    """Wait until the preference record expires; one that does not is written once more."""
    if now_s * 1000 - current.changed_at_ms < _STUCK_AFTER_MS:
        return WAIT
    return _choose(Stored.LOST, current, owner, now_s)._replace(preference_ttl_s=_LOST_AFTER_S)


def _choose(wanted: Stored, current: Preference, owner: bytes, now_s: float) -> Values:
    choice, source = _CHOICES[wanted]
    version, at_ms = current.version + 1, int(now_s * 1000)
    made = PreferenceChange(version=version, choice=choice, source=source, changed_at_ms=at_ms, change_key=CHANGE_MARK)
    is_child = wanted is Stored.CHILD
    preference = Preference(
        choice=choice,
        source=source,
        changed_at_ms=at_ms,
        version=version,
        birth_day=latest_birth_day(person_day(now_s), CHILDS_AGE) if is_child else _ADULT,
        history=(made,),
    )
    return Values(encode_preference(preference, owner))


def _is_wanted(wanted: Stored, current: Preference | None, now_s: float) -> bool:
    if current is None or not is_marked(current) or (current.choice, current.source) != _CHOICES[wanted]:
        return False
    if current.birth_day is None or wanted is not Stored.CHILD:
        return current.birth_day == _ADULT
    return is_under(current.birth_day, CHILDS_AGE + 1, person_day(now_s))


def _has_profile(held: StoredRecords) -> bool:
    try:
        return held.profile is not None and bool(read_profile(held.profile, held.owner).occupation)
    except RecordUnreadable:
        return False


def _profile(mark: str, now_s: int) -> Profile:
    """Return a profile that shows wherever it goes: the mark in every text, a gender, interests, a destination."""
    return Profile(
        gender=Gender.FEMALE,
        occupation=mark,
        country="AQ",
        language="la",
        interests=(
            HeldInterest("386", SegmentKind.PURCHASE, 1.0, now_s),
            HeldInterest(mark, SegmentKind.EXTERNAL, 1.0, now_s),
        ),
        destinations=(HeldDestination("AQ", 1.0, now_s),),
        exposures=(HeldExposure(mark, 1, 1, now_s),),
        version=1,
        created_s=now_s,
        updated_s=now_s,
    )
