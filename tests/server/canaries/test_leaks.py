"""What counts as a leak in an answer, and what does not."""

import json
from typing import Any

import pytest
from adtargeting.v1 import targeting_pb2 as pb

from server.canaries.leaks import Examiner
from server.canaries.requests import ADDRESS, CONSENT_WITHOUT_PURPOSE_4, MOST_NETWORKS, Asking
from targeting.canaries.ids import CanaryIds
from targeting.canaries.people import CANARIES, Canary, Shown
from targeting.policy.policy import DEFAULT_POLICY, ConsentPolicy, NetworkPolicy, Policy
from targeting.reasons import Reason
from tests.targeting.signals.tcf.tcf_encoder import Ranges, Tc

IDS = CanaryIds.of(bytes(32))
EXAMINER = Examiner(IDS)
CONTROL = CANARIES[0]
CHILD = next(canary for canary in CANARIES if canary.name == "child")
MARK, ID = IDS.mark_of("child"), IDS.id_of("child/account")
LIMITED: dict[str, Any] = {"mode": pb.MODE_LIMITED, "reasons": [pb.REASON_UNDER_AGE]}
OWN = pb.BehaviouralFeatures(demographics=pb.Demographics(occupation=IDS.mark_of("control")))


def limited(**more: Any) -> pb.DecideResponse:
    return pb.DecideResponse(**{**LIMITED, **more})


def network(**more: Any) -> pb.DecideResponse:
    return limited(networks=[pb.NetworkDecision(network_id="net", **more)])


def behavioural(**more: Any) -> pb.DecideResponse:
    return pb.DecideResponse(**{"mode": pb.MODE_BEHAVIOURAL, "behavioural": OWN, **more})


def texts(canary: Canary, answer: pb.DecideResponse) -> list[str]:
    return [fault.text for fault in EXAMINER.decided(canary, answer)]


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (limited(), []),
        (network(masked_ip="192.0.2.0", contact_allowed=True), []),
        (pb.DecideResponse(), ["a BEHAVIOURAL answer"]),
        (behavioural(), ["a BEHAVIOURAL answer", "behavioural features"]),
        (limited(behavioural=pb.BehaviouralFeatures()), ["behavioural features"]),
        (network(profile=pb.ThirdPartyProfile()), ["a profile for net"]),
        (network(profile_shared=True), ["a profile for net"]),
        (network(network_user_id="x"), ["an id for net"]),
        (network(id_shared=True), ["an id for net"]),
        (network(precise_geo_allowed=True), ["the exact place for net"]),
        (network(masked_ip=ADDRESS), ["the exact place for net"]),
        (limited(co_brand=MARK), ["its id or mark in the answer"]),
        (limited(request_id=ID), ["its id or mark in the answer"]),
    ],
)
def test_a_limited_answer(answer: pb.DecideResponse, found: list[str]) -> None:
    assert texts(CHILD, answer) == found


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (behavioural(), []),
        (behavioural(behavioural=pb.BehaviouralFeatures()), ["the control's features are not its own"]),
        (limited(), ["the control is LIMITED: UNDER_AGE"]),
        (limited(reasons=[]), ["the control is LIMITED: "]),
        (limited(reasons=[pb.REASON_STORE_TIMEOUT]), []),
        (limited(reasons=[pb.REASON_STORE_UNAVAILABLE]), []),
        (
            limited(reasons=[pb.REASON_STORE_TIMEOUT, pb.REASON_NO_PROFILE]),
            ["the control is LIMITED: STORE_TIMEOUT, NO_PROFILE"],
        ),
        (
            behavioural(
                networks=[
                    pb.NetworkDecision(network_id=name, network_user_id=id_) for name, id_ in (("a", "x"), ("b", ID))
                ]
            ),
            ["its id or mark in the answer for b"],
        ),
    ],
)
def test_the_controls_answer(answer: pb.DecideResponse, found: list[str]) -> None:
    assert texts(CONTROL, answer) == found


@pytest.mark.parametrize(
    ("canary", "user", "found"),
    [
        (CHILD, {}, []),
        (CHILD, {"data": []}, ["a profile or an id in the bid request for net"]),
        (CHILD, {"ext": {"eids": []}}, ["a profile or an id in the bid request for net"]),
        (CHILD, {"x": ADDRESS}, ["the whole address in the bid request for net"]),
        (CHILD, {"x": MARK}, ["its id or mark in the bid request for net"]),
        (CONTROL, {"data": [], "eids": [], "x": ADDRESS}, []),
        (CONTROL, {"x": ID}, ["its id or mark in the bid request for net"]),
    ],
)
def test_a_bid_request(canary: Canary, user: dict[str, Any], found: list[str]) -> None:
    sent = pb.PreparedBidRequest(network_id="net", bid_request=json.dumps({"user": user}).encode())
    decision = behavioural() if canary.is_control else limited()
    answer = pb.PrepareBidRequestResponse(decision=decision, bid_requests=[sent])
    assert [fault.text for fault in EXAMINER.prepared(canary, answer)] == found


@pytest.mark.parametrize(
    ("canary", "reasons", "unserved"),
    [
        ("control", [], False),
        ("control", [Reason.STORE_TIMEOUT], True),
        ("control", [Reason.PREFERENCE_LOST], False),
        *((canary.name, [canary.reason], False) for canary in CANARIES[1:]),
        *((canary.name, [canary.reason, Reason.NO_PROFILE], False) for canary in CANARIES[1:]),
        *((canary.name, [Reason.STORE_TIMEOUT], True) for canary in CANARIES[1:]),
        *((canary.name, [Reason.STORE_UNAVAILABLE], True) for canary in CANARIES[1:]),
        *((canary.name, [Reason.RECORD_UNREADABLE], True) for canary in CANARIES[1:]),
        *((canary.name, [], True) for canary in CANARIES[1:]),
    ],
)
def test_an_answer_says_nothing_of_a_canary_that_another_reason_limits(
    canary: str, reasons: list[Reason], unserved: bool
) -> None:
    answer = limited(reasons=[pb.Reason.ValueType(reason) for reason in reasons]) if reasons else behavioural()
    asked = next(each for each in CANARIES if each.name == canary)
    assert EXAMINER.is_unserved(asked, answer) is unserved


def test_the_consent_string_lacks_purpose_4_and_nothing_else() -> None:
    everyone = Ranges(((1, 65_535),), 65_535)
    assert Tc(purposes=frozenset(range(1, 12)) - {4}, consents=everyone).text() == CONSENT_WITHOUT_PURPOSE_4


@pytest.mark.parametrize("networks", [0, 1, 64, 65, 200])
def test_every_network_has_its_turn(networks: int) -> None:
    policy = Policy(networks=tuple(NetworkPolicy(f"net{number}") for number in range(networks)))
    turns = [Asking.under(policy, IDS, turn).networks for turn in range(4)]
    assert all(len(turn) <= MOST_NETWORKS for turn in turns)
    assert {name for turn in turns for name in turn} == {each.id for each in policy.networks}


def test_the_place_of_opt_in_is_that_of_the_policy() -> None:
    policy = Policy(consent=ConsentPolicy(explicit_opt_in_in=("CA-QC",)))
    canary = next(each for each in CANARIES if each.shows is Shown.OPT_IN_PLACE)
    assert Asking.under(policy, IDS, 0).decide_request(canary).client.country == "CA"
    assert Asking.under(DEFAULT_POLICY, IDS, 0).decide_request(CONTROL).client.country == "US"
