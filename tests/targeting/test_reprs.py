"""I4: no identifier and nothing of a profile in a ``repr``, so in no log line and no traceback."""

import pytest

from server.gate.methods import DECIDE
from server.gate.port import Call
from targeting.behavioural import PersonData, behavioural_features
from targeting.decision import Rulebook, decide, plan
from targeting.explanation.checks import DecisionTrace
from targeting.explanation.explain import explain
from targeting.features.batch import Behavioural
from targeting.judge import Grant, Stated, judge_stored
from targeting.model import AdRequest, Identity, LimitedFeatures, Signals, Subject, SubjectKind
from targeting.networks import Shareable
from targeting.policy.policy import DEFAULT_POLICY
from targeting.reasons import NO_REASONS, Reason, reasons_in, reasons_of
from targeting.records.preference import Preference, encode_preference, read_stored_choice
from targeting.records.profile import HeldDestination, HeldInterest, Profile, SegmentKind, encode_profile, read_profile
from targeting.records.stored_records import StoredRecords
from targeting.rejudging.verdict import DecidedRequest

OWNER = bytes(16)
NOW_S = 1_780_000_000.0


def a_grant() -> Grant:
    preference = encode_preference(Preference(), OWNER)
    subject = StoredRecords(SubjectKind.ACCOUNT, OWNER, preference, b"a profile")
    grant = judge_stored([subject], [read_stored_choice(preference, OWNER)], Stated(of_age_day=0)).grant
    assert grant is not None
    return grant


def features_of_a_person() -> Behavioural:
    profile = Profile(
        occupation="astronaut",
        interests=(HeldInterest("246", SegmentKind.CONTENT, 1.0, int(NOW_S)),),
        destinations=(HeldDestination("FR", 1.0, int(NOW_S)),),
    )
    known = PersonData(read_profile(encode_profile(profile, OWNER), OWNER))
    return behavioural_features(a_grant(), [known], DEFAULT_POLICY, NOW_S)[0]


def a_decided_request() -> DecidedRequest:
    request = AdRequest(identity=Identity("alice"), ip="192.0.2.1")
    (item,) = plan([request], DEFAULT_POLICY, NOW_S).items
    return DecidedRequest(item, [], [], LimitedFeatures("", "", "", ""), NO_REASONS)


SECRETIVE = [
    Subject(SubjectKind.ACCOUNT, "alice"),
    Identity("alice", ("bob",), "phone"),
    AdRequest(identity=Identity("alice"), ip="192.0.2.1", signals=Signals(tcf_consent="a string")),
    Call(DECIDE, b"alice", 0.0, 0.0),
    Rulebook(DEFAULT_POLICY, b"the key of ids"),
    StoredRecords(SubjectKind.ACCOUNT, b"pseudonym", b"alice", b"astronaut"),
    StoredRecords(SubjectKind.DEVICE, b"pseudonym"),
    features_of_a_person(),
    a_decided_request(),
    Shareable(a_grant(), features_of_a_person(), b"pseudonym", b"the key of ids", SubjectKind.ACCOUNT),
]


@pytest.mark.parametrize("value", SECRETIVE, ids=lambda value: type(value).__name__)
def test_it_shows_nothing_of_the_person(value: object) -> None:
    for secret in ("alice", "bob", "phone", "192.0.2.1", "a string", "the key of ids", "astronaut", "pseudonym"):
        assert secret not in repr(value)


def test_features_can_be_read_by_name() -> None:
    person = features_of_a_person()
    assert person.demographics.occupation == "astronaut"
    assert person.interests.named() == [("246", 1.0)]
    assert person.destinations.named() == [("FR", 1.0)]
    assert person.exposures == []
    assert len(person.vector) == 360


def test_a_mask_holds_its_reasons() -> None:
    assert reasons_in(reasons_of(Reason.NO_PROFILE, Reason.CHILD_DIRECTED)) == (
        Reason.CHILD_DIRECTED,
        Reason.NO_PROFILE,
    )
    assert reasons_in(reasons_of()) == ()


def test_an_explanation_names_what_stood_in_the_way() -> None:
    rules = Rulebook(DEFAULT_POLICY)
    for request, stored, signal in (
        (AdRequest(signals=Signals(gdpr_applies=False, unreadable=("regs.coppa",))), (), "regs.coppa"),
        (
            AdRequest(identity=Identity("alice"), signals=Signals(gdpr_applies=False)),
            Reason.STORE_UNAVAILABLE,
            "store",
        ),
    ):
        planned = plan([request], DEFAULT_POLICY, NOW_S)
        decision = decide(planned, stored, [()], rules, NOW_S)[0]
        checks = explain(DecisionTrace(planned.items[0], stored, decision, DEFAULT_POLICY, NOW_S))
        assert [check.reason for check in checks if check.signal == signal] == [reasons_in(decision.reasons)[0]]
