"""I6: in limited mode the bytes of the answer do not depend on the profile. Only the judge grants the other mode."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from server.messages import wire
from targeting.decision import Decision, Rulebook, decide, plan
from targeting.judge import Grant
from targeting.model import AdRequest, Mode, Subject, SubjectKind
from targeting.policy.policy import DEFAULT_POLICY, GdprPolicy
from targeting.reasons import Reason
from targeting.records.stored_records import StoredRecords
from tests.properties.any_request import REQUESTS, profile_values, records
from tests.targeting.signals.strings import VENDOR

NOW_S = 1_780_000_000.0
POLICY = replace(DEFAULT_POLICY, gdpr=GdprPolicy(host_vendor_id=VENDOR))
RULES = Rulebook(POLICY, b"key of network ids")


def decided(request: AdRequest, stored: Sequence[StoredRecords]) -> Decision:
    planned = plan([request], POLICY, NOW_S)
    return decide(planned, stored if planned.subjects else (), [()], RULES, NOW_S)[0]


@settings(max_examples=4 * settings().max_examples)
@given(REQUESTS, st.data())
def test_a_limited_answer_is_the_same_bytes_whatever_the_profile(request: AdRequest, data: st.DataObject) -> None:
    subjects = plan([request], POLICY, NOW_S).subjects
    stored = [data.draw(records(subject)) for subject in subjects]
    first = decided(request, stored)
    assume(first.mode is Mode.LIMITED)
    # An unreadable profile is a reason only where a grant would have opened it.
    assume(first.reasons != Reason.RECORD_UNREADABLE.bit)
    swapped = [
        record if record.profile is None else record._replace(profile=data.draw(profile_values(record.owner)))
        for record in stored
    ]
    assert wire.responses([decided(request, swapped)]) == wire.responses([first])


@settings(max_examples=3 * settings().max_examples)
@given(REQUESTS, st.data())
def test_behavioural_mode_needs_every_check_to_say_yes(request: AdRequest, data: st.DataObject) -> None:
    subjects = plan([request], POLICY, NOW_S).subjects
    stored = [data.draw(records(subject)) for subject in subjects]
    decision = decided(request, stored)
    assert (decision.mode is Mode.BEHAVIOURAL) == (decision.reasons == 0) == (decision.behavioural is not None)
    for network in decision.networks:
        if decision.mode is Mode.LIMITED:
            assert network.profile is None
            assert not network.network_user_id
            assert network.precise_position == "none"


@settings(max_examples=2 * settings().max_examples)
@given(st.lists(REQUESTS, min_size=1, max_size=6), st.data())
def test_a_decision_does_not_depend_on_its_batch_mates(requests: list[AdRequest], data: st.DataObject) -> None:
    planned = plan(requests, POLICY, NOW_S)
    stored = [data.draw(records(subject)) for subject in planned.subjects]
    together = wire.responses(decide(planned, stored, [()] * len(requests), RULES, NOW_S))
    at = 0
    for request, item, answer in zip(requests, planned.items, together, strict=True):
        alone = decided(request, stored[at : at + len(item.subjects)])
        assert wire.responses([alone]) == [answer]
        at += len(item.subjects)


@given(st.lists(REQUESTS, min_size=1, max_size=3), st.data())
def test_records_that_are_not_as_many_as_the_subjects_are_refused(
    requests: list[AdRequest], data: st.DataObject
) -> None:
    planned = plan(requests, POLICY, NOW_S)
    subjects = planned.subjects or [Subject(SubjectKind.ACCOUNT, "somebody")]
    stored = [data.draw(records(subject)) for subject in subjects]
    for others in (stored[1:] if planned.subjects else stored, [*stored, stored[0]]):
        with pytest.raises(ValueError, match="as many records as subjects"):
            decide(planned, others, [()] * len(requests), RULES, NOW_S)


@given(REQUESTS, st.sampled_from([Reason.STORE_TIMEOUT, Reason.STORE_UNAVAILABLE]))
def test_without_the_store_nothing_is_behavioural(request: AdRequest, reason: Reason) -> None:
    planned = plan([request], POLICY, NOW_S)
    decision = decide(planned, reason, [()], RULES, NOW_S)[0]
    assert decision.mode is Mode.LIMITED
    if planned.subjects:
        assert decision.reasons == reason.bit


def test_only_the_judge_makes_a_grant() -> None:
    with pytest.raises(TypeError):
        Grant(object())
