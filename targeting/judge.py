"""The judge: what the signals of a request and the stored records allow.

Default deny: behavioural mode needs every check to say yes. Only this module mints a ``Grant``, and without one no
code of behavioural mode runs. It reports every reason that its sources show. It never reads a profile: all it knows is
whether one exists.
"""

from collections.abc import Sequence
from typing import NamedTuple

from targeting.age import latest_birth_day
from targeting.children import age_limit, born_after, residence_of
from targeting.consent import SILENT, RequestConsent, read_consent
from targeting.model import NO_SIGNALS, AdRequest, AgeTreatment, Signals, SubjectKind
from targeting.policy.policy import Policy
from targeting.reasons import NO_REASONS, Reason, Reasons
from targeting.records.envelope import RecordUnreadable
from targeting.records.preference import CHOICES_THAT_ALLOW, Choice, StoredChoice, read_stored_choice
from targeting.records.stored_records import StoredRecords
from targeting.signals.cookies import Cookies
from targeting.subjects.identifiers import is_zeros

_MINT = object()
_OPT_OUT_OF = {
    SubjectKind.ACCOUNT: Reason.ACCOUNT_OPT_OUT.bit,
    SubjectKind.DEVICE: Reason.DEVICE_OPT_OUT.bit,
}


_AGES_THAT_ALLOW = frozenset((AgeTreatment.UNSPECIFIED, AgeTreatment.ADULT))
_REASON_OF_AGE: dict[int, Reason] = {
    AgeTreatment.CHILD: Reason.CHILD_DIRECTED,
    AgeTreatment.TEEN: Reason.UNDER_AGE,
}


class Grant:
    """The permission to use a profile in one decision. Only the judge can mint one."""

    __slots__ = ()

    def __init__(self, mint: object) -> None:
        if mint is not _MINT:
            raise TypeError("only the judge can mint a grant")


class RequestVerdict(NamedTuple):
    """What the request alone shows; ``reasons`` are those that limit already."""

    reasons: Reasons
    consent: RequestConsent


_NOTHING_LIMITS = RequestVerdict(NO_REASONS, SILENT)


class Stated(NamedTuple):
    """What the judge of records has to know about the request.

    ``of_age_day`` is the latest birth day (``targeting.age.latest_birth_day``) at which a person is no longer a child;
    ``child`` is whether the request or a NAP cookie states a younger one. ``own_subjects`` counts the subjects, first
    in order, whose opt-in counts: the account and the device, not the linked accounts.
    """

    of_age_day: int
    child: bool = False
    needs_opt_in: bool = False
    own_subjects: int = 1


class Verdict(NamedTuple):
    """The judgement on one request. There is a grant exactly when there is no reason."""

    reasons: Reasons
    grant: Grant | None = None


_ALLOWED = Verdict(NO_REASONS, Grant(_MINT))
_NO_PROFILE = Verdict(Reason.NO_PROFILE.bit)


def judge_request(request: AdRequest, cookies: Cookies, policy: Policy, today: int) -> RequestVerdict:
    """Judge what the request alone shows; ``today`` is ``targeting.age.person_day``."""
    return judge_signals(request, cookies, read_consent(request, cookies.countries, policy), policy, today)


def judge_signals(
    request: AdRequest, cookies: Cookies, consent: RequestConsent, policy: Policy, today: int
) -> RequestVerdict:
    """Judge as ``judge_request`` does, with consent strings that were read."""
    reasons = int(consent.reasons)
    if request.signals is not NO_SIGNALS:
        reasons |= _flags(request.signals, policy) | _stated_age(request, cookies, policy, today)
    if cookies.opt_out or cookies.anon_opt_out or cookies.device_doubt:
        reasons |= _cookie_flags(cookies)
    device_id = request.identity.device_id
    if device_id and is_zeros(device_id):
        reasons |= Reason.LIMIT_AD_TRACKING.bit
    return RequestVerdict(Reasons(reasons), consent) if reasons or consent is not SILENT else _NOTHING_LIMITS


def read_stored_choices(subjects: Sequence[StoredRecords]) -> list[StoredChoice | None]:
    """Read the preference records, in order; None where there is none, or an unreadable one."""
    return [None if preference is None else _read_choice(preference, owner) for _, owner, preference, *_ in subjects]


