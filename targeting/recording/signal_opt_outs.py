"""Signals that outlast their request: Global Privacy Control and industry opt-outs become stored opt-outs.

A signal never lifts anything and never replaces an opt-out; a choice made after the signal was seen is left alone.
The later absence of a signal changes nothing.
"""

from typing import NamedTuple

from targeting.identifiers import canonical, without_placeholders
from targeting.model import AdRequest, Signals, Subject, SubjectKind
from targeting.policy.policy import SignalPolicy
from targeting.reasons import Reason, reasons_of
from targeting.recording.choice import ChoiceMade, apply_choice
from targeting.records.preference import Choice, Preference, Source
from targeting.signals.cookies import Cookies

LASTING_REASONS = reasons_of(Reason.GLOBAL_PRIVACY_CONTROL, Reason.INDUSTRY_OPT_OUT)
"""A request that is limited for none of these shows no signal worth storing."""


class Sighting(NamedTuple):
    """A signal seen with a subject, and when (milliseconds since 1970)."""

    subject: Subject
    source: Source
    seen_at_ms: int


def sightings(request: AdRequest, cookies: Cookies, policy: SignalPolicy, seen_at_ms: int) -> tuple[Sighting, ...]:
    """Return what the signals of a request make of its account and its device; nothing for linked accounts."""
    source = _lasting_source(request.signals, policy)
    if source is None:
        return ()
    account_id, _, device_id = without_placeholders(request.identity, cookies.muid)
    subjects = (
        Subject(SubjectKind.ACCOUNT, canonical(account_id)),
        Subject(SubjectKind.DEVICE, canonical(device_id)),
    )
    return tuple(Sighting(subject, source, seen_at_ms) for subject in subjects if subject.id)


def opt_out_by_signal(current: Preference, sighting: Sighting, change_key: bytes, now_ms: int) -> Preference | None:
    """Return the record with the opt-out that a signal makes; None: the stored choice stands.

    It stands if it is an opt-out, from any source, or was made after the signal was seen. A choice that was made later
    than now comes from a clock that is fast, so its time says nothing: an opt-in of 12:05 and a signal of 12:01 that
    is stored at 12:02 become an opt-out.
    """
    made_since = sighting.seen_at_ms < current.changed_at_ms <= now_ms
    if current.choice is Choice.OPT_OUT or made_since:
        return None
    made = ChoiceMade(
        choice=Choice.OPT_OUT, source=sighting.source, change_key=change_key, made_at_ms=sighting.seen_at_ms
    )
    return apply_choice(current, made)


def _lasting_source(signals: Signals, policy: SignalPolicy) -> Source | None:
    if signals.global_privacy_control and policy.store_global_privacy_control:
        return Source.GPC
    if signals.industry_opt_outs and policy.store_industry_opt_out:
        return Source.INDUSTRY_PAGE
    return None
