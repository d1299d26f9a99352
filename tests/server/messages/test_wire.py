"""The bytes of an answer are those that the generated classes write."""

import pytest
from adtargeting.v1 import targeting_pb2 as pb
from hypothesis import given, settings
from hypothesis import strategies as st

from server.calls.activity_reading import MAX_AD_BYTES
from server.messages import wire
from targeting.decision import Rulebook, decide, plan
from targeting.model import AdRequest, Identity, Subject, SubjectKind
from targeting.places.geo import IpLocation
from targeting.policy.policy import DEFAULT_POLICY
from targeting.records.preference import Preference, encode_preference
from targeting.records.profile import HeldExposure, Profile, encode_profile
from targeting.records.stored_records import StoredRecords
from tests.properties.any_request import owner_of
from tests.targeting.records.test_records import PROFILES

NOW_S = 2_000_000_000.0


def answers(profiles: list[Profile], request: AdRequest) -> list[bytes]:
    requests = [
        request._replace(request_id=str(number), identity=Identity(f"account-{number}"))
        for number in range(len(profiles))
    ]
    owners = [owner_of(Subject(SubjectKind.ACCOUNT, each.identity.account_id)) for each in requests]
    stored = [
        StoredRecords(
            SubjectKind.ACCOUNT, owner, encode_preference(Preference(), owner), encode_profile(profile, owner)
        )
        for owner, profile in zip(owners, profiles, strict=True)
    ]
    planned = plan(requests, DEFAULT_POLICY, NOW_S)
    return wire.responses(decide(planned, stored, [()] * len(requests), Rulebook(DEFAULT_POLICY, b"key"), NOW_S))


REQUEST = AdRequest(
    ip="192.0.2.1",
    ip_location=IpLocation("US", "US-WA"),
    accept_language="en-US",
    networks=("house", "partner"),
    cookie_header="MH=brand",
)


@settings(max_examples=150)
@given(st.lists(PROFILES, min_size=1, max_size=5))
def test_an_answer_read_and_written_again_is_the_same_bytes(profiles: list[Profile]) -> None:
    for answer in answers(profiles, REQUEST):
        message = pb.DecideResponse.FromString(answer)
        assert message.mode == pb.MODE_BEHAVIOURAL
        assert message.SerializeToString() == answer


def test_long_ago_and_often() -> None:
    ads = tuple(HeldExposure(f"ad-{age}", 65_535, 0, int(NOW_S) - age) for age in (0, 127, 128, 16_383, 16_384, 10**9))
    (answer,) = answers([Profile(exposures=ads)], REQUEST)
    shown = pb.DecideResponse.FromString(answer).behavioural.exposures
    assert [each.last_seen_age_s for each in shown] == [0, 127, 128, 16_383, 16_384, 10**9]
    assert {each.count for each in shown} == {65_535}


@pytest.mark.parametrize("size", [1, 126, 127, MAX_AD_BYTES])
def test_an_ad_of_any_length_that_is_taken(size: int) -> None:
    ads = (HeldExposure("x" * size, 1, 0, int(NOW_S) - 200),)
    (answer,) = answers([Profile(exposures=ads)], REQUEST)
    assert pb.DecideResponse.FromString(answer).behavioural.exposures[0].ad_id == "x" * size
    assert pb.DecideResponse.FromString(answer).SerializeToString() == answer


def test_an_empty_profile_is_a_profile() -> None:
    (answer,) = answers([Profile()], REQUEST)
    features = pb.DecideResponse.FromString(answer).behavioural
    assert len(features.vector) == 4 * 90
    assert features.vector_schema == "adtargeting.features.v1"


def test_results_of_a_batch() -> None:
    response = pb.DecideResponse(request_id="a" * 20_000, mode=pb.MODE_LIMITED)
    message = wire.batch_response([wire.result(response.SerializeToString()), wire.error(3, "field", "problem")])
    expected = pb.DecideBatchResponse(
        results=[
            pb.DecideBatchResult(response=response),
            pb.DecideBatchResult(error=pb.DecideBatchError(code=3, field="field", message="problem")),
        ]
    )
    assert message == expected.SerializeToString()
