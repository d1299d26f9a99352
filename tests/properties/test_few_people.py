"""A few people get exactly the features, and the bytes, that they would get in a batch."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from server.messages import wire
from targeting.behavioural import PersonData, behavioural_features, features_of_many
from targeting.decision import Decision
from targeting.features.batch import Behavioural
from targeting.features.few import MOST_PEOPLE
from targeting.model import LimitedFeatures, Mode
from targeting.policy.policy import DEFAULT_POLICY, FeaturePolicy, Policy
from targeting.reasons import Reasons
from targeting.records.profile import Profile, packed_profile
from tests.targeting.records.test_records import PROFILES
from tests.targeting.test_reprs import a_grant

TIMES = st.integers(0, 2**32 - 1)
POLICIES = st.builds(
    lambda interests, destinations, exposures, minimum: replace(
        DEFAULT_POLICY,
        features=FeaturePolicy(
            max_interests=interests,
            max_call_destinations=destinations,
            max_exposures=exposures,
            min_interest_score=minimum,
        ),
    ),
    st.integers(0, 64),
    st.integers(0, 32),
    st.integers(0, 128),
    st.sampled_from([0.0, 0.05, 0.5]),
)


def bytes_of(features: Sequence[Behavioural]) -> list[bytes]:
    limited = LimitedFeatures("US", "en", "US", "")
    decisions = [
        Decision(str(index), Mode.BEHAVIOURAL, Reasons(0), limited, person, (), "", "1")
        for index, person in enumerate(features)
    ]
    return wire.responses(decisions)


@given(st.lists(PROFILES, min_size=1, max_size=MOST_PEOPLE), TIMES, POLICIES, st.lists(TIMES, min_size=3, max_size=3))
def test_few_and_many_agree_bit_for_bit(
    profiles: list[Profile], now_s: int, policy: Policy, birth_days: list[int]
) -> None:
    people = [
        PersonData(packed_profile(profile), birth_day % 40_000)
        for profile, birth_day in zip(profiles, birth_days, strict=False)
    ]
    few = behavioural_features(a_grant(), people, policy, now_s)
    declared = [each.demographics for each in few]
    batch = features_of_many(people, declared, policy, now_s)
    many = [Behavioural(batch, index) for index in range(len(people))]
    assert [each.vector for each in few] == [each.vector for each in many]
    assert [each.interests.named() for each in few] == [each.interests.named() for each in many]
    assert [each.destinations.named() for each in few] == [each.destinations.named() for each in many]
    assert [each.exposures for each in few] == [each.exposures for each in many]
    assert bytes_of(few) == bytes_of(many)