def judge_stored(subjects: Sequence[StoredRecords], choices: Sequence[StoredChoice | None], stated: Stated) -> Verdict:
    """Judge the records of all subjects of a request that nothing has limited so far; at least one subject.

    The first subject's profile is the one that would be used.
    """
    reasons = stored_reasons(subjects, choices, stated)
    if not reasons and subjects[0].profile is None:
        return _NO_PROFILE
    return Verdict(reasons) if reasons else _ALLOWED


def stored_reasons(
    subjects: Sequence[StoredRecords], choices: Sequence[StoredChoice | None], stated: Stated
) -> Reasons:
    """Return why the records limit, without a grant where they do not, and without a look for a profile to use."""
    of_age_day, is_child, needs_opt_in, own_subjects = stated
    reasons = int(Reason.UNDER_AGE.bit) if is_child else 0
    for records, choice in zip(subjects, choices, strict=True):
        if choice is not None or records.preference is not None or records.profile is not None:
            reasons |= _limits(records, choice, of_age_day)
    if needs_opt_in and not any(
        choice is not None and choice.choice == Choice.OPT_IN for choice in choices[:own_subjects]
    ):
        reasons |= Reason.OPT_IN_REQUIRED.bit
    return Reasons(reasons)


def _read_choice(preference: bytes, owner: bytes) -> StoredChoice | None:
    try:
        return read_stored_choice(preference, owner)
    except RecordUnreadable:
        return None


def _limits(records: StoredRecords, choice: StoredChoice | None, of_age_day: int) -> Reasons:
    if choice is None:
        if records.preference is not None:
            return Reason.RECORD_UNREADABLE.bit
        # Profile and preference record are written together: a profile alone means that a choice may be lost.
        return Reason.PREFERENCE_LOST.bit
    reasons = NO_REASONS if choice.choice in CHOICES_THAT_ALLOW else _OPT_OUT_OF[records.kind]
    if choice.birth_day is not None and choice.birth_day > of_age_day:
        return Reasons(reasons | Reason.UNDER_AGE.bit)
    return reasons


def _cookie_flags(cookies: Cookies) -> Reasons:
    reasons = Reason.COOKIE_OPT_OUT.bit if cookies.opt_out or cookies.anon_opt_out else NO_REASONS
    if cookies.device_doubt:
        # The browser may have opted out, and its choice cannot be looked up, whatever other device is named.
        return Reasons(reasons | Reason.SIGNAL_UNREADABLE.bit)
    return reasons


def _stated_age(request: AdRequest, cookies: Cookies, policy: Policy, today: int) -> Reasons:
    """Judge the age that the request states: TEEN limits everywhere, a year of birth by the age of the place."""
    signals, reasons = request.signals, 0
    if signals.age_treatment not in _AGES_THAT_ALLOW:
        reasons |= _REASON_OF_AGE.get(signals.age_treatment, Reason.SIGNAL_UNREADABLE).bit
    if signals.latest_birth_day is not None:
        age = age_limit(request, residence_of(request, cookies), policy.children)
        if born_after(request, latest_birth_day(today, age)):
            reasons |= Reason.UNDER_AGE.bit
    return Reasons(reasons)


def _flags(signals: Signals, policy: Policy) -> Reasons:
    reasons = 0
    if signals.child_directed:
        reasons |= Reason.CHILD_DIRECTED.bit
    if signals.targeted_ads_off:
        reasons |= Reason.APP_OPT_OUT.bit
    if signals.industry_opt_outs:
        reasons |= Reason.INDUSTRY_OPT_OUT.bit
    if signals.global_privacy_control:
        reasons |= Reason.GLOBAL_PRIVACY_CONTROL.bit
    if signals.do_not_track and policy.signals.honour_do_not_track:
        reasons |= Reason.DO_NOT_TRACK.bit
    if signals.limit_ad_tracking:
        reasons |= Reason.LIMIT_AD_TRACKING.bit
    if signals.unreadable:
        reasons |= Reason.SIGNAL_UNREADABLE.bit
    return Reasons(reasons)
