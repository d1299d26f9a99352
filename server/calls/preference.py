"""SetPreference and GetPreferences: the stored choice.

A choice is written by compare-and-set against the records it was derived from, so that concurrent changes are not
lost. It is acknowledged only when it is stored.
"""

import secrets

from adtargeting.v1 import preference_pb2 as pb

from server.calls.call_context import CallContext
from server.calls.dates import birth_day, date_message, timestamp
from server.calls.subjects import subject_of
from server.choices.choice_store import ChoiceReceipt, ChoiceStore
from server.errors import InvalidRequest
from server.messages.enums import enum
from server.messages.reading import parse
from server.messages.translate import checked_country, named_id
from targeting.model import Subject, SubjectKind
from targeting.places.locale import best_language
from targeting.recording.choice import AppliedChoice, ChangeIdReused, ChoiceMade, apply_once, change_key, opt_out_cookie
from targeting.records.preference import Choice, Preference, Source, decode_preference
from targeting.records.stored_records import StoredRecords

MAX_TICKET_CHARACTERS = 64


def set_preference(payload: bytes, context: CallContext) -> bytes:
    """Store a choice; see ``PreferenceService.SetPreference``. Raises ``InvalidRequest``, ``StoreError``."""
    request = parse(pb.SetPreferenceRequest, payload)
    subject = subject_of(request, context)
    change = _Change(_choice_made(request, context), request.change_id)
    choices = ChoiceStore(
        context.store, context.rulebook, context.replicas, context.needs_disk, context.budget_s, context.now
    )
    stored = choices.update(subject, change.next_record, replaces_unreadable=True)
    return _acknowledge(subject, change, stored, context)


class _Change:
    """A choice on its way into a record; derived again each time the record has changed in the meantime."""

    def __init__(self, made: ChoiceMade, change_id: str) -> None:
        self.made = made
        self.applied = AppliedChoice(Preference(), 0)
        """The latest result of ``next_record``."""
        self._change_id = change_id

    def next_record(self, current: Preference, stored: StoredRecords) -> Preference:
        """Return the record to store. Raises ``InvalidRequest`` where the id stands for the opposite choice."""
        key = change_key(self._change_id, stored.owner) if self._change_id else secrets.token_bytes(8)
        applied = apply_once(current, self.made._replace(change_key=key))
        if isinstance(applied, ChangeIdReused):
            raise InvalidRequest("change_id", "was used for the opposite choice of this subject; send a new one")
        self.applied = applied
        return applied.preference


def get_preferences(payload: bytes, context: CallContext) -> bytes:
    """Return the stored choice; see ``PreferenceService.GetPreferences``. Raises ``InvalidRequest``, ``StoreError``."""
    request = parse(pb.GetPreferencesRequest, payload)
    held = context.store.read([subject_of(request, context)], context.budget_s)[0]
    if held.preference is None:
        return pb.GetPreferencesResponse().SerializeToString()
    return preferences_message(decode_preference(held.preference, held.owner)).SerializeToString()


def preferences_message(preference: Preference) -> pb.GetPreferencesResponse:
    """Return the message of a preference record."""
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
                actor=change.actor,
                ticket=change.ticket,
            )
            for change in preference.history
        ],
        country=preference.country,
        language=preference.language,
        birth_date=None if preference.birth_day is None else date_message(preference.birth_day),
    )


def _choice_made(request: pb.SetPreferenceRequest, context: CallContext) -> ChoiceMade:
    now_s = context.now()
    if request.change_id:
        named_id("change_id", request.change_id)
    choice, source = int(request.choice), int(request.source)
    if choice not in {Choice.OPT_OUT, Choice.OPT_IN}:
        raise InvalidRequest("choice", "must be CHOICE_OPT_OUT or CHOICE_OPT_IN")
    if source not in set(Source):
        raise InvalidRequest("source", "unknown value; use a source of adtargeting.v1.Source")
    return ChoiceMade(
        choice=Choice(choice),
        source=Source(source),
        change_key=b"",
        made_at_ms=int(now_s * 1000),
        country=checked_country("country", request.country),
        language=_language(request.language),
        birth_day=birth_day("birth_date", request.birth_date, now_s) if request.HasField("birth_date") else None,
        actor=context.caller.name,
        ticket=_ticket(request.ticket),
    )


def _ticket(text: str) -> str:
    if len(text) > MAX_TICKET_CHARACTERS:
        raise InvalidRequest("ticket", f"must have at most {MAX_TICKET_CHARACTERS} characters")
    return named_id("ticket", text) if text else ""


def _language(text: str) -> str:
    language = best_language(text, "") if text else ""
    if text and not language:
        raise InvalidRequest("language", "not a language; send a BCP 47 tag or leave it empty")
    return language


def _acknowledge(subject: Subject, change: _Change, stored: ChoiceReceipt, context: CallContext) -> bytes:
    made = change.made
    if not stored.confirmed:
        context.on_unconfirmed(subject, stored.preference)
    if not change.applied.is_repeat:
        context.metrics.count_preference_change(
            made.choice.name.lower(), made.source.name.lower(), "confirmed" if stored.confirmed else "unconfirmed"
        )
    cookie = opt_out_cookie(
        made.choice,
        stored.preference.choice,
        of_browser=subject.kind is SubjectKind.DEVICE,
        policy=context.rulebook().policy.opt_out,
    )
    return pb.SetPreferenceResponse(
        version=change.applied.version,
        durability=pb.DURABILITY_CONFIRMED if stored.confirmed else pb.DURABILITY_UNCONFIRMED,
        replicas_acknowledged=stored.replicas,
        set_cookie=cookie,
        missing_confirmations=[enum(each) for each in stored.missing],
    ).SerializeToString()
