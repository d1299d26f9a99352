"""The checks of the stored records: whose choice it was, when it was made, and what else the store shows.

They are made in any case, also where the request alone limits. A profile is never read here: a check says whether one
exists. Times are given as classes, never as values.
"""

from collections.abc import Iterator, Sequence

from targeting.age import person_day
from targeting.decision import state
from targeting.explanation.checks import Check, DecisionTrace
from targeting.judge import judge_stored, read_stored_choices
from targeting.model import SubjectKind
from targeting.reasons import Reason, Reasons
from targeting.records.envelope import RecordUnreadable
from targeting.records.preference import CHOICES_THAT_ALLOW, Choice, StoredChoice, decode_preference
from targeting.records.stored_records import StoredRecords

_RECORD_RULE = (
    "an account's opt-out, a linked account's or the device's limits; so does a record that cannot be trusted"
)
_ANSWER_RULE = "a choice that cannot be looked up, because the store gives no answer, limits"
_SUBJECT_RULE = "a request without an account or a device has no stored choice to look up, which limits"
_CHILD_RULE = "a person below the policy's age for the place is a child; an unknown place counts as the strictest"
_OPT_IN_RULE = "where consent.explicit_opt_in_in names the place, behavioural mode needs a stored opt-in"
_PROFILE_RULE = "a profile is read only when nothing limits"
_DAY_MS = 86_400_000
_TIME_CLASSES = ((1, "within a day"), (30, "within 30 days"), (365, "within a year"))


def record_checks(trace: DecisionTrace) -> Iterator[Check]:
    """Make every check of the stored records, in the order of the subjects."""
    stored = trace.stored
    if isinstance(stored, Reason):
        yield _store_check("no answer", "limits", _ANSWER_RULE, stored)
        return
    if not stored:
        yield _store_check("not asked", "no subject is identified", _SUBJECT_RULE, Reason.NO_SUBJECT)
        return
    choices = read_stored_choices(stored)
    own = state(trace.item, choices, (), trace.policy, person_day(trace.now_s)).own_subjects
    for index, (records, choice) in enumerate(zip(stored, choices, strict=True)):
        yield _record_check(_name(records, is_own=index < own), records, choice, trace.now_s)
    reasons = _reasons(trace, stored, choices)
    yield _age_check(reasons, choices)
    yield _opt_in_check(reasons, trace)
    yield _profile_check(reasons, trace, stored[0])


def _reasons(trace: DecisionTrace, stored: Sequence[StoredRecords], choices: Sequence[StoredChoice | None]) -> Reasons:
    """Return what the records limit by themselves, with what the decision found in them beyond that."""
    stated = state(trace.item, choices, (), trace.policy, person_day(trace.now_s))
    found = judge_stored(stored, choices, stated).reasons
    return found if trace.item.verdict.reasons else Reasons(found | trace.decision.reasons)


def _store_check(value_class: str, said: str, rule: str, reason: Reason) -> Check:
    return Check(signal="store", present=False, value_class=value_class, said=said, rule=rule, reason=reason)


def _name(records: StoredRecords, *, is_own: bool) -> str:
    kind = records.kind.name.lower()
    return f"preference record of the {kind}" if is_own else f"preference record of a linked {kind}"


def _record_check(signal: str, records: StoredRecords, choice: StoredChoice | None, now_s: float) -> Check:
    present, value_class, said = _found(records, choice, now_s)
    return Check(
        signal=signal,
        present=present,
        value_class=value_class,
        said=said,
        rule=_RECORD_RULE,
        reason=_limit_of(records, choice),
    )


def _found(records: StoredRecords, choice: StoredChoice | None, now_s: float) -> tuple[bool, str, str]:
    """Return whether there is a record, the class of its value, and what it says."""
    if choice is not None:
        return True, _class_of(records, now_s), _what_was_chosen(choice)
    if records.preference is not None:
        return True, "unreadable", "limits"
    return (
        False,
        "absent",
        "no choice was ever made" if records.profile is None else "lost: a profile exists without it",
    )


def _what_was_chosen(choice: StoredChoice) -> str:
    if choice.choice not in CHOICES_THAT_ALLOW:
        return "opted out"
    return "opted in" if choice.choice == Choice.OPT_IN else "no choice was ever made"


def _class_of(records: StoredRecords, now_s: float) -> str:
    """Return who made the choice and about when."""
    try:
        preference = decode_preference(records.preference or b"", records.owner)
    except RecordUnreadable:
        # The decision read what it needed; the rest is of a newer version.
        return "stored record"
    if not preference.changed_at_ms:
        return "stored record"
    age_days = max(now_s * 1000 - preference.changed_at_ms, 0) / _DAY_MS
    when = next((name for days, name in _TIME_CLASSES if age_days <= days), "more than a year ago")
    return f"stored record: {preference.source.name.lower().replace('_', ' ')}, {when}"


def _limit_of(records: StoredRecords, choice: StoredChoice | None) -> Reason | None:
    if choice is None:
        if records.preference is not None:
            return Reason.RECORD_UNREADABLE
        return None if records.profile is None else Reason.PREFERENCE_LOST
    if choice.choice in CHOICES_THAT_ALLOW:
        return None
    return Reason.ACCOUNT_OPT_OUT if records.kind is SubjectKind.ACCOUNT else Reason.DEVICE_OPT_OUT


def _age_check(reasons: Reasons, choices: Sequence[StoredChoice | None]) -> Check:
    is_child = bool(reasons & Reason.UNDER_AGE.bit)
    return Check(
        signal="age",
        present=any(choice is not None and choice.birth_day is not None for choice in choices),
        value_class="birth date of the preference record, age of the NAP cookie",
        said="a child" if is_child else "not known to be a child",
        rule=_CHILD_RULE,
        reason=Reason.UNDER_AGE if is_child else None,
    )


def _opt_in_check(reasons: Reasons, trace: DecisionTrace) -> Check:
    required = bool(reasons & Reason.OPT_IN_REQUIRED.bit)
    return Check(
        signal="explicit opt-in",
        present=bool(trace.policy.consent.explicit_opt_in_in),
        value_class="place of the request and of the records",
        said="required, and there is none" if required else "not required, or given",
        rule=_OPT_IN_RULE,
        reason=Reason.OPT_IN_REQUIRED if required else None,
    )


def _profile_check(reasons: Reasons, trace: DecisionTrace, records: StoredRecords) -> Check:
    used = trace.decision.behavioural is not None
    reason = Reason.NO_PROFILE if reasons & Reason.NO_PROFILE.bit else None
    unreadable = trace.decision.reasons == Reason.RECORD_UNREADABLE.bit and records.profile is not None
    return Check(
        signal="profile",
        present=records.profile is not None,
        value_class="absent" if records.profile is None else "stored record" if used else "stored record, not read",
        said="used" if used else "not used",
        rule=_PROFILE_RULE,
        reason=Reason.RECORD_UNREADABLE if unreadable and not used else reason,
    )
