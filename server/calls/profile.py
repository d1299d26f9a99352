"""GetProfile, UpdateProfile, DeleteProfile: the rights of access, rectification and erasure.

A change is written only while the records are those that it was derived from. An erasure is acknowledged when one step
has removed the whole profile.
"""

from adtargeting.v1 import profile_pb2 as pb
from google.protobuf.timestamp_pb2 import Timestamp

from server.calls.audited import pseudonym_text
from server.calls.call_context import CallContext
from server.calls.dates import timestamp
from server.calls.declared import declared_message, read_declared, read_paths
from server.calls.preference import preferences_message
from server.calls.subjects import subject_of
from server.choices.retry import read_with_retry
from server.errors import NotAllowed
from server.messages.enums import enum
from server.messages.reading import parse
from server.store.ports import RecordChange, StoreUnavailable
from targeting.recording.correction import CorrectionRefused, correct, declared_in, erase
from targeting.records.envelope import RecordUnreadable
from targeting.records.preference import Preference, decode_preference
from targeting.records.profile import Profile, decode_profile
from targeting.records.stored_records import StoredRecords

_DAY_S = 86_400
_REFUSAL = "the profile may not be changed: the person opted out or is under age, or a record is unreadable"


def get_profile(payload: bytes, context: CallContext) -> bytes:
    """Return everything stored; see ``ProfileService.GetProfile``. Raises ``InvalidRequest``, ``StoreError``.

    An unreadable profile is reported as stored, without its content.
    """
    subject = subject_of(parse(pb.GetProfileRequest, payload), context)
    held = context.store.read([subject], context.budget_s)[0]
    preference, profile = _preference(held), _profile(held)
    response = pb.GetProfileResponse(profile_held=held.profile is not None)
    if preference is not None:
        response.preferences.CopyFrom(preferences_message(preference))
    if preference is not None or profile is not None:
        response.declared.CopyFrom(declared_message(declared_in(preference or Preference(), profile)))
    if profile is not None:
        response.MergeFrom(_profile_message(profile, context.rulebook().policy.retention.profile_days))
    return response.SerializeToString()


def update_profile(payload: bytes, context: CallContext) -> bytes:
    """Correct declared attributes; see ``ProfileService.UpdateProfile``.

    Raises ``InvalidRequest``, ``NotAllowed``, ``StoreError``.
    """
    request = parse(pb.UpdateProfileRequest, payload)
    subject, paths = subject_of(request, context), read_paths(request.update_mask.paths)
    now_s = context.now()
    declared = read_declared(request.declared, paths, now_s)
    rules = (context.rulebook().policy, now_s)
    for held, left_s in read_with_retry(context.store, subject, context.budget_s):
        corrected = correct(held, declared, paths, rules)
        if isinstance(corrected, CorrectionRefused):
            context.metrics.count_profile_writes("suppressed")
            raise NotAllowed(_REFUSAL)
        # The correction itself may limit for good: a birth date that shows a child.
        change = RecordChange(subject, held, *corrected.values)
        if context.store.commit_durably(change, context.replicas, left_s).landed:
            context.metrics.count_profile_writes("corrected")
            return pb.UpdateProfileResponse(
                declared=declared_message(corrected.declared), version=corrected.version
            ).SerializeToString()
    raise StoreUnavailable("the subject's records kept changing")


def delete_profile(payload: bytes, context: CallContext) -> bytes:
    """Erase the profile; see ``ProfileService.DeleteProfile``. Raises ``InvalidRequest``, ``StoreError``."""
    subject = subject_of(parse(pb.DeleteProfileRequest, payload), context)
    for held, left_s in read_with_retry(context.store, subject, context.budget_s):
        values = erase(held, int(context.now() * 1000))
        # One step removes everything, also what was written since the records were read.
        committed = context.store.commit_durably(RecordChange(subject, held, *values), context.replicas, left_s)
        if committed.landed:
            context.metrics.count_profile_writes("erased")
            after = held._replace(preference=values.preference or held.preference)
            return _receipt(after, committed.removed, context.now())
    raise StoreUnavailable("the subject's records kept changing")


def _receipt(held: StoredRecords, removed: int, now_s: float) -> bytes:
    preference = _preference(held)
    return pb.DeleteProfileResponse(
        subject_pseudonym=pseudonym_text(held.owner),
        erased_at=timestamp(int(now_s * 1000)),
        keys_removed=removed,
        preference_version=preference.version if preference else 0,
    ).SerializeToString()


def _preference(held: StoredRecords) -> Preference | None:
    try:
        return None if held.preference is None else decode_preference(held.preference, held.owner)
    except RecordUnreadable:
        return None


def _profile(held: StoredRecords) -> Profile | None:
    try:
        return None if held.profile is None else decode_profile(held.profile, held.owner)
    except RecordUnreadable:
        return None


def _profile_message(profile: Profile, retention_days: int) -> pb.GetProfileResponse:
    return pb.GetProfileResponse(
        interests=[
            pb.StoredInterest(
                segment_id=held.segment_id, kind=enum(held.kind), score=held.score, updated_at=_seconds(held.updated_s)
            )
            for held in profile.interests
        ],
        call_destinations=[
            pb.StoredCallDestination(country=held.country, weight=held.weight, updated_at=_seconds(held.updated_s))
            for held in profile.destinations
        ],
        exposures=[
            pb.StoredExposure(
                ad_id=held.ad_id,
                count=held.impressions,
                clicks=held.clicks,
                last_seen_at=_seconds(held.last_seen_s),
            )
            for held in profile.exposures
        ],
        created_at=_seconds(profile.created_s),
        updated_at=_seconds(profile.updated_s),
        expires_at=_seconds(profile.updated_s + retention_days * _DAY_S),
        version=profile.version,
    )


def _seconds(at_s: int) -> Timestamp:
    return timestamp(at_s * 1000)
