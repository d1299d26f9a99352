"""The judge: what the signals of a request and the stored records allow.

Default deny: behavioural mode needs every check to say yes. This is the only module that mints a ``Grant``, and
without one no code of behavioural mode runs. Every reason that applies is reported. The judge never reads a profile:
of profiles it knows only whether one is there.
"""

from collections.abc import Sequence
from typing import NamedTuple

from targeting.consent import SILENT, RequestConsent, read_consent
from targeting.model import NO_SIGNALS, AdRequest, Identity, Signals, SubjectKind
from targeting.policy.policy import Policy
from targeting.reasons import NO_REASONS, Reason, Reasons
from targeting.records.envelope import RecordUnreadable
from targeting.records.preference import CHOICES_THAT_ALLOW, StoredChoice, read_stored_choice
from targeting.records.stored_records import StoredRecords
from targeting.signals.cookies import Cookies

_MINT = object()
_OPT_OUT_OF = {
    SubjectKind.ACCOUNT: Reason.ACCOUNT_OPT_OUT.bit,
    SubjectKind.DEVICE: Reason.DEVICE_OPT_OUT.bit,
}


class Grant:
    """The permission to use a profile in one decision. Only the judge can make one."""

    __slots__ = ()

    def __init__(self, mint: object) -> None:
        if mint is not _MINT:
            raise TypeError("a grant comes from the judge alone")


class RequestVerdict(NamedTuple):
    """What the request alone says; ``reasons`` are those that limit already."""

    reasons: Reasons
    consent: RequestConsent


_NOTHING_FOUND = RequestVerdict(NO_REASONS, SILENT)


class Verdict(NamedTuple):
    """The judgement on one request. There is a grant exactly when no reason was found."""

    reasons: Reasons
    grant: Grant | None = None


_ALLOWED = Verdict(NO_REASONS, Grant(_MINT))
_NO_PROFILE = Verdict(Reason.NO_PROFILE.bit)


def judge_request(request: AdRequest, cookies: Cookies, policy: Policy) -> RequestVerdict:
    """Judge what can be read from the request alone."""
    consent = read_consent(request, cookies.countries, policy)
    reasons = int(consent.reasons)
    if request.signals is not NO_SIGNALS:
        reasons |= _flags(request.signals, policy)
    if cookies.opt_out or cookies.anon_opt_out or cookies.device_doubt:
        reasons |= _cookie_flags(cookies, request.identity)
    return RequestVerdict(Reasons(reasons), consent) if reasons or consent is not SILENT else _NOTHING_FOUND


def read_stored_choices(subjects: Sequence[StoredRecords]) -> list[StoredChoice | None]:
    """Read the preference records, in order; None where there is none, or none that can be trusted."""
    return [None if preference is None else _standing(preference, owner) for _, owner, preference, *_ in subjects]


def judge_stored(
    subjects: Sequence[StoredRecords],
    standings: Sequence[StoredChoice | None],
    of_age_day: int,
    *,
    nap_of_child: bool,
) -> Verdict:
    """Judge the stored records of everyone in a request that nothing has limited so far; at least one.

    The first subject is the one whose profile would be used. ``of_age_day`` is the last birth day
    (``targeting.age.latest_birth_day``) of somebody who is no child.
    """
    reasons = int(Reason.UNDER_AGE.bit) if nap_of_child else 0
    for subject, standing in zip(subjects, standings, strict=True):
        if standing is not None or subject.preference is not None or subject.profile is not None:
            reasons |= _limits(subject, standing, of_age_day)
    if not reasons and subjects[0].profile is None:
        return _NO_PROFILE
    return Verdict(Reasons(reasons)) if reasons else _ALLOWED


def _standing(preference: bytes, owner: bytes) -> StoredChoice | None:
    try:
        return read_stored_choice(preference, owner)
    except RecordUnreadable:
        return None


def _limits(subject: StoredRecords, standing: StoredChoice | None, of_age_day: int) -> Reasons:
    if standing is None:
        if subject.preference is not None:
            return Reason.RECORD_UNREADABLE.bit
        # A profile and its preference record are written together: one alone means that a choice may be lost.
        return Reason.PREFERENCE_LOST.bit
    reasons = NO_REASONS if standing.choice in CHOICES_THAT_ALLOW else _OPT_OUT_OF[subject.kind]
    if standing.birth_day is not None and standing.birth_day > of_age_day:
        return Reasons(reasons | Reason.UNDER_AGE.bit)
    return reasons


def _cookie_flags(cookies: Cookies, identity: Identity) -> Reasons:
    reasons = Reason.COOKIE_OPT_OUT.bit if cookies.opt_out or cookies.anon_opt_out else NO_REASONS
    if cookies.device_doubt and not identity.device_id:
        # The browser may have opted out, and its choice cannot be looked up.
        return Reasons(reasons | Reason.SIGNAL_UNREADABLE.bit)
    return reasons


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
