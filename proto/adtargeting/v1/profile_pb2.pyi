import datetime

from adtargeting.v1 import preference_pb2 as _preference_pb2
from adtargeting.v1 import targeting_pb2 as _targeting_pb2
from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ActivityKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACTIVITY_KIND_UNSPECIFIED: _ClassVar[ActivityKind]
    ACTIVITY_KIND_PAGE_VIEW: _ClassVar[ActivityKind]
    ACTIVITY_KIND_CONTENT: _ClassVar[ActivityKind]
    ACTIVITY_KIND_CALL: _ClassVar[ActivityKind]
    ACTIVITY_KIND_PURCHASE: _ClassVar[ActivityKind]
    ACTIVITY_KIND_AD_IMPRESSION: _ClassVar[ActivityKind]
    ACTIVITY_KIND_AD_CLICK: _ClassVar[ActivityKind]
    ACTIVITY_KIND_EXTERNAL_SEGMENT: _ClassVar[ActivityKind]

class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTCOME_UNSPECIFIED: _ClassVar[Outcome]
    OUTCOME_RECORDED: _ClassVar[Outcome]
    OUTCOME_SUPPRESSED: _ClassVar[Outcome]
    OUTCOME_DUPLICATE: _ClassVar[Outcome]
    OUTCOME_REJECTED: _ClassVar[Outcome]

class SegmentKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SEGMENT_KIND_UNSPECIFIED: _ClassVar[SegmentKind]
    SEGMENT_KIND_CONTENT: _ClassVar[SegmentKind]
    SEGMENT_KIND_PURCHASE: _ClassVar[SegmentKind]
    SEGMENT_KIND_EXTERNAL: _ClassVar[SegmentKind]
ACTIVITY_KIND_UNSPECIFIED: ActivityKind
ACTIVITY_KIND_PAGE_VIEW: ActivityKind
ACTIVITY_KIND_CONTENT: ActivityKind
ACTIVITY_KIND_CALL: ActivityKind
ACTIVITY_KIND_PURCHASE: ActivityKind
ACTIVITY_KIND_AD_IMPRESSION: ActivityKind
ACTIVITY_KIND_AD_CLICK: ActivityKind
ACTIVITY_KIND_EXTERNAL_SEGMENT: ActivityKind
OUTCOME_UNSPECIFIED: Outcome
OUTCOME_RECORDED: Outcome
OUTCOME_SUPPRESSED: Outcome
OUTCOME_DUPLICATE: Outcome
OUTCOME_REJECTED: Outcome
SEGMENT_KIND_UNSPECIFIED: SegmentKind
SEGMENT_KIND_CONTENT: SegmentKind
SEGMENT_KIND_PURCHASE: SegmentKind
SEGMENT_KIND_EXTERNAL: SegmentKind

class Activity(_message.Message):
    __slots__ = ("activity_id", "account_id", "device_id", "kind", "segment_ids", "destination_country", "ad_id", "occurred_at", "cookie_header", "signals", "client")
    ACTIVITY_ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_IDS_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_COUNTRY_FIELD_NUMBER: _ClassVar[int]
    AD_ID_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    COOKIE_HEADER_FIELD_NUMBER: _ClassVar[int]
    SIGNALS_FIELD_NUMBER: _ClassVar[int]
    CLIENT_FIELD_NUMBER: _ClassVar[int]
    activity_id: str
    account_id: str
    device_id: str
    kind: ActivityKind
    segment_ids: _containers.RepeatedScalarFieldContainer[str]
    destination_country: str
    ad_id: str
    occurred_at: _timestamp_pb2.Timestamp
    cookie_header: str
    signals: _targeting_pb2.PrivacySignals
    client: _targeting_pb2.ClientSettings
    def __init__(self, activity_id: _Optional[str] = ..., account_id: _Optional[str] = ..., device_id: _Optional[str] = ..., kind: _Optional[_Union[ActivityKind, str]] = ..., segment_ids: _Optional[_Iterable[str]] = ..., destination_country: _Optional[str] = ..., ad_id: _Optional[str] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., cookie_header: _Optional[str] = ..., signals: _Optional[_Union[_targeting_pb2.PrivacySignals, _Mapping]] = ..., client: _Optional[_Union[_targeting_pb2.ClientSettings, _Mapping]] = ...) -> None: ...

class RecordActivityRequest(_message.Message):
    __slots__ = ("activities",)
    ACTIVITIES_FIELD_NUMBER: _ClassVar[int]
    activities: _containers.RepeatedCompositeFieldContainer[Activity]
    def __init__(self, activities: _Optional[_Iterable[_Union[Activity, _Mapping]]] = ...) -> None: ...

class ActivityResult(_message.Message):
    __slots__ = ("outcome", "reasons", "field")
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    outcome: Outcome
    reasons: _containers.RepeatedScalarFieldContainer[_targeting_pb2.Reason]
    field: str
    def __init__(self, outcome: _Optional[_Union[Outcome, str]] = ..., reasons: _Optional[_Iterable[_Union[_targeting_pb2.Reason, str]]] = ..., field: _Optional[str] = ...) -> None: ...

class RecordActivityResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[ActivityResult]
    def __init__(self, results: _Optional[_Iterable[_Union[ActivityResult, _Mapping]]] = ...) -> None: ...

class GetProfileRequest(_message.Message):
    __slots__ = ("account_id", "device_id")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    device_id: str
    def __init__(self, account_id: _Optional[str] = ..., device_id: _Optional[str] = ...) -> None: ...

