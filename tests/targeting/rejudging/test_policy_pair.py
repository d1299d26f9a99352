"""The verdict of another policy is what that policy would decide, and the cheap way to it says the same."""

import ast
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

import targeting.rejudging
from targeting.age import person_day
from targeting.canaries.people import CALLER_NAME
from targeting.decision import Rulebook, decide, plan
from targeting.model import AdRequest, Identity, Signals, SubjectKind
from targeting.places.geo import IpLocation
from targeting.policy.policy import Policy
from targeting.reasons import Reason, reasons_of
from targeting.records.stored_records import StoredRecords
from targeting.rejudging.answers import network_answers
from targeting.rejudging.batch import DecidedBatch
from targeting.rejudging.changes import changes_between
from targeting.rejudging.policy_pair import PolicyPair
from targeting.rejudging.verdict import NO_RESTRICTION, DecidedRequest, judge_again, verdict_of
from targeting.signals.nap import Nap
from tests.properties.any_request import REQUESTS, records
from tests.targeting.rejudging.policies import VARIANTS

NOW_S = 1_780_000_000.0
TODAY = person_day(NOW_S)
POLICIES = st.sampled_from([VARIANTS[name] for name in VARIANTS])


def decided_by(policy: Policy, request: AdRequest, data: st.DataObject) -> DecidedRequest:
    planned = plan([request], policy, NOW_S)
    fetched: list[StoredRecords] | Reason = [data.draw(records(subject)) for subject in planned.subjects]
    if fetched and data.draw(st.booleans()) and data.draw(st.booleans()):
        fetched = Reason.STORE_TIMEOUT
    naps = [Nap(age=age) for age in data.draw(st.sampled_from([(), (), (14,), (40, 14)]))] if planned.subjects else []
    decisions = decide(planned, fetched, [naps], Rulebook(policy), NOW_S)
    (decided,) = DecidedBatch(planned, fetched, [naps], decisions, policy, NOW_S).requests()
    return decided


@settings(max_examples=80)
@given(REQUESTS, POLICIES, POLICIES, st.data())
def test_the_other_verdict_is_what_the_other_policy_decides(
    request: AdRequest, policy: Policy, other: Policy, data: st.DataObject
) -> None:
    decided = decided_by(policy, request, data)
    verdict = judge_again(decided, other, TODAY)
    planned = plan([request], other, NOW_S)
    if verdict.asks_store:
        assert planned.subjects
        return
    if planned.subjects and not decided.stored:
        return
    stored = decided.stored if planned.subjects else ()
    (decision,) = decide(planned, stored, [decided.naps], Rulebook(other), NOW_S)
    expected = decision.reasons & ~NO_RESTRICTION
    if expected == Reason.RECORD_UNREADABLE.bit != verdict.reasons:
        # A profile that the first policy gave no grant to read.
        expected = 0
    assert verdict.reasons == expected
    assert verdict.networks == network_answers(planned.items[0], decision.limited, other)


@settings(max_examples=60)
@given(st.lists(REQUESTS, min_size=1, max_size=2), POLICIES, POLICIES, st.data())
def test_the_pair_finds_the_same_changes(
    requests: list[AdRequest], policy: Policy, other: Policy, data: st.DataObject
) -> None:
    pair = PolicyPair(policy, other)
    for request in [*requests, *requests]:
        decided = decided_by(policy, request, data)
        expected = changes_between(verdict_of(decided, policy), judge_again(decided, other, TODAY))
        assert list(pair.changes(decided, TODAY)) == expected


@settings(max_examples=40)
@given(st.lists(REQUESTS, min_size=1, max_size=2), POLICIES, st.data())
def test_an_equal_policy_changes_nothing(requests: list[AdRequest], policy: Policy, data: st.DataObject) -> None:
    for request in requests:
        decided = decided_by(policy, request, data)
        assert verdict_of(decided, policy) == judge_again(decided, policy, TODAY)


def test_what_is_known_of_networks_is_bounded() -> None:
    pair = PolicyPair(VARIANTS["base"], VARIANTS["no partner"])
    planned = plan([AdRequest(networks=(f"network-{number}",)) for number in range(5000)], pair.current, NOW_S)
    decisions = decide(planned, (), [()] * 5000, Rulebook(pair.current), NOW_S)
    for decided in DecidedBatch(planned, (), [()] * 5000, decisions, pair.current, NOW_S).requests():
        pair.changes(decided, TODAY)
    assert len(pair._known) < 5000


def test_decisions_on_leak_canaries_are_left_out_and_the_others_keep_their_records() -> None:
    policy = VARIANTS["base"]
    requests = [
        AdRequest(identity=Identity(name), client_country="US", caller=caller)
        for name, caller in (("canary", CALLER_NAME), ("alice", ""))
    ]
    planned = plan(requests, policy, NOW_S)
    fetched = [StoredRecords(SubjectKind.ACCOUNT, bytes([number] * 16)) for number in range(2)]
    decisions = decide(planned, fetched, [(), ()], Rulebook(policy), NOW_S)
    (decided,) = DecidedBatch(planned, fetched, [(), ()], decisions, policy, NOW_S).requests()
    assert (decided.item, decided.stored) == (planned.items[1], fetched[1:])


def test_nothing_here_can_hold_a_grant_or_read_a_profile() -> None:
    named = {
        node.id if isinstance(node, ast.Name) else node.attr
        for path in Path(targeting.rejudging.__path__[0]).glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Name | ast.Attribute)
    }
    forbidden = {"Grant", "Verdict", "judge_stored", "decide", "read_profile", "behavioural_features", "Shareable"}
    assert not named & forbidden


def test_where_the_gdpr_applies_to_more_the_strings_are_read_and_a_store_that_gave_no_answer_still_restricts() -> None:
    request = AdRequest(identity=Identity("a"), ip_location=IpLocation("US", ""), signals=Signals(tcf_consent="junk"))
    policy, other = VARIANTS["base"], VARIANTS["GDPR in the US"]
    planned = plan([request], policy, NOW_S)
    decisions = decide(planned, Reason.STORE_TIMEOUT, [()], Rulebook(policy), NOW_S)
    (decided,) = DecidedBatch(planned, Reason.STORE_TIMEOUT, [()], decisions, policy, NOW_S).requests()
    assert judge_again(decided, policy, TODAY).reasons == Reason.STORE_TIMEOUT.bit
    assert judge_again(decided, other, TODAY).reasons == reasons_of(Reason.SIGNAL_UNREADABLE, Reason.TCF_NO_CONSENT)
