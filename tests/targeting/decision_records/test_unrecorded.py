"""A loosening that no record could show is named, by the name that comparing the files gives it."""

from dataclasses import replace
from types import MappingProxyType

import pytest
from msgspec import structs

from targeting.decision_records.form import DecisionRecord
from targeting.decision_records.replay import Replay
from targeting.decision_records.unrecorded import NO_POLICY, unrecorded_changes
from targeting.policy.policy import (
    BidRequestPolicy,
    ChildrenPolicy,
    FeaturePolicy,
    MaskPolicy,
    NetworkPolicy,
    NetworkRule,
    Policy,
    RetentionPolicy,
    SharingPolicy,
    SignalPolicy,
)
from tests.targeting.decision_records.made_up_people import POLICY, changed
from tests.targeting.decision_records.test_lines import MINIMAL

DECIDED = 3
LISTED = POLICY.networks[1]


def unrecorded(old: Policy, new: Policy, *, unlisted: bool) -> dict[str, int]:
    replay = Replay(new)
    for _ in range(DECIDED):
        replay.add(decided_by(old, unlisted=unlisted))
    replay.add(decided_by(old, unlisted=False))
    replay.judge()
    found = unrecorded_changes(replay, {old.version: old})
    assert all(change.unrecorded for change in found)
    return {change.name: decisions for change, decisions in found.items()}


def decided_by(policy: Policy, *, unlisted: bool) -> DecisionRecord:
    return structs.replace(MINIMAL, policy=policy.version, unlisted_networks=unlisted)


ADDED = NetworkPolicy("new", fields=("gender",))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (POLICY, POLICY, {}),
        (POLICY, changed(sharing=SharingPolicy(max_interests=20)), {"sharing.max_interests": 4}),
        (POLICY, changed(sharing=SharingPolicy(max_interests=2)), {}),
        (POLICY, changed(features=FeaturePolicy(max_exposures=64)), {"features.max_exposures": 4}),
        (POLICY, changed(retention=RetentionPolicy(profile_days=500)), {"retention.profile_days": 4}),
        (POLICY, changed(bid_request=BidRequestPolicy(user_ext=("more",))), {"bid_request.user_ext": 4}),
        (
            POLICY,
            changed(signals=SignalPolicy(store_industry_opt_out=False)),
            {"signals.store_industry_opt_out": 4},
        ),
        (
            changed(signals=SignalPolicy(honour_do_not_track=True)),
            POLICY,
            {},
        ),
        (POLICY, changed(children=ChildrenPolicy(age_by_country=MappingProxyType({"DE": 13}))), {}),
        (POLICY, changed(networks=(*POLICY.networks, ADDED)), {"networks.new.fields": 3}),
        (POLICY, changed(networks=(replace(LISTED, parameters=("more",)),)), {"networks.acme.parameters": 4}),
        (POLICY, changed(networks=(replace(LISTED, user_id=False, fields=("gender",)),)), {}),
        (POLICY, changed(rules=POLICY.rules[:2]), {"rules.3": 3}),
        (POLICY, changed(rules=POLICY.rules[1:]), {}),
        (changed(masks=MaskPolicy(ipv4_bits=16)), POLICY, {"masks.ipv4_bits": 3}),
        (changed(rules=(NetworkRule(withhold=("profile",)),)), POLICY, {}),
    ],
    ids=[
        "equal", "sharing", "less sharing", "features", "retention", "extensions", "storing signals", "do not track",
        "ages", "a network added", "parameters", "a listed network", "a rule of contact lost", "another rule lost",
        "masks", "a rule of profiles lost",
    ],
)  # fmt: skip
def test_what_no_record_shows_is_named(old: Policy, new: Policy, expected: dict[str, int]) -> None:
    assert unrecorded(old, new, unlisted=True) == expected


@pytest.mark.parametrize(
    "new", [changed(networks=(*POLICY.networks, ADDED)), changed(rules=POLICY.rules[:2])], ids=["network", "rule"]
)
def test_unlisted_networks_matter_only_where_they_are_asked_for(new: Policy) -> None:
    assert unrecorded(POLICY, new, unlisted=False) == {}


def test_without_the_policy_that_decided_anything_may_be_looser() -> None:
    replay = Replay(POLICY)
    replay.add(MINIMAL)
    replay.judge()
    assert {change.name: count for change, count in unrecorded_changes(replay, {}).items()} == {NO_POLICY: 1}
