"""The RPCs of the contract: their lanes, roles and sizes, and how their work is weighed."""

from adtargeting.v1 import preference_pb2, profile_pb2, targeting_pb2
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from server.gate.port import Lane, Method
from server.gate.weighing import batch, single
from server.messages.wire_parts import tag_of
from server.security.roles import Role

KIB = 1024

_NETWORK = tag_of(targeting_pb2.DecideRequest, "third_party_networks")
_BID_NETWORK = tag_of(targeting_pb2.PrepareBidRequestRequest, "third_party_networks")
_REQUEST = tag_of(targeting_pb2.DecideBatchRequest, "requests")
_ACTIVITY = tag_of(profile_pb2.RecordActivityRequest, "activities")

DECIDE = Method("/adtargeting.v1.TargetingService/Decide", Lane.DECISIONS, Role.DECIDE, 64 * KIB, single(_NETWORK))
DECIDE_BATCH = Method(
    "/adtargeting.v1.TargetingService/DecideBatch",
    Lane.DECISIONS,
    Role.DECIDE,
    1024 * KIB,
    batch(_REQUEST, _NETWORK),
    in_portions=True,
)
EXPLAIN = Method("/adtargeting.v1.TargetingService/Explain", Lane.OTHER, Role.EXPLAIN, 64 * KIB)
# A bid request of 256 KiB and the ids around it.
PREPARE_BID_REQUEST = Method(
    "/adtargeting.v1.TargetingService/PrepareBidRequest", Lane.DECISIONS, Role.DECIDE, 320 * KIB, single(_BID_NETWORK)
)
SET_PREFERENCE = Method("/adtargeting.v1.PreferenceService/SetPreference", Lane.OTHER, Role.PREFERENCES, 64 * KIB)
GET_PREFERENCES = Method("/adtargeting.v1.PreferenceService/GetPreferences", Lane.OTHER, Role.PREFERENCES, 64 * KIB)
RECORD_ACTIVITY = Method(
    "/adtargeting.v1.ProfileService/RecordActivity", Lane.OTHER, Role.PROFILES, 1024 * KIB, batch(_ACTIVITY)
)
GET_PROFILE = Method("/adtargeting.v1.ProfileService/GetProfile", Lane.OTHER, Role.PROFILES, 64 * KIB)
UPDATE_PROFILE = Method("/adtargeting.v1.ProfileService/UpdateProfile", Lane.OTHER, Role.PROFILES, 64 * KIB)
DELETE_PROFILE = Method("/adtargeting.v1.ProfileService/DeleteProfile", Lane.OTHER, Role.PROFILES, 64 * KIB)

METHODS = (
    DECIDE,
    DECIDE_BATCH,
    EXPLAIN,
    PREPARE_BID_REQUEST,
    SET_PREFERENCE,
    GET_PREFERENCES,
    RECORD_ACTIVITY,
    GET_PROFILE,
    UPDATE_PROFILE,
    DELETE_PROFILE,
)

_FILES = (targeting_pb2, preference_pb2, profile_pb2)

SERVICES = tuple(service.full_name for file in _FILES for service in file.DESCRIPTOR.services_by_name.values())
"""Full names of the services, for reflection."""


def messages_of(method: Method) -> tuple[type[Message], type[Message]]:
    """Return the types of an RPC's request and answer."""
    _, service, name = method.path.split("/")
    described = next(
        services[short]
        for file in _FILES
        if (services := file.DESCRIPTOR.services_by_name) and (short := service.rpartition(".")[2]) in services
    ).methods_by_name[name]
    return GetMessageClass(described.input_type), GetMessageClass(described.output_type)
