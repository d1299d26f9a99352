"""A record is judged again by the judge's own rules: as the decision was, and as another policy would have decided."""

from hypothesis import given, settings

from targeting.decision_records.lines import line_of, read_line
from targeting.decision_records.replay import recorded_verdict, replayed
from targeting.model import AdRequest
from targeting.policy.policy import Policy
from targeting.reasons import Reason
from targeting.records.stored_records import StoredRecords
from targeting.rejudging.policy_pair import PolicyPair
from targeting.rejudging.verdict import verdict_of
from targeting.signals.nap import Nap
from tests.targeting.decision_records.recorded import POLICIES, TODAY, any_decision, record, recorded

Case = tuple[AdRequest, Policy, list[StoredRecords] | Reason, tuple[Nap, ...]]


@settings(max_examples=120)
@given(any_decision())
def test_a_record_says_what_was_decided_and_under_an_equal_policy_nothing_changes(case: Case) -> None:
    made = recorded(*case)
    written = record(made)
    assert read_line(line_of(written)) == written
    listed = tuple([network for network in verdict_of(made.decided, made.policy).networks if network.listed])
    assert recorded_verdict(written) == verdict_of(made.decided, made.policy)._replace(networks=listed)
    assert replayed(written, made.policy) == set()


@settings(max_examples=120)
@given(any_decision(), POLICIES)
def test_replay_agrees_with_the_shadow_wherever_the_record_suffices(case: Case, other: Policy) -> None:
    made = recorded(*case)
    shadow = {
        (change.name, change.effect, change.reason, change.network)
        for change in PolicyPair(made.policy, other).changes(made.decided, TODAY)
        if not change.network or change.network in made.policy.by_id
    }
    changes = replayed(record(made), other)
    certain = {
        (change.name, change.effect, change.reason, change.network) for change in changes if not change.unrecorded
    }
    unrecorded = {
        (change.name, change.effect, change.reason, change.network) for change in changes if change.unrecorded
    }
    assert certain <= shadow <= certain | unrecorded
