"""A record is one line of its schema, and a line that is none says why and repeats nothing."""

import json
from dataclasses import replace

import jsonschema
import pytest
from hypothesis import given, settings

from server.schemas.files import RECORD_SCHEMA
from targeting.decision_records.form import DecisionRecord, NetworkFacts, PolicyRecord
from targeting.decision_records.lines import LineUnreadable, line_of, policy_record, read_line
from targeting.policy.policy import DEFAULT_POLICY, Policy, policy_from
from tests.targeting.decision_records.made_up_people import POLICY
from tests.targeting.decision_records.recorded import POLICIES, any_decision, record, recorded
from tests.targeting.decision_records.test_replay import Case

SCHEMA = jsonschema.Draft202012Validator(json.loads(RECORD_SCHEMA.read_text(encoding="utf-8")))
MINIMAL = DecisionRecord(v=1, hour="2026-11-29T02Z", policy="p", mode="LIMITED", reasons=("NO_SUBJECT",))
LINE = line_of(MINIMAL)


@settings(max_examples=40)
@given(any_decision())
def test_every_record_keeps_the_schema(case: Case) -> None:
    SCHEMA.validate(json.loads(line_of(record(recorded(*case)))))


@settings(max_examples=20)
@given(POLICIES)
def test_a_policy_is_read_back_as_it_was(policy: Policy) -> None:
    for each in (policy, POLICY, DEFAULT_POLICY):
        line = line_of(policy_record(each))
        SCHEMA.validate(json.loads(line))
        read = read_line(line)
        assert isinstance(read, PolicyRecord)
        assert policy_from(read.settings) == replace(each, vendor_list=None)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (LINE[:-20], "is cut: it ends before its end"),
        (LINE[:40] + b"\n", "is damaged: not JSON"),
        (b"\xff\xfe\n", "is damaged: not JSON"),
        (b"[]\n", "is no decision record"),
        (b"{}\n", "is no decision record"),
        (LINE.replace(b'"v":1', b'"v":2'), "has a newer form: version 2, and this version reads 1"),
        (LINE.replace(b"}", b',"secret":"alice"}'), "is damaged: not of the form"),
        (LINE.replace(b'"LIMITED"', b'"alice"'), r"is damaged: not of the form, at \$\.mode"),
        (LINE.replace(b"NO_SUBJECT", b"NO_LUCK"), "has a reason that this version does not know"),
        (
            line_of(DecisionRecord(v=1, hour="2026-11-29T02Z", policy="p", mode="LIMITED", networks=(
                NetworkFacts(id="acme", reasons=("NO_LUCK",)),
            ))),
            "has a reason that this version does not know",
        ),
        (
            line_of(DecisionRecord(v=1, hour="2026-11-29T02Z", policy="p", mode="LIMITED", networks=(
                NetworkFacts(id="acme"), NetworkFacts(id="ACME"),
            ))),
            "is damaged: it names a network twice",
        ),
    ],
    ids=[
        "cut", "damaged", "not UTF-8", "a list", "nothing", "newer", "an unknown member", "a wrong value",
        "an unknown reason", "an unknown reason of a network", "a network twice",
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_read_says_why(line: bytes, problem: str) -> None:
    with pytest.raises(LineUnreadable, match=f"^{problem}$") as caught:
        read_line(line)
    assert "alice" not in str(caught.value)
