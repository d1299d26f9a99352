"""Calls that are refused, and in which words."""

import pytest
from adtargeting.v1 import targeting_pb2 as pb

from server.decisions.bid_requests import read_call
from server.errors import InvalidRequest
from targeting.features.taxonomy import CATEGORIES, Tier
from targeting.policy.policy import BidRequestPolicy, FeaturePolicy, NetworkPolicy, Policy, SharingPolicy
from targeting.policy.profile_fields import SHAREABLE_FIELDS
from targeting.records.profile import HeldExposure, HeldInterest, SegmentKind
from tests.targeting.openrtb.one_network import bid
from tests.targeting.openrtb.preparing import ALICE, NOW_S, PROFILE, Json, TableLocator, asking, prepare, record

LONG = "C" * 120_000
A_GRPC_CLIENT_TAKES = 4 * 1024 * 1024
WORST = Policy(
    networks=tuple(NetworkPolicy(f"n{number}", fields=SHAREABLE_FIELDS, user_id=True) for number in range(64)),
    sharing=SharingPolicy(max_interests=64, score_steps=100),
    features=FeaturePolicy(max_interests=64, max_exposures=128),
    bid_request=BidRequestPolicy(source="s" * 253),
)
SHARED = [code for each in CATEGORIES if each.tier is not Tier.DEMOGRAPHIC for code in each.codes]
RICH = PROFILE._replace(
    interests=tuple(HeldInterest(str(code), SegmentKind.CONTENT, 0.9, NOW_S) for code in SHARED[:64]),
    exposures=tuple(HeldExposure(f"{number:127}", 3, 1, NOW_S) for number in range(128)),
)


@pytest.mark.parametrize(
    ("fields", "networks", "taken"),
    [
        pytest.param({"site": {"keywords": "x" * 250_000}}, 12, True, id="12 large ones"),
        pytest.param({"site": {"keywords": "x" * 250_000}}, 13, False, id="13 large ones"),
        pytest.param({"site": {"keywords": "x" * 46_000}}, 64, True, id="64 medium ones"),
        pytest.param({"site": {"keywords": "x" * 50_000}}, 64, False, id="64 larger ones"),
        pytest.param({"user": {"consent": LONG}}, 13, True, id="a consent in its place"),
        pytest.param({"user": {"ext": {"consent": LONG}}}, 13, True, id="a consent that is repeated"),
        pytest.param({"user": {"ext": {"consent": LONG}}}, 14, False, id="a consent that is repeated too often"),
        pytest.param({"regs": {"ext": {"gpp": LONG}}}, 14, False, id="a signal that is repeated too often"),
    ],
)
def test_an_answer_has_room_in_a_message_whatever_is_repeated_for_each_network(
    fields: Json, networks: int, *, taken: bool
) -> None:
    call = asking(bid(**{"regs": {"gdpr": 0}, **fields}), [f"n{number}" for number in range(networks)])
    stored = {ALICE: record(profile=RICH)}
    if taken:
        prepared = prepare(call, policy=WORST, stored=stored)
        assert len(prepared.texts) == networks
        assert len(prepared.answer) < A_GRPC_CLIENT_TAKES
    else:
        with pytest.raises(InvalidRequest, match="name fewer networks") as refused:
            prepare(call, policy=WORST, stored=stored)
        assert refused.value.field == "third_party_networks"


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (asking(b"{", ["net"]), "bid_request"),
        (asking(b"[]", ["net"]), "bid_request"),
        (asking({"id": "1"}, ["net"]), "bid_request.imp"),
        (asking(bid(imp=[1]), ["net"]), "bid_request.imp"),
        (asking(b'{"imp":[{"id":"1","id":"2"}]}', ["net"]), "bid_request.imp[0].id"),
        (asking(b" " * 262_145), "bid_request"),
        (asking(bid(), [str(number) for number in range(65)]), "third_party_networks"),
        (asking(bid(), ["n" * 257]), "third_party_networks[0]"),
        (asking(bid(), account_id="a" * 257), "account_id"),
        (asking(bid(), client=pb.ClientSettings(country="Utopia")), "client.country"),
    ],
)
def test_a_malformed_call_is_refused_naming_the_field(call: pb.PrepareBidRequestRequest, field: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        prepare(call)
    assert refused.value.field == field


def test_what_is_no_call_at_all_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="PrepareBidRequestRequest"):
        read_call(b"\xff", TableLocator({}))
