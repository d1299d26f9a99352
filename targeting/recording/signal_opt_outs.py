"""Signals that outlast their request: Global Privacy Control and industry opt-outs become stored opt-outs.

A signal never lifts anything and never replaces an opt-out; a choice made after the signal was seen is left alone.
The later absence of a signal changes nothing. What it stores lasts for good, except for a device of which nothing
else is stored: that record expires some days after the last sighting, so that invented ids do not fill the store.
"""

from typing import NamedTuple

from targeting.model import AdRequest, Signals, Subject, SubjectKind
from targeting.policy.policy import SignalPolicy
from targeting.reasons import Reason, reasons_of
from targeting.recording.choice import ChoiceMade, apply_choice
from targeting.records.preference import Choice, Preference, Source
from targeting.records.stored_records import StoredRecords
from targeting.signals.cookies import Cookies
from targeting.subjects.identifiers import canonical, without_placeholders

LASTING_REASONS = reasons_of(Reason.GLOBAL_PRIVACY_CONTROL, Reason.INDUSTRY_OPT_OUT)
"""A request that is limited for none of these shows no signal worth storing."""

_DAY_S = 86_400
_RENEW_AFTER_S = _DAY_S
"""An expiry is moved at most once a day."""


class Sighting(NamedTuple):
    """A signal seen with a subject, when (milliseconds since 1970), and the caller that showed it.

    ``change_key`` is eight random bytes that identify the change it makes, and ``actor`` is the caller's name.
    """

    subject: Subject
    source: Source
    seen_at_ms: int
    change_key: bytes
    caller: str = ""
    actor: str = ""


def sightings(
    request: AdRequest, cookies: Cookies, policy: SignalPolicy, seen_at_ms: int, change_key: bytes
) -> tuple[Sighting, ...]:
    """Return what the signals of a request make of its account and its device; nothing for linked accounts."""
    source = _lasting_source(request.signals, policy)
    if source is None:
        return ()
    account_id, _, device_id = without_placeholders(request.identity, cookies.muid)
    subjects = (
        Subject(SubjectKind.ACCOUNT, canonical(account_id)),
        Subject(SubjectKind.DEVICE, canonical(device_id)),
    )
    return tuple(
        Sighting(subject, source, seen_at_ms, change_key, request.caller) for subject in subjects if subject.id
    )


def is_new_device(records: StoredRecords) -> bool:
    """Whether these are the records of a device of which nothing is stored."""
    return records.kind is SubjectKind.DEVICE and records.preference is None and records.profile is None


def opt_out_by_signal(
    current: Preference, records: StoredRecords, sighting: Sighting, now_ms: int, policy: SignalPolicy
) -> Preference | None:
    """Return the record with the opt-out that a signal makes; None: the stored choice stands.

    It stands if it is an opt-out, from any source, or was made after the signal was seen. A choice that was made later
    than now comes from a clock that is fast, so its time says nothing: an opt-in of 12:05 and a signal of 12:01 that
    is stored at 12:02 become an opt-out. An opt-out that expires is renewed, at most once a day. Example with 400 days:
    seen on 1 January and on 5 February of one year, it expires on 11 March of the next.
    """
    seen_s = sighting.seen_at_ms // 1000
    expires_s = seen_s + policy.new_device_days * _DAY_S
    if current.choice is Choice.OPT_OUT:
        due = current.expires_s and expires_s - current.expires_s >= _RENEW_AFTER_S
        return current._replace(expires_s=expires_s) if due else None
    if sighting.seen_at_ms < current.changed_at_ms <= now_ms:
        return None
    made = ChoiceMade(
        choice=Choice.OPT_OUT,
        source=sighting.source,
        change_key=sighting.change_key,
        made_at_ms=sighting.seen_at_ms,
        actor=sighting.actor,
    )
    return apply_choice(current, made)._replace(expires_s=expires_s if is_new_device(records) else 0)


def _lasting_source(signals: Signals, policy: SignalPolicy) -> Source | None:
    if signals.global_privacy_control and policy.store_global_privacy_control:
        return Source.GPC
    if signals.industry_opt_outs and policy.store_industry_opt_out:
        return Source.INDUSTRY_PAGE
    return None
