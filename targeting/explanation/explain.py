"""How a decision came about: every check, whether it limited or not, in the order of the reasons.

A check says whether a signal is present, the class of its value and the verdict; never a raw value, an identifier or
anything from a profile. It explains the very values that the decision was made from.
"""

from collections.abc import Iterator
from typing import NamedTuple

from targeting.consent import GPP, PURPOSE_BEHAVIOURAL, TCF, US_PRIVACY
from targeting.explanation.checks import Check, DecisionTrace, Fields
from targeting.explanation.record_checks import record_checks
from targeting.model import AgeTreatment
from targeting.reasons import Reason
from targeting.signals.us_privacy import decode_us_privacy


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

_UNREADABLE_RULE = "a signal that is present and cannot be read limits"


def explain(trace: DecisionTrace) -> list[Check]:
    """Return every check of a decision; those of the store too, where the request alone limits."""
    return [*_flag_checks(trace), *_stated_age_checks(trace), *_consent_checks(trace), *record_checks(trace)]


def _present(trace: DecisionTrace) -> tuple[bool, ...]:
    """Return which of ``_FLAGS`` the request carries, in their order."""
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


def _stated_age_checks(trace: DecisionTrace) -> Iterator[Check]:
    """Check the age that the request states; the records' and the NAP cookie's are checked with the records."""
    signals, reasons = trace.item.request.signals, trace.item.verdict.reasons
    treatment, has_year = signals.age_treatment, signals.latest_birth_day is not None
    limits: list[Reason | None] = []
    if treatment == AgeTreatment.CHILD:
        limits.append(Reason.CHILD_DIRECTED)
    elif treatment not in set(AgeTreatment):
        limits.append(Reason.SIGNAL_UNREADABLE)
    if reasons & Reason.UNDER_AGE.bit:
        limits.append(Reason.UNDER_AGE)
    for reason in limits or [None]:
        yield Check(
            signal="stated age",
            present=has_year or treatment != AgeTreatment.UNSPECIFIED,
            value_class="year of birth" if has_year else "flag" if treatment else "absent",
            said="limits" if reason else "nothing",
            rule="age_treatment CHILD or TEEN limits; a year of birth does, below the policy's age for the place",
            reason=reason,
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
    yield from _string_checks(trace, _tcf_check(trace), Reason.TCF_NO_CONSENT, "give no basis")
    yield from _string_checks(trace, _gpp_check(trace), Reason.GPP_OPT_OUT, "limit")
    yield from _string_checks(trace, _us_privacy_check(trace), Reason.US_PRIVACY_OPT_OUT, "opt out of sale")
    if trace.item.cookies.device_doubt:
        yield _unreadable("cookie MUID", "a browser whose choice cannot be looked up is limited")
    for name in signals.unreadable:
        yield _unreadable(name, _UNREADABLE_RULE)


def _string_checks(trace: DecisionTrace, check: Check, reason: Reason, said: str) -> Iterator[Check]:
    """Yield the check of a kind of string; a second one for what the readable ones say beside an unreadable one."""
    if check.reason is not Reason.SIGNAL_UNREADABLE:
        yield check
        return
    yield check._replace(rule=_UNREADABLE_RULE)
    if trace.item.verdict.reasons & reason.bit:
        yield check._replace(value_class="all that can be read", said=said, reason=reason, fields=())


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
            ("ValidByTheStandard", "yes" if string.is_valid else "no"),
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
    rule = "named sections, or all without ids: an opt-out, a known child, or a section that cannot be read limits"
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
    consent, signals = trace.item.verdict.consent, trace.item.request.signals
    in_gpp = consent.gpp.us_privacy if consent.gpp is not None else None
    texts = [text for text in (signals.us_privacy, *signals.more_us_privacies, in_gpp) if text]
    rule = "Y in the third position of any string limits; an invalid string is unreadable"
    if US_PRIVACY in consent.unreadable:
        return _unreadable("US Privacy string", rule)
    absent = Check(signal="US Privacy string", present=False, value_class="absent", said="nothing", rule=rule)
    if not texts:
        return absent
    limits = bool(trace.item.verdict.reasons & Reason.US_PRIVACY_OPT_OUT.bit)
    return absent._replace(
        present=True,
        value_class="US Privacy v1 string",
        said="opts out of sale" if limits else "allows",
        reason=Reason.US_PRIVACY_OPT_OUT if limits else None,
        fields=tuple((name, str(value)) for text in texts for name, value in decode_us_privacy(text).items()),
    )
