"""The RPCs of the contract: their lanes and sizes."""

from adtargeting.v1 import preference_pb2, profile_pb2, targeting_pb2

from server.gate.port import Lane, Method

KIB = 1024

DECIDE = Method("/adtargeting.v1.TargetingService/Decide", Lane.DECISIONS, 64 * KIB)
DECIDE_BATCH = Method("/adtargeting.v1.TargetingService/DecideBatch", Lane.DECISIONS, 1024 * KIB, 256)
EXPLAIN = Method("/adtargeting.v1.TargetingService/Explain", Lane.OTHER, 64 * KIB)
# A bid request of 256 KiB and the ids around it.
PREPARE_BID_REQUEST = Method("/adtargeting.v1.TargetingService/PrepareBidRequest", Lane.DECISIONS, 320 * KIB)
SET_PREFERENCE = Method("/adtargeting.v1.PreferenceService/SetPreference", Lane.OTHER, 64 * KIB)
GET_PREFERENCES = Method("/adtargeting.v1.PreferenceService/GetPreferences", Lane.OTHER, 64 * KIB)
RECORD_ACTIVITY = Method("/adtargeting.v1.ProfileService/RecordActivity", Lane.OTHER, 1024 * KIB, 256)
GET_PROFILE = Method("/adtargeting.v1.ProfileService/GetProfile", Lane.OTHER, 64 * KIB)
UPDATE_PROFILE = Method("/adtargeting.v1.ProfileService/UpdateProfile", Lane.OTHER, 64 * KIB)
DELETE_PROFILE = Method("/adtargeting.v1.ProfileService/DeleteProfile", Lane.OTHER, 64 * KIB)

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

SERVICES = tuple(
    service.full_name
    for file in (targeting_pb2, preference_pb2, profile_pb2)
    for service in file.DESCRIPTOR.services_by_name.values()
)
"""Full names of the services, for reflection."""
