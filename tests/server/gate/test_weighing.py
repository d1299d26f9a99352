"""A request's weight: decisions and networks, whatever its texts look like."""

import pytest
from adtargeting.v1 import profile_pb2, targeting_pb2
from google.protobuf.message import Message

from server.gate.methods import DECIDE, DECIDE_BATCH, GET_PROFILE, PREPARE_BID_REQUEST, RECORD_ACTIVITY
from server.gate.port import Method

Decide, Prepare = targeting_pb2.DecideRequest, targeting_pb2.PrepareBidRequestRequest
NETWORKS = ["a", "bb", "Z" * 40]
SIGNALS = targeting_pb2.PrivacySignals(tcf_consent="ZZZZ" * 500, gdpr_applies=True)

WEIGHTS: dict[str, tuple[Method, Message, int]] = {
    "one decision": (DECIDE, Decide(account_id="a"), 1),
    "nothing": (DECIDE, Decide(), 1),
    "three networks": (DECIDE, Decide(account_id="a", third_party_networks=NETWORKS, signals=SIGNALS), 4),
    "text like a tag": (DECIDE, Decide(account_id="ZZZ", cookie_header="Z" * 5000, signals=SIGNALS), 1),
    "more networks than there may be": (DECIDE, Decide(third_party_networks=["x"] * 100), 65),
    "a bid request": (PREPARE_BID_REQUEST, Prepare(bid_request=b"2" * 9000, third_party_networks=["x", "y"]), 3),
    "a batch": (DECIDE_BATCH, targeting_pb2.DecideBatchRequest(requests=[Decide(account_id="a" * 200)] * 256), 256),
    "a batch with networks": (
        DECIDE_BATCH,
        targeting_pb2.DecideBatchRequest(requests=[Decide(third_party_networks=["x"] * 64)] * 10),
        650,
    ),
    "an empty batch": (DECIDE_BATCH, targeting_pb2.DecideBatchRequest(), 1),
    "more items than there may be": (DECIDE_BATCH, targeting_pb2.DecideBatchRequest(requests=[Decide()] * 300), 256),
    "activities": (RECORD_ACTIVITY, profile_pb2.RecordActivityRequest(activities=[{}] * 7), 7),
    "another call": (GET_PROFILE, profile_pb2.GetProfileRequest(account_id="a"), 1),
}


@pytest.mark.parametrize(("method", "message", "weight"), WEIGHTS.values(), ids=WEIGHTS)
def test_weights(method: Method, message: Message, weight: int) -> None:
    assert method.weigh(message.SerializeToString()) == weight


BATCH = targeting_pb2.DecideBatchRequest(requests=[Decide(third_party_networks=["x"] * 4)] * 3).SerializeToString()
ASKING = Decide(third_party_networks=["x"] * 4).SerializeToString()


@pytest.mark.parametrize(
    ("method", "payload", "weight"),
    [
        pytest.param(DECIDE_BATCH, b"\x1b\x1c" + BATCH, 256 + 12, id="a batch behind a group"),
        pytest.param(DECIDE_BATCH, b"\x18\x01" * 256 + BATCH, 256 + 12, id="a batch behind unknown fields"),
        pytest.param(DECIDE_BATCH, BATCH.replace(b"\x0a", b"\x8a\x80\x00", 1), 3 + 12, id="a batch with a long tag"),
        pytest.param(DECIDE, b"\x1b\x1c" + ASKING, 65, id="networks behind a group"),
        pytest.param(DECIDE, b"\x18\x01" * 256 + ASKING, 65, id="networks behind unknown fields"),
        pytest.param(DECIDE, ASKING.replace(b"\x5a", b"\xda\x00"), 5, id="networks with long tags"),
        pytest.param(DECIDE, ASKING.replace(b"\x5a", b"\xda\x80\x00"), 5, id="networks with longer tags"),
    ],
)
def test_no_form_that_parsers_take_weighs_less_than_what_is_in_it(method: Method, payload: bytes, weight: int) -> None:
    """A client could otherwise have more of the room than its share."""
    is_batch = method is DECIDE_BATCH
    assert not is_batch or len(targeting_pb2.DecideBatchRequest.FromString(payload).requests) == 3
    assert is_batch or len(Decide.FromString(payload).third_party_networks) == 4
    assert method.weigh(payload) == weight


@pytest.mark.parametrize(
    "payload",
    [b"\xff" * 40, b"\x5a", b"\x5a\xff", b"\x5a\xff\xff\xff\xff\x7f", b"\x5f", b"\x59\x00", b"\x5d\x00"],
    ids=["no varint", "a tag alone", "half a length", "a length beyond the end", "a group", "64 bits", "32 bits"],
)
def test_bytes_that_are_no_message_weigh_something(payload: bytes) -> None:
    for method in (DECIDE, DECIDE_BATCH, PREPARE_BID_REQUEST):
        assert 1 <= method.weigh(payload) <= (65 if method is not DECIDE_BATCH else 256)
