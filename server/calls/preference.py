"""SetPreference and GetPreferences: the person's choice, stored so that it holds.

A choice is written by compare-and-set against the records it was derived from, so no change is ever lost between
two that come at once; and it is acknowledged only when it is stored.
"""

import secrets
from datetime import date
from typing import NamedTuple

from adtargeting.v1 import preference_pb2 as pb
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date

from server.calls.subjects import subject_of
from server.calls.tools import CallTools
from server.enums import enum
from server.errors import InvalidRequest
from server.store.ports import Change, Committed, Held, StoreUnavailable
from server.translate import checked_country, checked_id
from server.worker import parse
from targeting.age import date_of, day_of
from targeting.choice import ChoiceMade, apply_choice, change_key, made_before, opt_out_cookie
from targeting.locale import best_language
from targeting.model import Subject, SubjectKind
from targeting.preference import Choice, Preference, Source, decode_preference, encode_preference
from targeting.record import RecordUnreadable

_ATTEMPTS = 16
"""Two writers of one subject are rare and each loses at most once to each other writer."""
_ERASED = b""


class _Stored(NamedTuple):
    """A choice that is stored: whose, the record, the version that holds it, and how safely."""

    subject: Subject
    preference: Preference
    version: int
    committed: Committed


def set_preference(payload: bytes, tools: CallTools) -> bytes:
    """Store a choice; see ``PreferenceService.SetPreference``. Raises ``InvalidRequest``, ``StoreError``."""
    request = parse(pb.SetPreferenceRequest, payload)
    subject = subject_of(request)
    made = _choice_made(request, tools.now())
    policy = tools.rulebook().policy
    for _ in range(_ATTEMPTS):
        held = tools.store.read([subject], tools.budget_s)[0]
        preference, version = _after(held, made, request.change_id)
        erases = preference.choice is Choice.OPT_OUT and policy.opt_out.on_opt_out == "erase"
        change = Change(
            subject,
            held,
            preference=encode_preference(preference, held.owner),
            profile=_ERASED if erases else None,
            seen=_ERASED if erases else None,
        )
        committed = tools.store.commit_durably(change, tools.replicas, tools.budget_s)
        if committed.landed:
            return _acknowledge(_Stored(subject, preference, version, committed), made, tools)
    raise StoreUnavailable("the subject's records kept changing")


def get_preferences(payload: bytes, tools: CallTools) -> bytes:
    """Show the stored choice; see ``PreferenceService.GetPreferences``. Raises ``InvalidRequest``, ``StoreError``."""
    request = parse(pb.GetPreferencesRequest, payload)
    held = tools.store.read([subject_of(request)], tools.budget_s)[0]
    if held.preference is None:
        return pb.GetPreferencesResponse().SerializeToString()
    return preferences_message(decode_preference(held.preference, held.owner)).SerializeToString()


def preferences_message(preference: Preference) -> pb.GetPreferencesResponse:
    """Give the message that shows a preference record."""
    return pb.GetPreferencesResponse(
        choice=enum(preference.choice),
        source=enum(preference.source),
        changed_at=timestamp(preference.changed_at_ms) if preference.changed_at_ms else None,
        version=preference.version,
        history=[
            pb.PreferenceChange(
                version=change.version,
                choice=enum(change.choice),
                source=enum(change.source),
                changed_at=timestamp(change.changed_at_ms),
            )
            for change in preference.history
        ],
        country=preference.country,
        language=preference.language,
        birth_date=None if preference.birth_day is None else date_message(preference.birth_day),
    )


def timestamp(at_ms: int) -> Timestamp:
    """Give the message of a time in milliseconds since 1970."""
    message = Timestamp()
    message.FromMilliseconds(at_ms)
    return message


def date_message(day: int) -> Date:
    """Give the message of a day counted from 1970-01-01."""
    on = date_of(day)
    return Date(year=on.year, month=on.month, day=on.day)


def birth_day(field: str, message: Date, now_s: float) -> int:
    """Read a birth date as a day counted from 1970-01-01. Raises ``InvalidRequest``."""
    try:
        born = day_of(date(message.year, message.month, message.day))
    except ValueError:
        raise InvalidRequest(field, "is no date; send year, month and day of the Gregorian calendar") from None
    if not day_of(date(1900, 1, 1)) <= born <= now_s // 86_400 + 1:
        raise InvalidRequest(field, "lies before 1900 or in the future")
    return born


def _choice_made(request: pb.SetPreferenceRequest, now_s: float) -> ChoiceMade:
    checked_id("change_id", request.change_id)
    choice, source = int(request.choice), int(request.source)
    if choice not in {Choice.OPT_OUT, Choice.OPT_IN}:
        raise InvalidRequest("choice", "must be CHOICE_OPT_OUT or CHOICE_OPT_IN")
    if source not in set(Source):
        raise InvalidRequest("source", "is none that this version knows")
    return ChoiceMade(
        choice=Choice(choice),
        source=Source(source),
        change_key=b"",
        made_at_ms=int(now_s * 1000),
        country=checked_country("country", request.country),
        language=_language(request.language),
        birth_day=birth_day("birth_date", request.birth_date, now_s) if request.HasField("birth_date") else None,
    )


def _language(text: str) -> str:
    language = best_language(text, "") if text else ""
    if text and not language:
        raise InvalidRequest("language", "is no language; send a BCP 47 tag, or nothing")
    return language


def _after(held: Held, made: ChoiceMade, change_id: str) -> tuple[Preference, int]:
    """Give the record to store, and the version that holds this choice.

    A choice that was applied before is stored again as it is: that changes nothing, and tells anew how many
    replicas hold it.
    """
    key = change_key(change_id, held.owner) if change_id else secrets.token_bytes(8)
    current = _current(held)
    if (earlier := made_before(current, key)) is not None:
        return current, earlier.version
    after = apply_choice(current, made._replace(change_key=key))
    return after, after.version


def _current(held: Held) -> Preference:
    if held.preference is None:
        return Preference()
    try:
        return decode_preference(held.preference, held.owner)
    except RecordUnreadable:
        # An explicit choice is the one thing that may replace a record that nobody can read.
        return Preference()


def _acknowledge(stored: _Stored, made: ChoiceMade, tools: CallTools) -> bytes:
    subject, preference, version, committed = stored
    confirmed = committed.replicas >= tools.replicas and (committed.on_disk or not tools.needs_disk)
    durability = pb.DURABILITY_CONFIRMED if confirmed else pb.DURABILITY_UNCONFIRMED
    if not confirmed:
        tools.on_unconfirmed(subject, preference)
    tools.metrics.count_preference_change(
        made.choice.name.lower(), made.source.name.lower(), "confirmed" if confirmed else "unconfirmed"
    )
    return pb.SetPreferenceResponse(
        version=version,
        durability=durability,
        replicas_acknowledged=committed.replicas,
        set_cookie=opt_out_cookie(
            made.choice, of_browser=subject.kind is SubjectKind.DEVICE, policy=tools.rulebook().policy.opt_out
        ),
    ).SerializeToString()
