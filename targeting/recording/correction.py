"""Correcting what a person declared, and erasing what is stored: the values to store.

Invariants: no correction lifts a limit, and none writes the profile of a person who has opted out or is a child; no
erasure lifts an opt-out, nor the doubt about one. The values are valid only while the records are those that were
read: the store compares them (ADR 0010).
"""

from collections.abc import Collection
from typing import NamedTuple

from targeting.model import Gender
from targeting.policy.policy import Policy
from targeting.reasons import Reason, Reasons
from targeting.recording.admission import forbidden_by_records
from targeting.recording.choice import is_child
from targeting.recording.record import Values, seconds_to_live
from targeting.records.envelope import RecordUnreadable
from targeting.records.preference import Choice, Preference, decode_preference, encode_preference
from targeting.records.profile import Profile, decode_profile, encode_profile
from targeting.records.stored_records import StoredRecords

BIRTH_DATE = "birth_date"
"""Stored in the preference record, where ages are checked without reading a profile."""
IN_PROFILE = frozenset({"gender", "occupation", "postal_code", "country", "language"})
PATHS = IN_PROFILE | {BIRTH_DATE}
"""The attributes that a person may declare, as in ``adtargeting.v1.DeclaredAttributes``."""

_ERASED = b""


class DeclaredAttributes(NamedTuple):
    """What a person declared; empty means not declared. ``birth_day`` counts days since 1970-01-01."""

    birth_day: int | None = None
    gender: Gender = Gender.UNKNOWN
    occupation: str = ""
    postal_code: str = ""
    country: str = ""
    language: str = ""

    def __repr__(self) -> str:
        """Show nothing about the person."""
        return "DeclaredAttributes(***)"


class CorrectionRefused(NamedTuple):
    """Why nothing may be corrected; at least one reason."""

    reasons: Reasons


class Corrected(NamedTuple):
    """What is declared after the correction, the profile's version (0: no profile), and what to store."""

    declared: DeclaredAttributes
    version: int
    values: Values


def correct(
    stored: StoredRecords, declared: DeclaredAttributes, paths: Collection[str], rules: tuple[Policy, float]
) -> Corrected | CorrectionRefused:
    """Correct the named attributes, or refuse, with the reasons.

    ``rules`` are the policy and the time (Unix seconds). A birth date that makes the person a child is stored, and
    nothing else is.
    """
    policy, now_s = rules
    forbidden = forbidden_by_records([stored], policy, now_s)
    if forbidden:
        return CorrectionRefused(forbidden)
    try:
        preference, profile = read_records(stored)
    except RecordUnreadable:
        return CorrectionRefused(Reason.RECORD_UNREADABLE.bit)
    preference_after = _corrected_preference(preference or Preference(), declared, paths)
    if is_child(preference_after, policy, now_s, declared.country):
        erased = _ERASED if policy.opt_out.on_opt_out == "erase" else None
        values = Values(encode_preference(preference_after, stored.owner), erased, erased)
        return _corrected(preference_after, profile, values)
    profile_after = _corrected_profile(profile, declared, paths, int(now_s))
    values = Values(None if preference_after == preference else encode_preference(preference_after, stored.owner))
    if profile_after is not None and profile_after is not profile:
        values = values._replace(
            profile=encode_profile(profile_after, stored.owner),
            profile_ttl_s=seconds_to_live(profile_after.updated_s, policy.retention, int(now_s)),
        )
    return _corrected(preference_after, profile_after, values)


def erase(stored: StoredRecords, now_ms: int) -> Values:
    """Return the values of an erasure.

    A profile whose preference record is missing is the only trace of a choice that may have been lost. The doubt must
    outlive the profile: an opt-out is stored, which an explicit choice lifts.
    """
    if stored.preference is None and stored.profile is not None:
        doubt = Preference(choice=Choice.OPT_OUT, changed_at_ms=now_ms, version=1)
        return Values(encode_preference(doubt, stored.owner), _ERASED, _ERASED)
    return Values(profile=_ERASED, seen=_ERASED)


def read_records(stored: StoredRecords) -> tuple[Preference | None, Profile | None]:
    """Read preference and profile in full. Raises ``RecordUnreadable``."""
    return (
        None if stored.preference is None else decode_preference(stored.preference, stored.owner),
        None if stored.profile is None else decode_profile(stored.profile, stored.owner),
    )


def declared_in(preference: Preference, profile: Profile | None) -> DeclaredAttributes:
    """Return what the person declared, as stored."""
    attributes = profile or Profile()
    return DeclaredAttributes(
        birth_day=preference.birth_day,
        gender=attributes.gender,
        occupation=attributes.occupation,
        postal_code=attributes.postal_code,
        country=attributes.country,
        language=attributes.language,
    )


def _corrected(preference: Preference, profile: Profile | None, values: Values) -> Corrected:
    left = None if values.profile == _ERASED else profile
    return Corrected(declared_in(preference, left), left.version if left else 0, values)


def _corrected_preference(stored: Preference, declared: DeclaredAttributes, paths: Collection[str]) -> Preference:
    if BIRTH_DATE not in paths:
        return stored
    return stored._replace(version=stored.version + 1, birth_day=declared.birth_day)


def _corrected_profile(
    stored: Profile | None, declared: DeclaredAttributes, paths: Collection[str], now_s: int
) -> Profile | None:
    """Return the corrected profile; a correction is no activity and does not extend the retention."""
    named = {path: getattr(declared, path) for path in IN_PROFILE.intersection(paths)}
    if not named:
        return stored
    profile = stored or Profile(created_s=now_s, updated_s=now_s)
    return profile._replace(version=profile.version + 1, **named)
