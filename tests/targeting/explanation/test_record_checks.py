"""What ``Explain`` says of a stored choice: who made it and about when, as classes."""

import struct

import pytest

from targeting.decision import Rulebook, decide, plan
from targeting.explanation.checks import DecisionTrace
from targeting.explanation.record_checks import record_checks
from targeting.model import AdRequest, Identity, SubjectKind
from targeting.policy.policy import DEFAULT_POLICY
from targeting.records.envelope import seal
from targeting.records.preference import Choice, Preference, Source, encode_preference
from targeting.records.stored_records import StoredRecords

OWNER = bytes(16)
NOW_S = 1_800_000_000.0
DAY_S = 86_400


def made(days_ago: float) -> bytes:
    changed_at_ms = int((NOW_S - days_ago * DAY_S) * 1000)
    return encode_preference(
        Preference(choice=Choice.OPT_OUT, source=Source.ACCOUNT_PAGE, changed_at_ms=changed_at_ms, version=1), OWNER
    )


def of_a_newer_source() -> bytes:
    """A record whose choice is known and whose source only a newer version knows."""
    record = bytearray(made(1))
    head = len(record) - struct.calcsize("<BBBBIQi2s")
    record[head + 1] = 99
    return seal(bytes(record[:2]), record[2], OWNER, bytes(record[head:]))


def class_of(preference: bytes) -> str:
    request = AdRequest(identity=Identity(account_id="alice"), client_country="US")
    planned = plan([request], DEFAULT_POLICY, NOW_S)
    stored = [StoredRecords(SubjectKind.ACCOUNT, OWNER, preference)]
    (decision,) = decide(planned, stored, [()], Rulebook(DEFAULT_POLICY), NOW_S)
    trace = DecisionTrace(item=planned.items[0], stored=stored, decision=decision, policy=DEFAULT_POLICY, now_s=NOW_S)
    return next(iter(record_checks(trace))).value_class


@pytest.mark.parametrize(
    ("preference", "value_class"),
    [
        pytest.param(made(0.5), "stored record: account page, within a day", id="today"),
        pytest.param(made(1), "stored record: account page, within a day", id="a day ago"),
        pytest.param(made(1.1), "stored record: account page, within 30 days", id="more than a day ago"),
        pytest.param(made(31), "stored record: account page, within a year", id="last month"),
        pytest.param(made(366), "stored record: account page, more than a year ago", id="long ago"),
        pytest.param(made(-1), "stored record: account page, within a day", id="by a clock that is ahead"),
        pytest.param(encode_preference(Preference(), OWNER), "stored record", id="never"),
        pytest.param(of_a_newer_source(), "stored record", id="in a way that only a newer version knows"),
    ],
)
def test_who_made_a_choice_and_when(preference: bytes, value_class: str) -> None:
    assert class_of(preference) == value_class
