"""Requests as bytes: every message is read as protobuf reads it; one that is not UTF-8 as far as it can be."""

from typing import Any

import pytest
from adtargeting.v1 import profile_pb2, targeting_pb2
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from server.errors import InvalidRequest
from server.messages.reading import MAX_BATCH, parse, parse_batch

MARK, BROKEN = "\N{BULLET}", b"\xe2\x80."
"""What stands for broken bytes until a message is serialised: generated classes would not take these."""

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
REQUESTS = st.builds(
    targeting_pb2.DecideRequest,
    account_id=TEXTS,
    linked_account_ids=st.lists(TEXTS, max_size=3),
    cookie_header=TEXTS,
    client=st.none() | st.builds(targeting_pb2.ClientSettings, country=TEXTS, targeted_ads_off=st.booleans()),
    signals=st.none()
    | st.builds(
        targeting_pb2.PrivacySignals,
        gpp=TEXTS,
        gpp_section_ids=st.lists(st.integers(0, 99), max_size=3),
        gdpr_applies=st.none() | st.booleans(),
    ),
)


def broken(message: Message) -> bytes:
    return message.SerializeToString().replace(MARK.encode(), BROKEN)


@given(REQUESTS)
def test_all_but_the_broken_text_is_read_as_it_was_sent(request: targeting_pb2.DecideRequest) -> None:
    request.accept_language = MARK
    read = parse(targeting_pb2.DecideRequest, broken(request))
    assert read.accept_language == "\N{REPLACEMENT CHARACTER}."
    read.accept_language = request.accept_language
    assert read == request


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"account_id": MARK}, "account_id"),
        ({"linked_account_ids": ["a", MARK]}, "linked_account_ids[1]"),
        ({"third_party_networks": [MARK]}, "third_party_networks[0]"),
        ({"client": targeting_pb2.ClientSettings(country=MARK)}, "client.country"),
        ({"cookie_header": MARK, "linked_account_ids": ["a"] * 1025}, "linked_account_ids"),
    ],
    ids=["an id", "one of many", "a network", "a country", "more than is looked at"],
)
def test_what_the_caller_itself_wrote_is_refused_by_field(fields: dict[str, Any], place: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse(targeting_pb2.DecideRequest, broken(targeting_pb2.DecideRequest(**fields)))
    assert refused.value.field == place


def test_1024_texts_of_a_field_are_read_one_by_one() -> None:
    message = targeting_pb2.DecideRequest(cookie_header=MARK, linked_account_ids=["a"] * 1024)
    assert len(parse(targeting_pb2.DecideRequest, broken(message)).linked_account_ids) == 1024


def test_of_a_batch_only_the_items_that_cannot_be_taken_are_refused() -> None:
    activities = [
        profile_pb2.Activity(account_id="alice", occurred_at=Timestamp(seconds=5)),
        profile_pb2.Activity(account_id=MARK),
        profile_pb2.Activity(account_id="alice", cookie_header=MARK),
    ]
    payload = broken(profile_pb2.RecordActivityRequest(activities=activities))
    first, second, third = parse_batch(profile_pb2.RecordActivityRequest, "activities", profile_pb2.Activity, payload)
    assert first == activities[0]
    assert isinstance(second, InvalidRequest)
    assert second.field == "account_id"
    assert isinstance(third, profile_pb2.Activity)


def test_an_item_that_is_no_message_is_refused_alone() -> None:
    good = targeting_pb2.DecideRequest(account_id="alice")
    payload = targeting_pb2.DecideBatchRequest(requests=[good]).SerializeToString() + b"\x0a\x03\xff\xff\xff"
    first, second = parse_batch(targeting_pb2.DecideBatchRequest, "requests", targeting_pb2.DecideRequest, payload)
    assert first == good
    assert isinstance(second, InvalidRequest)
    assert "not a valid adtargeting.v1.DecideRequest" in str(second)


@pytest.mark.parametrize("count", [0, MAX_BATCH + 1])
@pytest.mark.parametrize("cookie", ["", MARK], ids=["UTF-8", "not UTF-8"])
def test_a_batch_has_its_bounds(count: int, cookie: str) -> None:
    requests = [targeting_pb2.DecideRequest(cookie_header=cookie)] * count
    with pytest.raises(InvalidRequest, match="requests: must contain 1 to 256 items"):
        parse_batch(
            targeting_pb2.DecideBatchRequest,
            "requests",
            targeting_pb2.DecideRequest,
            broken(targeting_pb2.DecideBatchRequest(requests=requests)),
        )


def test_what_is_no_message_is_refused_without_a_field() -> None:
    with pytest.raises(InvalidRequest, match=r"not a valid adtargeting\.v1\.DecideRequest") as refused:
        parse(targeting_pb2.DecideRequest, b"\xff")
    assert refused.value.field == ""
