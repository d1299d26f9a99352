"""Targets for the parsers of whole messages: requests on the wire, bid requests, stored records, the policy file."""

import tomllib
from itertools import islice
from typing import Any

from adtargeting.v1 import preference_pb2, profile_pb2
from adtargeting.v1 import targeting_pb2 as pb
from google.protobuf.message import Message

from server.calls.activity_reading import read_activity, request_of
from server.errors import InvalidRequest
from server.messages.reading import parse, parse_batch
from server.messages.translate import ad_request
from server.policy.toml import parse_toml
from targeting.decision import Rulebook, decide, plan
from targeting.openrtb.bid_request import read_bid_request
from targeting.openrtb.json_errors import BidRequestRefused
from targeting.policy.policy import Policy, policy_from
from targeting.policy.validation import PolicyError
from targeting.reasons import Reason
from targeting.records.deduplication import decode_seen
from targeting.records.envelope import PREFIX, RecordUnreadable, seal
from targeting.records.preference import decode_preference, read_stored_choice
from targeting.records.profile import decode_profile, read_profile
from tests.targeting.openrtb.preparing import ALL_NETWORKS, NOW_S, POLICY, TableLocator, asking, prepare

_NOWHERE = TableLocator({})
_OWNER = bytes(range(16))
_REQUESTS: tuple[type[Message], ...] = (
    preference_pb2.SetPreferenceRequest,
    preference_pb2.GetPreferencesRequest,
    profile_pb2.GetProfileRequest,
    profile_pb2.UpdateProfileRequest,
    profile_pb2.DeleteProfileRequest,
    pb.PrepareBidRequestRequest,
)
_READERS: dict[bytes, tuple[Any, ...]] = {
    b"aP": (read_stored_choice, decode_preference),
    b"aF": (read_profile, decode_profile),
    b"aS": (decode_seen,),
}


def decide_request(data: bytes) -> None:
    """A request is refused by field, or decided: an ad is always served."""
    try:
        requests = [ad_request(parse(pb.DecideRequest, data), _NOWHERE)]
    except InvalidRequest:
        return
    planned = plan(requests, POLICY, NOW_S)
    (decision,) = decide(planned, Reason.STORE_TIMEOUT, [()], Rulebook(POLICY, b"key"), NOW_S)
    assert decision.behavioural is None


def other_requests(data: bytes) -> None:
    """Every other message is refused by field, or read."""
    for kind in _REQUESTS:
        try:
            parse(kind, data)
        except InvalidRequest:
            continue
    try:
        batch = parse_batch(profile_pb2.RecordActivityRequest, "activities", profile_pb2.Activity, data)
    except InvalidRequest:
        return
    for activity in islice(batch, 8):
        if isinstance(activity, InvalidRequest):
            continue
        try:
            request_of(activity)
            read_activity(activity, NOW_S, 0)
        except InvalidRequest:
            continue


def bid_request(data: bytes) -> None:
    """A bid request is refused with its place, or prepared for every network."""
    try:
        read_bid_request(data)
    except BidRequestRefused:
        return
    try:
        prepare(asking(data, ALL_NETWORKS[:2]))
    except InvalidRequest:
        return


def stored_record(data: bytes) -> None:
    """A record of damaged or foreign content is unreadable, also where its envelope is intact."""
    magic, body = data[:2], data[PREFIX.size :]
    for kind, readers in _READERS.items():
        for value in (data, seal(kind, 1, _OWNER, body if magic == kind else data)):
            for read in readers:
                try:
                    read(value, _OWNER)
                except RecordUnreadable:
                    continue


def policy_file(data: bytes) -> None:
    """A policy file is a policy, or refused with the key."""
    try:
        policy = policy_from(parse_toml(data.decode("utf-8", "replace")))
    except (PolicyError, tomllib.TOMLDecodeError):
        return
    assert isinstance(policy, Policy)
