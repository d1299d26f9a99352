from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AgeTreatment(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AGE_TREATMENT_UNSPECIFIED: _ClassVar[AgeTreatment]
    AGE_TREATMENT_CHILD: _ClassVar[AgeTreatment]
    AGE_TREATMENT_TEEN: _ClassVar[AgeTreatment]
    AGE_TREATMENT_ADULT: _ClassVar[AgeTreatment]

class IndustryOptOut(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INDUSTRY_OPT_OUT_UNSPECIFIED: _ClassVar[IndustryOptOut]
    INDUSTRY_OPT_OUT_DAA: _ClassVar[IndustryOptOut]
    INDUSTRY_OPT_OUT_NAI: _ClassVar[IndustryOptOut]
    INDUSTRY_OPT_OUT_EDAA: _ClassVar[IndustryOptOut]
    INDUSTRY_OPT_OUT_DAAC: _ClassVar[IndustryOptOut]

class Mode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MODE_UNSPECIFIED: _ClassVar[Mode]
    MODE_BEHAVIOURAL: _ClassVar[Mode]
    MODE_LIMITED: _ClassVar[Mode]

class Reason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REASON_UNSPECIFIED: _ClassVar[Reason]
    REASON_CHILD_DIRECTED: _ClassVar[Reason]
    REASON_APP_OPT_OUT: _ClassVar[Reason]
    REASON_COOKIE_OPT_OUT: _ClassVar[Reason]
    REASON_INDUSTRY_OPT_OUT: _ClassVar[Reason]
    REASON_GLOBAL_PRIVACY_CONTROL: _ClassVar[Reason]
    REASON_DO_NOT_TRACK: _ClassVar[Reason]
    REASON_LIMIT_AD_TRACKING: _ClassVar[Reason]
    REASON_TCF_NO_CONSENT: _ClassVar[Reason]
    REASON_GPP_OPT_OUT: _ClassVar[Reason]
    REASON_US_PRIVACY_OPT_OUT: _ClassVar[Reason]
    REASON_SIGNAL_UNREADABLE: _ClassVar[Reason]
    REASON_ACCOUNT_OPT_OUT: _ClassVar[Reason]
    REASON_DEVICE_OPT_OUT: _ClassVar[Reason]
    REASON_UNDER_AGE: _ClassVar[Reason]
    REASON_PREFERENCE_LOST: _ClassVar[Reason]
    REASON_RECORD_UNREADABLE: _ClassVar[Reason]
    REASON_STORE_TIMEOUT: _ClassVar[Reason]
    REASON_STORE_UNAVAILABLE: _ClassVar[Reason]
    REASON_OPT_IN_REQUIRED: _ClassVar[Reason]
    REASON_NO_PROFILE: _ClassVar[Reason]
    REASON_NO_SUBJECT: _ClassVar[Reason]
    REASON_NETWORK_UNKNOWN: _ClassVar[Reason]
    REASON_NETWORK_POLICY: _ClassVar[Reason]

class AgeBracket(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AGE_BRACKET_UNSPECIFIED: _ClassVar[AgeBracket]
    AGE_BRACKET_13_17: _ClassVar[AgeBracket]
    AGE_BRACKET_18_24: _ClassVar[AgeBracket]
    AGE_BRACKET_25_34: _ClassVar[AgeBracket]
    AGE_BRACKET_35_44: _ClassVar[AgeBracket]
    AGE_BRACKET_45_54: _ClassVar[AgeBracket]
    AGE_BRACKET_55_64: _ClassVar[AgeBracket]
    AGE_BRACKET_65_PLUS: _ClassVar[AgeBracket]

class Gender(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    GENDER_UNSPECIFIED: _ClassVar[Gender]
    GENDER_FEMALE: _ClassVar[Gender]
    GENDER_MALE: _ClassVar[Gender]
    GENDER_OTHER: _ClassVar[Gender]
AGE_TREATMENT_UNSPECIFIED: AgeTreatment
AGE_TREATMENT_CHILD: AgeTreatment
AGE_TREATMENT_TEEN: AgeTreatment
AGE_TREATMENT_ADULT: AgeTreatment
INDUSTRY_OPT_OUT_UNSPECIFIED: IndustryOptOut
INDUSTRY_OPT_OUT_DAA: IndustryOptOut
INDUSTRY_OPT_OUT_NAI: IndustryOptOut
INDUSTRY_OPT_OUT_EDAA: IndustryOptOut
INDUSTRY_OPT_OUT_DAAC: IndustryOptOut
MODE_UNSPECIFIED: Mode
MODE_BEHAVIOURAL: Mode
MODE_LIMITED: Mode
REASON_UNSPECIFIED: Reason
REASON_CHILD_DIRECTED: Reason
REASON_APP_OPT_OUT: Reason
REASON_COOKIE_OPT_OUT: Reason
REASON_INDUSTRY_OPT_OUT: Reason
REASON_GLOBAL_PRIVACY_CONTROL: Reason
REASON_DO_NOT_TRACK: Reason
REASON_LIMIT_AD_TRACKING: Reason
REASON_TCF_NO_CONSENT: Reason
REASON_GPP_OPT_OUT: Reason
REASON_US_PRIVACY_OPT_OUT: Reason
REASON_SIGNAL_UNREADABLE: Reason
REASON_ACCOUNT_OPT_OUT: Reason
REASON_DEVICE_OPT_OUT: Reason
REASON_UNDER_AGE: Reason
REASON_PREFERENCE_LOST: Reason
REASON_RECORD_UNREADABLE: Reason
REASON_STORE_TIMEOUT: Reason
REASON_STORE_UNAVAILABLE: Reason
REASON_OPT_IN_REQUIRED: Reason
REASON_NO_PROFILE: Reason
REASON_NO_SUBJECT: Reason
REASON_NETWORK_UNKNOWN: Reason
REASON_NETWORK_POLICY: Reason
AGE_BRACKET_UNSPECIFIED: AgeBracket
AGE_BRACKET_13_17: AgeBracket
AGE_BRACKET_18_24: AgeBracket
AGE_BRACKET_25_34: AgeBracket
AGE_BRACKET_35_44: AgeBracket
AGE_BRACKET_45_54: AgeBracket
AGE_BRACKET_55_64: AgeBracket
AGE_BRACKET_65_PLUS: AgeBracket
GENDER_UNSPECIFIED: Gender
GENDER_FEMALE: Gender
GENDER_MALE: Gender
GENDER_OTHER: Gender

class DecideRequest(_message.Message):
    __slots__ = ("request_id", "account_id", "linked_account_ids", "device_id", "ip", "accept_language", "cookie_header", "client", "signals", "third_party_networks", "dry_run")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    LINKED_ACCOUNT_IDS_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    IP_FIELD_NUMBER: _ClassVar[int]
    ACCEPT_LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    COOKIE_HEADER_FIELD_NUMBER: _ClassVar[int]
    CLIENT_FIELD_NUMBER: _ClassVar[int]
    SIGNALS_FIELD_NUMBER: _ClassVar[int]
    THIRD_PARTY_NETWORKS_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    account_id: str
    linked_account_ids: _containers.RepeatedScalarFieldContainer[str]
    device_id: str
    ip: str
    accept_language: str
    cookie_header: str
    client: ClientSettings
    signals: PrivacySignals
    third_party_networks: _containers.RepeatedScalarFieldContainer[str]
    dry_run: bool
    def __init__(self, request_id: _Optional[str] = ..., account_id: _Optional[str] = ..., linked_account_ids: _Optional[_Iterable[str]] = ..., device_id: _Optional[str] = ..., ip: _Optional[str] = ..., accept_language: _Optional[str] = ..., cookie_header: _Optional[str] = ..., client: _Optional[_Union[ClientSettings, _Mapping]] = ..., signals: _Optional[_Union[PrivacySignals, _Mapping]] = ..., third_party_networks: _Optional[_Iterable[str]] = ..., dry_run: _Optional[bool] = ...) -> None: ...

class ClientSettings(_message.Message):
    __slots__ = ("app", "targeted_ads_off", "country", "language")
    APP_FIELD_NUMBER: _ClassVar[int]
    TARGETED_ADS_OFF_FIELD_NUMBER: _ClassVar[int]
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    app: str
    targeted_ads_off: bool
    country: str
    language: str
    def __init__(self, app: _Optional[str] = ..., targeted_ads_off: _Optional[bool] = ..., country: _Optional[str] = ..., language: _Optional[str] = ...) -> None: ...

class PrivacySignals(_message.Message):
    __slots__ = ("child_directed", "global_privacy_control", "do_not_track", "limit_ad_tracking", "gdpr_applies", "tcf_consent", "gpp", "gpp_section_ids", "us_privacy", "industry_opt_outs", "age_treatment")
    CHILD_DIRECTED_FIELD_NUMBER: _ClassVar[int]
    GLOBAL_PRIVACY_CONTROL_FIELD_NUMBER: _ClassVar[int]
    DO_NOT_TRACK_FIELD_NUMBER: _ClassVar[int]
    LIMIT_AD_TRACKING_FIELD_NUMBER: _ClassVar[int]
    GDPR_APPLIES_FIELD_NUMBER: _ClassVar[int]
    TCF_CONSENT_FIELD_NUMBER: _ClassVar[int]
    GPP_FIELD_NUMBER: _ClassVar[int]
    GPP_SECTION_IDS_FIELD_NUMBER: _ClassVar[int]
    US_PRIVACY_FIELD_NUMBER: _ClassVar[int]
    INDUSTRY_OPT_OUTS_FIELD_NUMBER: _ClassVar[int]
    AGE_TREATMENT_FIELD_NUMBER: _ClassVar[int]
    child_directed: bool
    global_privacy_control: bool
    do_not_track: bool
    limit_ad_tracking: bool
    gdpr_applies: bool
    tcf_consent: str
    gpp: str
    gpp_section_ids: _containers.RepeatedScalarFieldContainer[int]
    us_privacy: str
    industry_opt_outs: _containers.RepeatedScalarFieldContainer[IndustryOptOut]
    age_treatment: AgeTreatment
    def __init__(self, child_directed: _Optional[bool] = ..., global_privacy_control: _Optional[bool] = ..., do_not_track: _Optional[bool] = ..., limit_ad_tracking: _Optional[bool] = ..., gdpr_applies: _Optional[bool] = ..., tcf_consent: _Optional[str] = ..., gpp: _Optional[str] = ..., gpp_section_ids: _Optional[_Iterable[int]] = ..., us_privacy: _Optional[str] = ..., industry_opt_outs: _Optional[_Iterable[_Union[IndustryOptOut, str]]] = ..., age_treatment: _Optional[_Union[AgeTreatment, str]] = ...) -> None: ...

class DecideResponse(_message.Message):
    __slots__ = ("request_id", "mode", "reasons", "limited", "behavioural", "networks", "co_brand", "policy_version")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    LIMITED_FIELD_NUMBER: _ClassVar[int]
    BEHAVIOURAL_FIELD_NUMBER: _ClassVar[int]
    NETWORKS_FIELD_NUMBER: _ClassVar[int]
    CO_BRAND_FIELD_NUMBER: _ClassVar[int]
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    mode: Mode
    reasons: _containers.RepeatedScalarFieldContainer[Reason]
    limited: LimitedFeatures
    behavioural: BehaviouralFeatures
    networks: _containers.RepeatedCompositeFieldContainer[NetworkDecision]
    co_brand: str
    policy_version: str
    def __init__(self, request_id: _Optional[str] = ..., mode: _Optional[_Union[Mode, str]] = ..., reasons: _Optional[_Iterable[_Union[Reason, str]]] = ..., limited: _Optional[_Union[LimitedFeatures, _Mapping]] = ..., behavioural: _Optional[_Union[BehaviouralFeatures, _Mapping]] = ..., networks: _Optional[_Iterable[_Union[NetworkDecision, _Mapping]]] = ..., co_brand: _Optional[str] = ..., policy_version: _Optional[str] = ...) -> None: ...

class LimitedFeatures(_message.Message):
    __slots__ = ("country", "language", "ip_country", "ip_subdivision")
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    IP_COUNTRY_FIELD_NUMBER: _ClassVar[int]
    IP_SUBDIVISION_FIELD_NUMBER: _ClassVar[int]
    country: str
    language: str
    ip_country: str
    ip_subdivision: str
    def __init__(self, country: _Optional[str] = ..., language: _Optional[str] = ..., ip_country: _Optional[str] = ..., ip_subdivision: _Optional[str] = ...) -> None: ...

class BehaviouralFeatures(_message.Message):
    __slots__ = ("demographics", "interests", "call_destinations", "exposures", "vector", "vector_schema")
    DEMOGRAPHICS_FIELD_NUMBER: _ClassVar[int]
    INTERESTS_FIELD_NUMBER: _ClassVar[int]
    CALL_DESTINATIONS_FIELD_NUMBER: _ClassVar[int]
    EXPOSURES_FIELD_NUMBER: _ClassVar[int]
    VECTOR_FIELD_NUMBER: _ClassVar[int]
    VECTOR_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    demographics: Demographics
    interests: _containers.RepeatedCompositeFieldContainer[Interest]
    call_destinations: _containers.RepeatedCompositeFieldContainer[CallDestination]
    exposures: _containers.RepeatedCompositeFieldContainer[Exposure]
    vector: bytes
    vector_schema: str
    def __init__(self, demographics: _Optional[_Union[Demographics, _Mapping]] = ..., interests: _Optional[_Iterable[_Union[Interest, _Mapping]]] = ..., call_destinations: _Optional[_Iterable[_Union[CallDestination, _Mapping]]] = ..., exposures: _Optional[_Iterable[_Union[Exposure, _Mapping]]] = ..., vector: _Optional[bytes] = ..., vector_schema: _Optional[str] = ...) -> None: ...

class Demographics(_message.Message):
    __slots__ = ("age_bracket", "gender", "occupation", "postal_prefix")
    AGE_BRACKET_FIELD_NUMBER: _ClassVar[int]
    GENDER_FIELD_NUMBER: _ClassVar[int]
    OCCUPATION_FIELD_NUMBER: _ClassVar[int]
    POSTAL_PREFIX_FIELD_NUMBER: _ClassVar[int]
    age_bracket: AgeBracket
    gender: Gender
    occupation: str
    postal_prefix: str
    def __init__(self, age_bracket: _Optional[_Union[AgeBracket, str]] = ..., gender: _Optional[_Union[Gender, str]] = ..., occupation: _Optional[str] = ..., postal_prefix: _Optional[str] = ...) -> None: ...

class Interest(_message.Message):
    __slots__ = ("segment_id", "score")
    SEGMENT_ID_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    segment_id: str
    score: float
    def __init__(self, segment_id: _Optional[str] = ..., score: _Optional[float] = ...) -> None: ...

class CallDestination(_message.Message):
    __slots__ = ("country", "share")
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    SHARE_FIELD_NUMBER: _ClassVar[int]
    country: str
    share: float
    def __init__(self, country: _Optional[str] = ..., share: _Optional[float] = ...) -> None: ...

class Exposure(_message.Message):
    __slots__ = ("ad_id", "count", "last_seen_age_s")
    AD_ID_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    LAST_SEEN_AGE_S_FIELD_NUMBER: _ClassVar[int]
    ad_id: str
    count: int
    last_seen_age_s: int
    def __init__(self, ad_id: _Optional[str] = ..., count: _Optional[int] = ..., last_seen_age_s: _Optional[int] = ...) -> None: ...

class NetworkDecision(_message.Message):
    __slots__ = ("network_id", "contact_allowed", "profile_shared", "id_shared", "precise_geo_allowed", "reasons", "limited", "masked_ip", "network_user_id", "profile")
    NETWORK_ID_FIELD_NUMBER: _ClassVar[int]
    CONTACT_ALLOWED_FIELD_NUMBER: _ClassVar[int]
    PROFILE_SHARED_FIELD_NUMBER: _ClassVar[int]
    ID_SHARED_FIELD_NUMBER: _ClassVar[int]
    PRECISE_GEO_ALLOWED_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    LIMITED_FIELD_NUMBER: _ClassVar[int]
    MASKED_IP_FIELD_NUMBER: _ClassVar[int]
    NETWORK_USER_ID_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    network_id: str
    contact_allowed: bool
    profile_shared: bool
    id_shared: bool
    precise_geo_allowed: bool
    reasons: _containers.RepeatedScalarFieldContainer[Reason]
    limited: LimitedFeatures
    masked_ip: str
    network_user_id: str
    profile: ThirdPartyProfile
    def __init__(self, network_id: _Optional[str] = ..., contact_allowed: _Optional[bool] = ..., profile_shared: _Optional[bool] = ..., id_shared: _Optional[bool] = ..., precise_geo_allowed: _Optional[bool] = ..., reasons: _Optional[_Iterable[_Union[Reason, str]]] = ..., limited: _Optional[_Union[LimitedFeatures, _Mapping]] = ..., masked_ip: _Optional[str] = ..., network_user_id: _Optional[str] = ..., profile: _Optional[_Union[ThirdPartyProfile, _Mapping]] = ...) -> None: ...

class ThirdPartyProfile(_message.Message):
    __slots__ = ("age_bracket", "gender", "country", "language", "interests")
    AGE_BRACKET_FIELD_NUMBER: _ClassVar[int]
    GENDER_FIELD_NUMBER: _ClassVar[int]
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    INTERESTS_FIELD_NUMBER: _ClassVar[int]
    age_bracket: AgeBracket
    gender: Gender
    country: str
    language: str
    interests: _containers.RepeatedCompositeFieldContainer[Interest]
    def __init__(self, age_bracket: _Optional[_Union[AgeBracket, str]] = ..., gender: _Optional[_Union[Gender, str]] = ..., country: _Optional[str] = ..., language: _Optional[str] = ..., interests: _Optional[_Iterable[_Union[Interest, _Mapping]]] = ...) -> None: ...

class DecideBatchRequest(_message.Message):
    __slots__ = ("requests",)
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    requests: _containers.RepeatedCompositeFieldContainer[DecideRequest]
    def __init__(self, requests: _Optional[_Iterable[_Union[DecideRequest, _Mapping]]] = ...) -> None: ...

class DecideBatchResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[DecideBatchResult]
    def __init__(self, results: _Optional[_Iterable[_Union[DecideBatchResult, _Mapping]]] = ...) -> None: ...

class DecideBatchResult(_message.Message):
    __slots__ = ("response", "error")
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    response: DecideResponse
    error: DecideBatchError
    def __init__(self, response: _Optional[_Union[DecideResponse, _Mapping]] = ..., error: _Optional[_Union[DecideBatchError, _Mapping]] = ...) -> None: ...

class DecideBatchError(_message.Message):
    __slots__ = ("code", "field", "message")
    CODE_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    code: int
    field: str
    message: str
    def __init__(self, code: _Optional[int] = ..., field: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class ExplainResponse(_message.Message):
    __slots__ = ("decision", "checks", "country_table_age_s")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    CHECKS_FIELD_NUMBER: _ClassVar[int]
    COUNTRY_TABLE_AGE_S_FIELD_NUMBER: _ClassVar[int]
    decision: DecideResponse
    checks: _containers.RepeatedCompositeFieldContainer[Check]
    country_table_age_s: int
    def __init__(self, decision: _Optional[_Union[DecideResponse, _Mapping]] = ..., checks: _Optional[_Iterable[_Union[Check, _Mapping]]] = ..., country_table_age_s: _Optional[int] = ...) -> None: ...

class Check(_message.Message):
    __slots__ = ("signal", "present", "value_class", "verdict", "rule", "reason", "fields")
    SIGNAL_FIELD_NUMBER: _ClassVar[int]
    PRESENT_FIELD_NUMBER: _ClassVar[int]
    VALUE_CLASS_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    signal: str
    present: bool
    value_class: str
    verdict: str
    rule: str
    reason: Reason
    fields: _containers.RepeatedCompositeFieldContainer[DecodedField]
    def __init__(self, signal: _Optional[str] = ..., present: _Optional[bool] = ..., value_class: _Optional[str] = ..., verdict: _Optional[str] = ..., rule: _Optional[str] = ..., reason: _Optional[_Union[Reason, str]] = ..., fields: _Optional[_Iterable[_Union[DecodedField, _Mapping]]] = ...) -> None: ...

class DecodedField(_message.Message):
    __slots__ = ("name", "value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: str
    def __init__(self, name: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...

class PrepareBidRequestRequest(_message.Message):
    __slots__ = ("bid_request", "account_id", "linked_account_ids", "device_id", "client", "third_party_networks", "dry_run")
    BID_REQUEST_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ID_FIELD_NUMBER: _ClassVar[int]
    LINKED_ACCOUNT_IDS_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    CLIENT_FIELD_NUMBER: _ClassVar[int]
    THIRD_PARTY_NETWORKS_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    bid_request: bytes
    account_id: str
    linked_account_ids: _containers.RepeatedScalarFieldContainer[str]
    device_id: str
    client: ClientSettings
    third_party_networks: _containers.RepeatedScalarFieldContainer[str]
    dry_run: bool
    def __init__(self, bid_request: _Optional[bytes] = ..., account_id: _Optional[str] = ..., linked_account_ids: _Optional[_Iterable[str]] = ..., device_id: _Optional[str] = ..., client: _Optional[_Union[ClientSettings, _Mapping]] = ..., third_party_networks: _Optional[_Iterable[str]] = ..., dry_run: _Optional[bool] = ...) -> None: ...

class PrepareBidRequestResponse(_message.Message):
    __slots__ = ("decision", "bid_requests")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    BID_REQUESTS_FIELD_NUMBER: _ClassVar[int]
    decision: DecideResponse
    bid_requests: _containers.RepeatedCompositeFieldContainer[PreparedBidRequest]
    def __init__(self, decision: _Optional[_Union[DecideResponse, _Mapping]] = ..., bid_requests: _Optional[_Iterable[_Union[PreparedBidRequest, _Mapping]]] = ...) -> None: ...

class PreparedBidRequest(_message.Message):
    __slots__ = ("network_id", "bid_request")
    NETWORK_ID_FIELD_NUMBER: _ClassVar[int]
    BID_REQUEST_FIELD_NUMBER: _ClassVar[int]
    network_id: str
    bid_request: bytes
    def __init__(self, network_id: _Optional[str] = ..., bid_request: _Optional[bytes] = ...) -> None: ...
