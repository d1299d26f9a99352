"""Who the canaries are: one for each way to be limited, under the policies that limit it."""

from dataclasses import replace

import pytest

from targeting.canaries.people import CANARIES, Canary
from targeting.policy.policy import DEFAULT_POLICY, ChildrenPolicy, ConsentPolicy, Policy

BY_NAME = {canary.name: canary for canary in CANARIES}
NOWHERE = replace(DEFAULT_POLICY, consent=ConsentPolicy(explicit_opt_in_in=()))
QUEBEC = replace(DEFAULT_POLICY, consent=ConsentPolicy(explicit_opt_in_in=("CA-QC",)))


def test_there_is_one_control_and_one_for_each_way_to_be_limited() -> None:
    assert [canary.name for canary in CANARIES if canary.is_control] == ["control"]
    assert {
        *("account-opt-out", "linked-account-opt-out", "device-opt-out", "child", "lost-preference"),
        *("gpc-shown", "gpc-stored", "consent-refused", "opt-in-place"),
    } == BY_NAME.keys() - {"control"}


@pytest.mark.parametrize(
    ("name", "policy", "applies"),
    [
        ("opt-in-place", QUEBEC, True),
        ("opt-in-place", NOWHERE, False),
        ("child", DEFAULT_POLICY, True),
        ("child", replace(DEFAULT_POLICY, children=ChildrenPolicy(age=0)), False),
        ("child", replace(DEFAULT_POLICY, children=ChildrenPolicy(age=4)), False),
        ("child", replace(DEFAULT_POLICY, children=ChildrenPolicy(age=5)), True),
        ("child", replace(DEFAULT_POLICY, children=ChildrenPolicy(age=0, age_by_subdivision={"US-CT": 18})), True),
        ("control", NOWHERE, True),
    ],
)
def test_a_canary_is_asked_about_where_the_policy_limits_it(name: str, policy: Policy, applies: bool) -> None:
    assert BY_NAME[name].applies(policy) is applies


def test_subjects_of_one_canary_differ() -> None:
    assert Canary("x").device is None
