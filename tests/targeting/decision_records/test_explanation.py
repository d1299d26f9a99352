"""A pasted record is shown as checks, and what another policy would change about it."""

import pytest
from msgspec.structs import replace

from targeting.decision_records.explanation import read_record
from targeting.decision_records.form import DecisionRecord, RequestFacts, SubjectFacts
from targeting.decision_records.lines import LineUnreadable, line_of, policy_record
from targeting.policy.directions import Effect
from targeting.policy.policy import ChildrenPolicy, Policy
from targeting.reasons import Reason
from tests.targeting.decision_records.made_up_people import POLICY, changed, decisions, people
from tests.targeting.decision_records.recorded import record
from tests.targeting.decision_records.test_lines import MINIMAL

UNDER_AGE = replace(
    MINIMAL,
    reasons=("UNDER_AGE",),
    store="asked",
    request=RequestFacts(device=True, flags=("do_not_track",)),
    subjects=(SubjectFacts(kind="device", choice="none", age=(13, 16), country="DE"),),
)


def limiting(shown: DecisionRecord, policy: Policy | None = None) -> dict[str, str]:
    explained = read_record(line_of(shown).decode(), policy)
    return {check.signal: check.value_class for check in explained.checks if check.reason is not None}


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (MINIMAL, {"no subject": "yes"}),
        (UNDER_AGE, {"preference record of the device": "none, age at least 13, under 16, DE"}),
        (
            replace(
                MINIMAL, reasons=("ACCOUNT_OPT_OUT",), subjects=(SubjectFacts(kind="account", choice="opted_out"),)
            ),
            {"preference record of the account": "opted out"},
        ),
        (
            replace(MINIMAL, reasons=("DEVICE_OPT_OUT",), subjects=(SubjectFacts(kind="device", choice="opted_out"),)),
            {"preference record of the device": "opted out"},
        ),
        (
            replace(MINIMAL, reasons=("PREFERENCE_LOST",), subjects=(SubjectFacts(kind="device", choice="lost"),)),
            {"preference record of the device": "lost"},
        ),
        (replace(MINIMAL, reasons=("STORE_TIMEOUT",), store="STORE_TIMEOUT"), {"store": "no answer"}),
        (
            replace(MINIMAL, reasons=("UNDER_AGE",), request=RequestFacts(stated_age=(-1, 0), nap_age=(18, None))),
            {"stated age": "at least 0, under 0", "NAP cookie": "at least 18"},
        ),
        (
            replace(
                MINIMAL,
                reasons=("SIGNAL_UNREADABLE",),
                consent=replace(MINIMAL.consent, in_gdpr_scope=True, unreadable=("tcf",)),
            ),
            {"TC string": "unreadable"},
        ),
    ],
    ids=["no subject", "under age", "account", "device", "lost", "store", "stated ages", "unreadable"],
)
def test_the_checks_that_limit_are_shown(shown: DecisionRecord, expected: dict[str, str]) -> None:
    assert limiting(shown) == expected


def test_an_unreadable_string_and_what_the_others_say_are_two_checks() -> None:
    unreadable = replace(MINIMAL.consent, in_gdpr_scope=True, unreadable=("tcf",))
    shown = replace(MINIMAL, reasons=("TCF_NO_CONSENT", "SIGNAL_UNREADABLE"), consent=unreadable)
    checks = read_record(line_of(shown).decode()).checks
    assert [check.reason for check in checks if check.signal == "TC string"] == [
        Reason.SIGNAL_UNREADABLE,
        Reason.TCF_NO_CONSENT,
    ]


def test_another_policy_says_what_it_would_change() -> None:
    explained = read_record(line_of(UNDER_AGE).decode(), changed(children=ChildrenPolicy(age=13)))
    assert [(change.name, change.effect) for change in explained.changes] == [("children", Effect.LOOSENS)]
    assert not read_record(line_of(UNDER_AGE).decode(), POLICY).changes


def test_every_record_can_be_shown() -> None:
    for made in decisions(list(people(60)), 12):
        written = record(made)
        reasons = {check.reason for check in read_record(line_of(written).decode()).checks} - {None}
        assert {reason.name for reason in reasons if reason} <= set(written.reasons)
        assert bool(reasons) == bool(written.reasons)


def test_the_record_of_a_policy_is_no_decision() -> None:
    with pytest.raises(LineUnreadable, match="is the record of a policy"):
        read_record(line_of(policy_record(POLICY)).decode())
