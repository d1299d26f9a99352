"""The judge: what the signals of a request and the stored records allow.

Default deny: behavioural mode needs every check to say yes. This is the only module that mints a ``Grant``, and
without one no code of behavioural mode runs. Every reason that applies is reported. The judge never reads a profile:
of profiles it knows only whether one is there.
"""

from collections.abc import Sequence
from typing import NamedTuple

from targeting.consent import SILENT, Consent, read_consent
from targeting.model import NO_SIGNALS, AdRequest, Identity, Signals, SubjectKind
from targeting.policy.policy import Policy
from targeting.reasons import Reason
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


class Findings(NamedTuple):
    """What the request alone says; ``mask`` holds the reasons that limit already."""

    mask: int
    consent: Consent


_NOTHING_FOUND = Findings(0, SILENT)


class Verdict(NamedTuple):
    """The judgement on one request. There is a grant exactly when no reason was found."""

    mask: int
    grant: Grant | None = None


_ALLOWED = Verdict(0, Grant(_MINT))


def judge_request(request: AdRequest, cookies: Cookies, policy: Policy) -> Findings:
    """Judge what can be read from the request alone."""
    consent = read_consent(request, cookies.countries, policy)
    mask = consent.mask
    if request.signals is not NO_SIGNALS:
        mask |= _flags(request.signals, policy)
    if cookies.opt_out or cookies.anon_opt_out or cookies.device_doubt:
        mask |= _cookie_flags(cookies, request.identity)
    return Findings(mask, consent) if mask or consent is not SILENT else _NOTHING_FOUND


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
    mask = Reason.UNDER_AGE.bit if nap_of_child else 0
    for subject, standing in zip(subjects, standings, strict=True):
        if standing is not None or subject.preference is not None or subject.profile is not None:
            mask |= _limits(subject, standing, of_age_day)
    if not mask and subjects[0].profile is None:
        mask = Reason.NO_PROFILE.bit
    return Verdict(mask) if mask else _ALLOWED


def _standing(preference: bytes, owner: bytes) -> StoredChoice | None:
    try:
        return read_stored_choice(preference, owner)
    except RecordUnreadable:
        return None


def _limits(subject: StoredRecords, standing: StoredChoice | None, of_age_day: int) -> int:
    if standing is None:
        if subject.preference is not None:
            return Reason.RECORD_UNREADABLE.bit
        # A profile and its preference record are written together: one alone means that a choice may be lost.
        return Reason.PREFERENCE_LOST.bit
    mask = 0
    if standing.choice not in CHOICES_THAT_ALLOW:
        mask = _OPT_OUT_OF[subject.kind]
    if standing.birth_day is not None and standing.birth_day > of_age_day:
        mask |= Reason.UNDER_AGE.bit
    return mask


def _cookie_flags(cookies: Cookies, identity: Identity) -> int:
    mask = Reason.COOKIE_OPT_OUT.bit if cookies.opt_out or cookies.anon_opt_out else 0
    if cookies.device_doubt and not identity.device_id:
        # The browser may have opted out, and its choice cannot be looked up.
        mask |= Reason.SIGNAL_UNREADABLE.bit
    return mask


def _flags(signals: Signals, policy: Policy) -> int:
    mask = 0
    if signals.child_directed:
        mask |= Reason.CHILD_DIRECTED.bit
    if signals.targeted_ads_off:
        mask |= Reason.APP_OPT_OUT.bit
    if signals.industry_opt_outs:
        mask |= Reason.INDUSTRY_OPT_OUT.bit
    if signals.global_privacy_control:
        mask |= Reason.GLOBAL_PRIVACY_CONTROL.bit
    if signals.do_not_track and policy.signals.honour_do_not_track:
        mask |= Reason.DO_NOT_TRACK.bit
    if signals.limit_ad_tracking:
        mask |= Reason.LIMIT_AD_TRACKING.bit
    if signals.unreadable:
        mask |= Reason.SIGNAL_UNREADABLE.bit
    return mask