class DeclaredAttributes(_message.Message):
    __slots__ = ("birth_date", "gender", "occupation", "postal_code", "country", "language")
    BIRTH_DATE_FIELD_NUMBER: _ClassVar[int]
    GENDER_FIELD_NUMBER: _ClassVar[int]
    OCCUPATION_FIELD_NUMBER: _ClassVar[int]
    POSTAL_CODE_FIELD_NUMBER: _ClassVar[int]
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    birth_date: _preference_pb2.Date
    gender: _targeting_pb2.Gender
    occupation: str
    postal_code: str
    country: str
    language: str
    def __init__(self, birth_date: _Optional[_Union[_preference_pb2.Date, _Mapping]] = ..., gender: _Optional[_Union[_targeting_pb2.Gender, str]] = ..., occupation: _Optional[str] = ..., postal_code: _Optional[str] = ..., country: _Optional[str] = ..., language: _Optional[str] = ...) -> None: ...

class StoredInterest(_message.Message):
    __slots__ = ("segment_id", "kind", "score", "updated_at")
    SEGMENT_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    segment_id: str
    kind: SegmentKind
    score: float
    updated_at: _timestamp_pb2.Timestamp
    def __init__(self, segment_id: _Optional[str] = ..., kind: _Optional[_Union[SegmentKind, str]] = ..., score: _Optional[float] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class StoredCallDestination(_message.Message):
    __slots__ = ("country", "weight", "updated_at")
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    country: str
    weight: float
    updated_at: _timestamp_pb2.Timestamp
    def __init__(self, country: _Optional[str] = ..., weight: _Optional[float] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class StoredExposure(_message.Message):
    __slots__ = ("ad_id", "count", "clicks", "last_seen_at")
    AD_ID_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    CLICKS_FIELD_NUMBER: _ClassVar[int]
    LAST_SEEN_AT_FIELD_NUMBER: _ClassVar[int]
    ad_id: str
    count: int
    clicks: int
    last_seen_at: _timestamp_pb2.Timestamp
    def __init__(self, ad_id: _Optional[str] = ..., count: _Optional[int] = ..., clicks: _Optional[int] = ..., last_seen_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetProfileResponse(_message.Message):
    __slots__ = ("profile_held", "preferences", "declared", "interests", "call_destinations", "exposures", "created_at", "updated_at", "expires_at", "version")
    PROFILE_HELD_FIELD_NUMBER: _ClassVar[int]
    PREFERENCES_FIELD_NUMBER: _ClassVar[int]
    DECLARED_FIELD_NUMBER: _ClassVar[int]
    INTERESTS_FIELD_NUMBER: _ClassVar[int]
    CALL_DESTINATIONS_FIELD_NUMBER: _ClassVar[int]
    EXPOSURES_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    profile_held: bool
    preferences: _preference_pb2.GetPreferencesResponse
    declared: DeclaredAttributes
    interests: _containers.RepeatedCompositeFieldContainer[StoredInterest]
    call_destinations: _containers.RepeatedCompositeFieldContainer[StoredCallDestination]
    exposures: _containers.RepeatedCompositeFieldContainer[StoredExposure]
    created_at: _timestamp_pb2.Timestamp
    updated_at: _timestamp_pb2.Timestamp
    expires_at: _timestamp_pb2.Timestamp
    version: int
    def __init__(self, profile_held: _Optional[bool] = ..., preferences: _Optional[_Union[_preference_pb2.GetPreferencesResponse, _Mapping]] = ..., declared: _Optional[_Union[DeclaredAttributes, _Mapping]] = ..., interests: _Optional[_Iterable[_Union[StoredInterest, _Mapping]]] = ..., call_destinations: _Optional[_Iterable[_Union[StoredCallDestination, _Mapping]]] = ..., exposures: _Optional[_Iterable[_Union[StoredExposure, _Mapping]]] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., version: _Optional[int] = ...) -> None: ...

class UpdateProfileRequest(_message.Message):
    __slots__ = ("account_id", "device_id", "declared", "update_mask")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    DECLARED_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    device_id: str
    declared: DeclaredAttributes
    update_mask: _field_mask_pb2.FieldMask
    def __init__(self, account_id: _Optional[str] = ..., device_id: _Optional[str] = ..., declared: _Optional[_Union[DeclaredAttributes, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ...) -> None: ...

class UpdateProfileResponse(_message.Message):
    __slots__ = ("declared", "version")
    DECLARED_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    declared: DeclaredAttributes
    version: int
    def __init__(self, declared: _Optional[_Union[DeclaredAttributes, _Mapping]] = ..., version: _Optional[int] = ...) -> None: ...

class DeleteProfileRequest(_message.Message):
    __slots__ = ("account_id", "device_id")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    device_id: str
    def __init__(self, account_id: _Optional[str] = ..., device_id: _Optional[str] = ...) -> None: ...

class DeleteProfileResponse(_message.Message):
    __slots__ = ("subject_pseudonym", "erased_at", "keys_removed", "preference_version")
    SUBJECT_PSEUDONYM_FIELD_NUMBER: _ClassVar[int]
    ERASED_AT_FIELD_NUMBER: _ClassVar[int]
    KEYS_REMOVED_FIELD_NUMBER: _ClassVar[int]
    PREFERENCE_VERSION_FIELD_NUMBER: _ClassVar[int]
    subject_pseudonym: str
    erased_at: _timestamp_pb2.Timestamp
    keys_removed: int
    preference_version: int
    def __init__(self, subject_pseudonym: _Optional[str] = ..., erased_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., keys_removed: _Optional[int] = ..., preference_version: _Optional[int] = ...) -> None: ...
