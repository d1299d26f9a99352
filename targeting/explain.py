"""How a decision came about: every check, whether it limited or not, in the order of the reasons.

It says whether a signal was there, the class of its value and what it said; never a raw value, an identifier or
anything of a profile. It explains the very findings that the decision was made from.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from targeting.consent import GPP, PURPOSE_BEHAVIOURAL, TCF, US_PRIVACY
from targeting.decision import Decision, PlannedRequest
from targeting.judge import read_stored_choices
from targeting.model import SubjectKind
from targeting.policy.policy import Policy
from targeting.reasons import Reason
from targeting.records.preference import CHOICES_THAT_ALLOW, StoredChoice
from targeting.records.stored_records import StoredRecords
from targeting.signals.us_privacy import decode_us_privacy

Fields = tuple[tuple[str, str], ...]


class Check(NamedTuple):
    """One check. ``reason`` is None where it limits nothing; ``fields`` are the decoded ones that mattered."""

    signal: str
    present: bool
    value_class: str
    said: str
    rule: str
    reason: Reason | None = None
    fields: Fields = ()


class DecisionTrace(NamedTuple):
    """What a decision was made from: the planned request and what the store gave, or why it gave nothing."""

    item: PlannedRequest
    stored: Sequence[StoredRecords] | Reason
    decision: Decision
    policy: Policy


class _Flag(NamedTuple):
    """A yes-or-no check: its reason, what it looks at, and the rule."""

    reason: Reason
    signal: str
    rule: str


_FLAGS = (
    _Flag(Reason.CHILD_DIRECTED, "signals.child_directed", "an ad for a child-directed service is limited"),
    _Flag(Reason.APP_OPT_OUT, "client.targeted_ads_off", "the client's own switch limits"),
    _Flag(
        Reason.COOKIE_OPT_OUT,
        "cookies TOptOut, ANON",
        "a TOptOut other than exactly 0, an ANON with O, or a doubt limits",
    ),
    _Flag(Reason.INDUSTRY_OPT_OUT, "signals.industry_opt_outs", "an opt-out at any industry body limits"),
    _Flag(Reason.GLOBAL_PRIVACY_CONTROL, "signals.global_privacy_control", "Sec-GPC: 1 limits"),
    _Flag(Reason.DO_NOT_TRACK, "signals.do_not_track", "DNT: 1 limits where the policy honours it"),
    _Flag(Reason.LIMIT_AD_TRACKING, "signals.limit_ad_tracking", "the operating system's switch limits"),
)


def explain(trace: DecisionTrace) -> list[Check]:
    """Give every check of a decision."""
    return [*_flag_checks(trace), *_consent_checks(trace), *_store_checks(trace)]


def _present(trace: DecisionTrace) -> tuple[bool, ...]:
    """Tell which of ``_FLAGS`` the request carries, in their order."""
    signals, cookies = trace.item.request.signals, trace.item.cookies
    return (
        signals.child_directed,
        signals.targeted_ads_off,
        cookies.opt_out or cookies.anon_opt_out,
        bool(signals.industry_opt_outs),
        signals.global_privacy_control,
        signals.do_not_track,
        signals.limit_ad_tracking,
    )


def _flag_checks(trace: DecisionTrace) -> Iterator[Check]:
    for flag, present in zip(_FLAGS, _present(trace), strict=True):
        limits = bool(trace.item.verdict.reasons & flag.reason.bit)
        said = "limits" if limits else ("noted; the policy does not count it" if present else "nothing")
        yield Check(
            signal=flag.signal,
            present=present,
            value_class="flag" if present else "absent",
            said=said,
            rule=flag.rule,
            reason=flag.reason if limits else None,
        )


def _consent_checks(trace: DecisionTrace) -> Iterator[Check]:
    signals, consent = trace.item.request.signals, trace.item.verdict.consent
    flag = signals.gdpr_applies is not None
    yield Check(
        signal="GDPR scope",
        present=flag,
        value_class="flag" if flag else "absent",
        said="applies" if consent.gdpr else "does not apply",
        rule="gdpr_applies, else GPP section 2 named, else any country shown; in doubt it applies",
    )
    yield _tcf_check(trace)
    yield _gpp_check(trace)
    yield _us_privacy_check(trace)
    if trace.item.cookies.device_doubt:
        yield _unreadable("cookie MUID", "a browser whose choice cannot be looked up is limited")
    for name in signals.unreadable:
        yield _unreadable(name, "a signal that is present and cannot be read limits")


def _unreadable(signal: str, rule: str, fields: Fields = ()) -> Check:
    return Check(
        signal=signal,
        present=True,
        value_class="unreadable",
        said="limits",
        rule=rule,
        reason=Reason.SIGNAL_UNREADABLE,
        fields=fields,
    )


def _tcf_check(trace: DecisionTrace) -> Check:
    consent, policy = trace.item.verdict.consent, trace.policy
    present = bool(trace.item.request.signals.tcf_consent) or bool(consent.gpp and consent.gpp.tc_string)
    rule = (
        f"where the GDPR applies, purpose {PURPOSE_BEHAVIOURAL} needs a basis for vendor {policy.gdpr.host_vendor_id}"
    )
    if TCF in consent.unreadable:
        return _unreadable("TC string", rule)
    if not consent.gdpr:
        return Check(
            signal="TC string",
            present=present,
            value_class="not read" if present else "absent",
            said="does not count",
            rule=rule,
        )
    reason = Reason.TCF_NO_CONSENT if trace.item.verdict.reasons & Reason.TCF_NO_CONSENT.bit else None
    vendor = policy.gdpr.host_vendor_id
    fields = tuple(
        field
        for string in consent.tc_strings
        for field in (
            ("TcfPolicyVersion", str(string.policy_version)),
            ("VendorListVersion", str(string.vendor_list_version)),
            ("PolicyVersionKnown", "no" if string.policy_is_newer else "yes"),
            (
                f"Purpose{PURPOSE_BEHAVIOURAL}Basis",
                "yes" if string.has_basis(PURPOSE_BEHAVIOURAL, vendor, policy.vendor_list) else "no",
            ),
            ("VendorDisclosed", "yes" if string.discloses(vendor) else "no"),
        )
    )
    said = "gives a basis" if reason is None else "gives no basis"
    return Check(
        signal="TC string",
        present=present,
        value_class="TCF v2 string" if present else "absent",
        said=said,
        rule=rule,
        reason=reason,
        fields=fields,
    )


def _gpp_check(trace: DecisionTrace) -> Check:
    signals, consent = trace.item.request.signals, trace.item.verdict.consent
    present = bool(signals.gpp)
    rule = "sections named in gpp_section_ids: an opt-out, a known child, or a section that cannot be read limits"
    if consent.gpp is None:
        return Check(signal="GPP string", present=present, value_class="absent", said="nothing", rule=rule)
    fields = tuple(
        (f"section {field.section_id} {field.field}", str(field.value)) for field in consent.gpp.withholding_fields
    )
    limits = bool(trace.item.verdict.reasons & Reason.GPP_OPT_OUT.bit)
    reason = Reason.GPP_OPT_OUT if limits else None
    if GPP in consent.unreadable:
        missing = tuple((f"section {section_id}", "missing or unreadable") for section_id in consent.gpp.unreadable)
        return _unreadable("GPP string", rule, missing + fields)
    return Check(
        signal="GPP string",
        present=present,
        value_class="GPP v1 string",
        said="limits" if limits else "allows",
        rule=rule,
        reason=reason,
        fields=fields,
    )


def _us_privacy_check(trace: DecisionTrace) -> Check:
    consent, text = trace.item.verdict.consent, trace.item.request.signals.us_privacy
    if not text and consent.gpp is not None:
        text = consent.gpp.us_privacy or ""
    rule = "Y in the third position limits; an invalid string is unreadable"
    if US_PRIVACY in consent.unreadable:
        return _unreadable("US Privacy string", rule)
    absent = Check(signal="US Privacy string", present=False, value_class="absent", said="nothing", rule=rule)
    if not text:
        return absent
    limits = bool(trace.item.verdict.reasons & Reason.US_PRIVACY_OPT_OUT.bit)
    return absent._replace(
        present=True,
        value_class="US Privacy v1 string",
        said="opts out of sale" if limits else "allows",
        reason=Reason.US_PRIVACY_OPT_OUT if limits else None,
        fields=tuple((name, str(value)) for name, value in decode_us_privacy(text).items()),
    )


_RECORD_RULE = (
    "an account's opt-out, a linked account's or the device's limits; so does a record that cannot be trusted"
)
_CHILD_RULE = "a person under the policy's age for the country is a child"


def _store_checks(trace: DecisionTrace) -> Iterator[Check]:
    stored, reasons = trace.stored, trace.decision.reasons
    if trace.item.verdict.reasons:
        yield _store(present=False, value_class="not asked", said="the request alone limits")
    elif isinstance(stored, Reason):
        yield _store(present=False, value_class="no answer", said="limits", reason=stored)
    elif not stored:
        yield _store(present=False, value_class="not asked", said="nobody is identified", reason=Reason.NO_SUBJECT)
    else:
        for subject, standing in zip(stored, read_stored_choices(stored), strict=True):
            yield _record_check(subject, standing)
        limits = Reason.UNDER_AGE if reasons & Reason.UNDER_AGE.bit else None
        yield Check(
            signal="age",
            present=any(standing and standing.birth_day is not None for standing in read_stored_choices(stored)),
            value_class="birth date of the preference record, age of the NAP cookie",
            said="a child" if limits else "not known to be a child",
            rule=_CHILD_RULE,
            reason=limits,
        )
        yield _profile_check(trace)


def _store(*, present: bool, value_class: str, said: str, reason: Reason | None = None, signal: str = "store") -> Check:
    return Check(signal=signal, present=present, value_class=value_class, said=said, rule=_RECORD_RULE, reason=reason)


def _record_check(subject: StoredRecords, standing: StoredChoice | None) -> Check:
    signal = f"preference record of the {subject.kind.name.lower()}"
    if standing is not None:
        opted_out = standing.choice not in CHOICES_THAT_ALLOW
        of_account = subject.kind is SubjectKind.ACCOUNT
        reason = Reason.ACCOUNT_OPT_OUT if of_account else Reason.DEVICE_OPT_OUT
        return _store(
            signal=signal,
            present=True,
            value_class="stored record",
            said="opted out" if opted_out else "allows",
            reason=reason if opted_out else None,
        )
    if subject.preference is not None:
        return _store(
            signal=signal, present=True, value_class="unreadable", said="limits", reason=Reason.RECORD_UNREADABLE
        )
    if subject.profile is not None:
        return _store(
            signal=signal,
            present=False,
            value_class="absent",
            said="lost: a profile is there without it",
            reason=Reason.PREFERENCE_LOST,
        )
    return _store(signal=signal, present=False, value_class="absent", said="no choice was ever made")


def _profile_check(trace: DecisionTrace) -> Check:
    reasons = trace.decision.reasons
    used = trace.decision.behavioural is not None
    found = Reason.NO_PROFILE if reasons & Reason.NO_PROFILE.bit else None
    return Check(
        signal="profile",
        present=used,
        value_class="stored record" if used else "not read",
        said="used" if used else ("there is none" if found else "not used"),
        rule="a profile is read only when nothing limits",
        reason=found or (Reason.RECORD_UNREADABLE if reasons == Reason.RECORD_UNREADABLE.bit else None),
    )
