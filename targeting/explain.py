"""How a decision came about: every check, whether it limited or not, in the order of the reasons.

It says whether a signal was there, the class of its value and what it said; never a raw value, an identifier or
anything of a profile. It explains the very findings that the decision was made from.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from targeting.consent import GPP, PURPOSE_BEHAVIOURAL, TCF, US_PRIVACY
from targeting.decision import Decision, Item
from targeting.judge import read_stored_choices
from targeting.model import SubjectKind
from targeting.policy.policy import Policy
from targeting.reasons import Reason
from targeting.records.preference import CHOICES_THAT_ALLOW, StoredChoice
from targeting.records.stored_records import StoredRecords
from targeting.signals import us_privacy

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


class Evidence(NamedTuple):
    """What a decision was made from: the planned request and what the store gave, or why it gave nothing."""

    item: Item
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


def explain(evidence: Evidence) -> list[Check]:
    """Give every check of a decision."""
    return [*_flag_checks(evidence), *_consent_checks(evidence), *_store_checks(evidence)]


def _present(evidence: Evidence) -> tuple[bool, ...]:
    """Tell which of ``_FLAGS`` the request carries, in their order."""
    signals, cookies = evidence.item.request.signals, evidence.item.cookies
    return (
        signals.child_directed,
        signals.targeted_ads_off,
        cookies.opt_out or cookies.anon_opt_out,
        bool(signals.industry_opt_outs),
        signals.global_privacy_control,
        signals.do_not_track,
        signals.limit_ad_tracking,
    )


def _flag_checks(evidence: Evidence) -> Iterator[Check]:
    for flag, present in zip(_FLAGS, _present(evidence), strict=True):
        limits = bool(evidence.item.findings.mask & flag.reason.bit)
        said = "limits" if limits else ("noted; the policy does not count it" if present else "nothing")
        yield Check(
            flag.signal,
            present,
            "flag" if present else "absent",
            said,
            flag.rule,
            flag.reason if limits else None,
        )


def _consent_checks(evidence: Evidence) -> Iterator[Check]:
    signals, consent = evidence.item.request.signals, evidence.item.findings.consent
    flag = signals.gdpr_applies is not None
    yield Check(
        "GDPR scope",
        flag,
        "flag" if flag else "absent",
        "applies" if consent.gdpr else "does not apply",
        "gdpr_applies, else GPP section 2 named, else any country shown; in doubt it applies",
    )
    yield _tcf_check(evidence)
    yield _gpp_check(evidence)
    yield _us_privacy_check(evidence)
    if evidence.item.cookies.device_doubt and not evidence.item.request.identity.device_id:
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


def _tcf_check(evidence: Evidence) -> Check:
    consent, policy = evidence.item.findings.consent, evidence.policy
    present = bool(evidence.item.request.signals.tcf_consent) or bool(consent.gpp and consent.gpp.tc_string)
    rule = (
        f"where the GDPR applies, purpose {PURPOSE_BEHAVIOURAL} needs a basis for vendor {policy.gdpr.host_vendor_id}"
    )
    if TCF in consent.unreadable:
        return _unreadable("TC string", rule)
    if not consent.gdpr:
        return Check("TC string", present, "not read" if present else "absent", "does not count", rule)
    reason = Reason.TCF_NO_CONSENT if evidence.item.findings.mask & Reason.TCF_NO_CONSENT.bit else None
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
    return Check("TC string", present, "TCF v2 string" if present else "absent", said, rule, reason, fields)


def _gpp_check(evidence: Evidence) -> Check:
    signals, consent = evidence.item.request.signals, evidence.item.findings.consent
    present = bool(signals.gpp)
    rule = "sections named in gpp_section_ids: an opt-out, a known child, or a section that cannot be read limits"
    if consent.gpp is None:
        return Check("GPP string", present, "absent", "nothing", rule)
    fields = tuple((f"section {each.section_id} {each.field}", str(each.value)) for each in consent.gpp.findings)
    limits = bool(evidence.item.findings.mask & Reason.GPP_OPT_OUT.bit)
    reason = Reason.GPP_OPT_OUT if limits else None
    if GPP in consent.unreadable:
        missing = tuple((f"section {section_id}", "missing or unreadable") for section_id in consent.gpp.unreadable)
        return _unreadable("GPP string", rule, missing + fields)
    return Check("GPP string", present, "GPP v1 string", "limits" if limits else "allows", rule, reason, fields)


def _us_privacy_check(evidence: Evidence) -> Check:
    consent, text = evidence.item.findings.consent, evidence.item.request.signals.us_privacy
    if not text and consent.gpp is not None:
        text = consent.gpp.us_privacy or ""
    rule = "Y in the third position limits; an invalid string is unreadable"
    if US_PRIVACY in consent.unreadable:
        return _unreadable("US Privacy string", rule)
    absent = Check(signal="US Privacy string", present=False, value_class="absent", said="nothing", rule=rule)
    if not text:
        return absent
    limits = bool(evidence.item.findings.mask & Reason.US_PRIVACY_OPT_OUT.bit)
    return absent._replace(
        present=True,
        value_class="US Privacy v1 string",
        said="opts out of sale" if limits else "allows",
        reason=Reason.US_PRIVACY_OPT_OUT if limits else None,
        fields=tuple((name, str(value)) for name, value in us_privacy.decode(text).items()),
    )


_RECORD_RULE = (
    "an account's opt-out, a linked account's or the device's limits; so does a record that cannot be trusted"
)
_CHILD_RULE = "a person under the policy's age for the country is a child"


def _store_checks(evidence: Evidence) -> Iterator[Check]:
    stored, mask = evidence.stored, evidence.decision.reasons
    if evidence.item.findings.mask:
        yield _store(present=False, value_class="not asked", said="the request alone limits")
    elif isinstance(stored, Reason):
        yield _store(present=False, value_class="no answer", said="limits", reason=stored)
    elif not stored:
        yield _store(present=False, value_class="not asked", said="nobody is identified", reason=Reason.NO_SUBJECT)
    else:
        for subject, standing in zip(stored, read_stored_choices(stored), strict=True):
            yield _record_check(subject, standing)
        limits = Reason.UNDER_AGE if mask & Reason.UNDER_AGE.bit else None
        yield Check(
            signal="age",
            present=any(standing and standing.birth_day is not None for standing in read_stored_choices(stored)),
            value_class="birth date of the preference record, age of the NAP cookie",
            said="a child" if limits else "not known to be a child",
            rule=_CHILD_RULE,
            reason=limits,
        )
        yield _profile_check(evidence)


def _store(*, present: bool, value_class: str, said: str, reason: Reason | None = None, signal: str = "store") -> Check:
    return Check(signal, present, value_class, said, _RECORD_RULE, reason)


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


def _profile_check(evidence: Evidence) -> Check:
    mask = evidence.decision.reasons
    used = evidence.decision.behavioural is not None
    found = Reason.NO_PROFILE if mask & Reason.NO_PROFILE.bit else None
    return Check(
        signal="profile",
        present=used,
        value_class="stored record" if used else "not read",
        said="used" if used else ("there is none" if found else "not used"),
        rule="a profile is read only when nothing limits",
        reason=found or (Reason.RECORD_UNREADABLE if mask == Reason.RECORD_UNREADABLE.bit else None),
    )
