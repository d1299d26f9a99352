"""Correcting what a person declared, and erasing what is held: the values to store.

Invariants: no correction lifts a limit, and none writes the profile of somebody who has opted out or is a child; no
erasure lifts an opt-out, nor the doubt about one. The values hold only while the records are those that were read:
whoever stores them compares (ADR 0010).
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
"""Stands in the preference record, where ages are checked without reading a profile."""
IN_PROFILE = frozenset({"gender", "occupation", "postal_code", "country", "language"})
PATHS = IN_PROFILE | {BIRTH_DATE}
"""The attributes that a person declares, as in ``adtargeting.v1.DeclaredAttributes``."""

_ERASED = b""


class DeclaredAttributes(NamedTuple):
    """What a person declared; empty is not declared. ``birth_day`` counts days since 1970-01-01."""

    birth_day: int | None = None
    gender: Gender = Gender.UNKNOWN
    occupation: str = ""
    postal_code: str = ""
    country: str = ""
    language: str = ""

    def __repr__(self) -> str:
        """Show nothing of the person."""
        return "DeclaredAttributes(***)"


class CorrectionRefused(NamedTuple):
    """Why nothing may be corrected; at least one reason."""

    reasons: Reasons


class Corrected(NamedTuple):
    """What is declared after the correction, the profile's version (0: none is held), and what to store."""

    declared: DeclaredAttributes
    version: int
    values: Values


def correct(
    held: StoredRecords, declared: DeclaredAttributes, paths: Collection[str], rules: tuple[Policy, float]
) -> Corrected | CorrectionRefused:
    """Correct the named attributes, or refuse, with the reasons.

    ``rules`` are the policy and the time (Unix seconds). A birth date that makes the person a child is taken, and
    stops everything: of the rest nothing is written any more.
    """
    policy, now_s = rules
    forbidden = forbidden_by_records([held], policy, now_s)
    if forbidden:
        return CorrectionRefused(forbidden)
    try:
        preference, profile = read_records(held)
    except RecordUnreadable:
        return CorrectionRefused(Reason.RECORD_UNREADABLE.bit)
    preference_after = _corrected_preference(preference or Preference(), declared, paths)
    if is_child(preference_after, policy, now_s, declared.country):
        erased = _ERASED if policy.opt_out.on_opt_out == "erase" else None
        values = Values(encode_preference(preference_after, held.owner), erased, erased)
        return _corrected(preference_after, profile, values)
    profile_after = _corrected_profile(profile, declared, paths, int(now_s))
    values = Values(None if preference_after == preference else encode_preference(preference_after, held.owner))
    if profile_after is not None and profile_after is not profile:
        values = values._replace(
            profile=encode_profile(profile_after, held.owner),
            profile_ttl_s=seconds_to_live(profile_after.updated_s, policy.retention, int(now_s)),
        )
    return _corrected(preference_after, profile_after, values)


def erase(held: StoredRecords, now_ms: int) -> Values:
    """Give the values of an erasure.

    A profile whose preference record is missing is the only trace of a choice that may have been lost. The doubt must
    outlive it: an opt-out takes its place, which an explicit choice lifts.
    """
    if held.preference is None and held.profile is not None:
        doubt = Preference(choice=Choice.OPT_OUT, changed_at_ms=now_ms, version=1)
        return Values(encode_preference(doubt, held.owner), _ERASED, _ERASED)
    return Values(profile=_ERASED, seen=_ERASED)


def read_records(held: StoredRecords) -> tuple[Preference | None, Profile | None]:
    """Read a subject's records whole. Raises ``RecordUnreadable``."""
    return (
        None if held.preference is None else decode_preference(held.preference, held.owner),
        None if held.profile is None else decode_profile(held.profile, held.owner),
    )


def declared_in(preference: Preference, profile: Profile | None) -> DeclaredAttributes:
    """Give what the person declared, as the records hold it."""
    known = profile or Profile()
    return DeclaredAttributes(
        birth_day=preference.birth_day,
        gender=known.gender,
        occupation=known.occupation,
        postal_code=known.postal_code,
        country=known.country,
        language=known.language,
    )


def _corrected(preference: Preference, profile: Profile | None, values: Values) -> Corrected:
    left = None if values.profile == _ERASED else profile
    return Corrected(declared_in(preference, left), left.version if left else 0, values)


def _corrected_preference(held: Preference, declared: DeclaredAttributes, paths: Collection[str]) -> Preference:
    if BIRTH_DATE not in paths:
        return held
    return held._replace(version=held.version + 1, birth_day=declared.birth_day)


def _corrected_profile(
    held: Profile | None, declared: DeclaredAttributes, paths: Collection[str], now_s: int
) -> Profile | None:
    """A correction is no activity: it does not prolong how long the profile is kept."""
    named = {path: getattr(declared, path) for path in IN_PROFILE.intersection(paths)}
    if not named:
        return held
    profile = held or Profile(created_s=now_s, updated_s=now_s)
    return profile._replace(version=profile.version + 1, **named)
