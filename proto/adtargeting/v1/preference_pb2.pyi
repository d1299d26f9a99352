import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Choice(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHOICE_UNSPECIFIED: _ClassVar[Choice]
    CHOICE_OPT_OUT: _ClassVar[Choice]
    CHOICE_OPT_IN: _ClassVar[Choice]

class Source(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SOURCE_UNSPECIFIED: _ClassVar[Source]
    SOURCE_ACCOUNT_PAGE: _ClassVar[Source]
    SOURCE_CLIENT_SETTING: _ClassVar[Source]
    SOURCE_BROWSER: _ClassVar[Source]
    SOURCE_INDUSTRY_PAGE: _ClassVar[Source]
    SOURCE_GPC: _ClassVar[Source]
    SOURCE_GUARDIAN: _ClassVar[Source]
    SOURCE_SUPPORT: _ClassVar[Source]

class Durability(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DURABILITY_UNSPECIFIED: _ClassVar[Durability]
    DURABILITY_CONFIRMED: _ClassVar[Durability]
    DURABILITY_UNCONFIRMED: _ClassVar[Durability]

class Confirmation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONFIRMATION_UNSPECIFIED: _ClassVar[Confirmation]
    CONFIRMATION_DISK: _ClassVar[Confirmation]
    CONFIRMATION_REPLICAS: _ClassVar[Confirmation]
CHOICE_UNSPECIFIED: Choice
CHOICE_OPT_OUT: Choice
CHOICE_OPT_IN: Choice
SOURCE_UNSPECIFIED: Source
SOURCE_ACCOUNT_PAGE: Source
SOURCE_CLIENT_SETTING: Source
SOURCE_BROWSER: Source
SOURCE_INDUSTRY_PAGE: Source
SOURCE_GPC: Source
SOURCE_GUARDIAN: Source
SOURCE_SUPPORT: Source
DURABILITY_UNSPECIFIED: Durability
DURABILITY_CONFIRMED: Durability
DURABILITY_UNCONFIRMED: Durability
CONFIRMATION_UNSPECIFIED: Confirmation
CONFIRMATION_DISK: Confirmation
CONFIRMATION_REPLICAS: Confirmation

class Date(_message.Message):
    __slots__ = ("year", "month", "day")
    YEAR_FIELD_NUMBER: _ClassVar[int]
    MONTH_FIELD_NUMBER: _ClassVar[int]
    DAY_FIELD_NUMBER: _ClassVar[int]
    year: int
    month: int
    day: int
    def __init__(self, year: _Optional[int] = ..., month: _Optional[int] = ..., day: _Optional[int] = ...) -> None: ...

class SetPreferenceRequest(_message.Message):
    __slots__ = ("account_id", "device_id", "choice", "source", "change_id", "country", "language", "birth_date", "ticket")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    CHOICE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    CHANGE_ID_FIELD_NUMBER: _ClassVar[int]
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    BIRTH_DATE_FIELD_NUMBER: _ClassVar[int]
    TICKET_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    device_id: str
    choice: Choice
    source: Source
    change_id: str
    country: str
    language: str
    birth_date: Date
    ticket: str
    def __init__(self, account_id: _Optional[str] = ..., device_id: _Optional[str] = ..., choice: _Optional[_Union[Choice, str]] = ..., source: _Optional[_Union[Source, str]] = ..., change_id: _Optional[str] = ..., country: _Optional[str] = ..., language: _Optional[str] = ..., birth_date: _Optional[_Union[Date, _Mapping]] = ..., ticket: _Optional[str] = ...) -> None: ...

class SetPreferenceResponse(_message.Message):
    __slots__ = ("version", "durability", "replicas_acknowledged", "set_cookie", "missing_confirmations")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DURABILITY_FIELD_NUMBER: _ClassVar[int]
    REPLICAS_ACKNOWLEDGED_FIELD_NUMBER: _ClassVar[int]
    SET_COOKIE_FIELD_NUMBER: _ClassVar[int]
    MISSING_CONFIRMATIONS_FIELD_NUMBER: _ClassVar[int]
    version: int
    durability: Durability
    replicas_acknowledged: int
    set_cookie: str
    missing_confirmations: _containers.RepeatedScalarFieldContainer[Confirmation]
    def __init__(self, version: _Optional[int] = ..., durability: _Optional[_Union[Durability, str]] = ..., replicas_acknowledged: _Optional[int] = ..., set_cookie: _Optional[str] = ..., missing_confirmations: _Optional[_Iterable[_Union[Confirmation, str]]] = ...) -> None: ...

class GetPreferencesRequest(_message.Message):
    __slots__ = ("account_id", "device_id")
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    account_id: str
    device_id: str
    def __init__(self, account_id: _Optional[str] = ..., device_id: _Optional[str] = ...) -> None: ...

class GetPreferencesResponse(_message.Message):
    __slots__ = ("choice", "source", "changed_at", "version", "history", "country", "language", "birth_date")
    CHOICE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    CHANGED_AT_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    BIRTH_DATE_FIELD_NUMBER: _ClassVar[int]
    choice: Choice
    source: Source
    changed_at: _timestamp_pb2.Timestamp
    version: int
    history: _containers.RepeatedCompositeFieldContainer[PreferenceChange]
    country: str
    language: str
    birth_date: Date
    def __init__(self, choice: _Optional[_Union[Choice, str]] = ..., source: _Optional[_Union[Source, str]] = ..., changed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., version: _Optional[int] = ..., history: _Optional[_Iterable[_Union[PreferenceChange, _Mapping]]] = ..., country: _Optional[str] = ..., language: _Optional[str] = ..., birth_date: _Optional[_Union[Date, _Mapping]] = ...) -> None: ...

class PreferenceChange(_message.Message):
    __slots__ = ("version", "choice", "source", "changed_at", "actor", "ticket")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CHOICE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    CHANGED_AT_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    TICKET_FIELD_NUMBER: _ClassVar[int]
    version: int
    choice: Choice
    source: Source
    changed_at: _timestamp_pb2.Timestamp
    actor: str
    ticket: str
    def __init__(self, version: _Optional[int] = ..., choice: _Optional[_Union[Choice, str]] = ..., source: _Optional[_Union[Source, str]] = ..., changed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., actor: _Optional[str] = ..., ticket: _Optional[str] = ...) -> None: ...
