"""One decision record for people to read: its checks in the order of a decision, its answer, and other policies' views.

A pasted line is read by ``read_record``; what it shows has the same form as the checks of ``Explain``.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from targeting.decision_records.form import AgeRange, DecisionRecord, NetworkFacts, SubjectFacts
from targeting.decision_records.lines import LineUnreadable, read_line
from targeting.decision_records.replay import ReplayedChange, replayed
from targeting.explanation.checks import Check
from targeting.policy.policy import Policy
from targeting.reasons import Reason

_FLAGS: Final = {
    "app": None,
    "child_directed": Reason.CHILD_DIRECTED,
    "cookie_opt_out": Reason.COOKIE_OPT_OUT,
    "do_not_track": Reason.DO_NOT_TRACK,
    "global_privacy_control": Reason.GLOBAL_PRIVACY_CONTROL,
    "industry_opt_out": Reason.INDUSTRY_OPT_OUT,
    "limit_ad_tracking": Reason.LIMIT_AD_TRACKING,
    "muid_in_doubt": Reason.SIGNAL_UNREADABLE,
    "targeted_ads_off": Reason.APP_OPT_OUT,
    "unreadable": Reason.SIGNAL_UNREADABLE,
}
_SIGNALS: Final = {
    "tcf": (Reason.TCF_NO_CONSENT, "TC string"),
    "gpp": (Reason.GPP_OPT_OUT, "GPP string"),
    "us_privacy": (Reason.US_PRIVACY_OPT_OUT, "US Privacy string"),
}
_CHOICES: Final = {
    "lost": Reason.PREFERENCE_LOST,
    "unreadable": Reason.RECORD_UNREADABLE,
}
_RULE: Final = "as recorded; see docs/records.md"


class ExplainedRecord(NamedTuple):
    """A record in words. ``changes`` is what another policy would change about it."""

    record: DecisionRecord
    checks: tuple[Check, ...]
    networks: tuple[NetworkFacts, ...]
    changes: tuple[ReplayedChange, ...] = ()


def read_record(text: str, other_policy: Policy | None = None) -> ExplainedRecord:
    """Read one line, and judge it again if there is another policy. Raises ``LineUnreadable``."""
    record = read_line(text.strip().encode(errors="replace"))
    if not isinstance(record, DecisionRecord):
        raise LineUnreadable("is the record of a policy, not of a decision")
    changes = () if other_policy is None else sorted(replayed(record, other_policy), key=lambda change: change.name)
    return ExplainedRecord(record, tuple(record_checks(record)), record.networks, tuple(changes))


def record_checks(record: DecisionRecord) -> Iterator[Check]:
    """Return every check that a record tells of, whether it limited or not."""
    limits = frozenset(Reason[name] for name in record.reasons)
    for flag, reason in _FLAGS.items():
        yield _check(flag.replace("_", " "), "flag" if flag in record.request.flags else "absent", reason, limits)
    yield _check("stated age", _age_text(record.request.stated_age), Reason.UNDER_AGE, limits)
    yield _check("GDPR scope", "applies" if record.consent.in_gdpr_scope else "does not apply", None, limits)
    for signal, (reason, name) in _SIGNALS.items():
        is_unreadable = signal in record.consent.unreadable
        yield _check(
            name,
            "unreadable" if is_unreadable else "as recorded",
            Reason.SIGNAL_UNREADABLE if is_unreadable else reason,
            limits,
        )
        if is_unreadable and reason in limits:
            yield _check(name, "all that can be read", reason, limits)
    if record.store not in {"asked", "not_asked"}:
        yield _check("store", "no answer", Reason[record.store], limits)
    for subject in record.subjects:
        yield _check(f"preference record of the {subject.kind}", _subject_text(subject), _reason_of(subject), limits)
    yield _check("NAP cookie", _age_text(record.request.nap_age), Reason.UNDER_AGE, limits)
    for reason in (Reason.OPT_IN_REQUIRED, Reason.NO_PROFILE, Reason.NO_SUBJECT):
        yield _check(reason.name.lower().replace("_", " "), "yes" if reason in limits else "absent", reason, limits)


def _check(signal: str, value_class: str, reason: Reason | None, limits: frozenset[Reason]) -> Check:
    is_present = value_class != "absent"
    is_limiting = is_present and reason in limits
    return Check(
        signal=signal,
        present=is_present,
        value_class=value_class,
        said="limits" if is_limiting else "nothing",
        rule=_RULE,
        reason=reason if is_limiting else None,
    )


def _reason_of(subject: SubjectFacts) -> Reason | None:
    if subject.choice == "opted_out":
        return Reason.ACCOUNT_OPT_OUT if subject.kind == "account" else Reason.DEVICE_OPT_OUT
    return _CHOICES.get(subject.choice, Reason.UNDER_AGE if subject.age is not None else None)


def _subject_text(subject: SubjectFacts) -> str:
    age = "" if subject.age is None else f", age {_age_text(subject.age)}"
    return subject.choice.replace("_", " ") + age + (f", {subject.country}" if subject.country else "")


def _age_text(age: AgeRange | None) -> str:
    if age is None:
        return "absent"
    least, under = age
    return f"at least {max(least, 0)}" + ("" if under is None else f", under {under}")
