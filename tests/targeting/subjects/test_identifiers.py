"""What names a subject: placeholders name none, and an id has one name."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targeting.decision import plan
from targeting.model import AdRequest, Identity, Signals, Subject, SubjectKind
from targeting.policy.policy import DEFAULT_POLICY
from targeting.reasons import Reason
from targeting.subjects.identifiers import canonical, is_placeholder, is_zeros, names_of, without_placeholders

NOW_S = 1_780_000_000.0
NOT_IN_SCOPE = Signals(gdpr_applies=False)

PLACEHOLDERS = [
    *("", " ", "\t", "\u00a0", "\u3000", "0", "-", "00", "0-0", "00000000-0000-0000-0000-000000000000", "0" * 32),
    *("{00000000-0000-0000-0000-000000000000}", "null", "NULL", " null ", '"null"', "'undefined'", "(null)", "<null>"),
    *("nil", "undefined", "Undefined", "none", "None", "nan", "NaN", "n/a", "N/A", "unknown", "UNKNOWN", "not set"),
    *("[object Object]", "[OBJECT OBJECT]", "${DEVICE_ID}", "{{device_id}}", "%%ADVERTISING_ID%%", "[IDFA]", "{{ }}"),
    *("%7B%7Bdevice_id%7D%7D", "%24%7BDEVICE_ID%7D", "%5BIDFA%5D"),
]
IDS = [
    *("alice", "a", "1", "00000000-0000-0000-0000-000000000001", "0a", "null0", "nullable", "unknown-42", "nonesuch"),
    *("nancy", "n", "{550e8400-e29b-41d4-a716-446655440000}", "${", "%%", "[x", "x]", "%41lice", "-a", "é", "名前"),
]


@pytest.mark.parametrize("text", PLACEHOLDERS, ids=repr)
def test_a_placeholder_names_no_person(text: str) -> None:
    assert is_placeholder(text)


@pytest.mark.parametrize("text", IDS, ids=repr)
def test_an_id_names_a_subject(text: str) -> None:
    assert not is_placeholder(text)


ZEROS = {"00000000-0000-0000-0000-000000000000": True, "0" * 32: True, "0": True, "": False, "-": False, "0a": False}


@pytest.mark.parametrize(("text", "expected"), ZEROS.items(), ids=map(repr, ZEROS))
def test_all_zeros(text: str, expected: bool) -> None:
    assert is_zeros(text) is expected


def planned(identity: Identity, cookies: str = "") -> tuple[list[Subject], int]:
    request = AdRequest(identity=identity, cookie_header=cookies, signals=NOT_IN_SCOPE)
    (item,) = plan([request], DEFAULT_POLICY, NOW_S).items
    return list(item.subjects), item.verdict.reasons


def account(text: str) -> Subject:
    return Subject(SubjectKind.ACCOUNT, text)


def device(text: str) -> Subject:
    return Subject(SubjectKind.DEVICE, text)


MUID = "0123456789abcdef" * 2
SUBJECTS = {
    "an account": (Identity("null"), "", []),
    "a linked account": (Identity("alice", ("undefined", "bob")), "", [account("alice"), account("bob")]),
    "a device": (Identity("alice", (), "{{device_id}}"), "", [account("alice")]),
    "a device, beside a MUID cookie": (Identity("", (), "undefined"), f"MUID={MUID}", [device(MUID)]),
    "a MUID cookie of zeros": (Identity("alice"), f"MUID={'0' * 32}", [account("alice")]),
    "a MUID cookie that says undefined": (Identity("alice"), "MUID=undefined", [account("alice")]),
    "everything": (Identity("0", ("-",), "n/a"), "MUID=null", []),
}


@pytest.mark.parametrize(("identity", "cookies", "subjects"), SUBJECTS.values(), ids=SUBJECTS)
def test_a_decision_takes_a_placeholder_as_absent(identity: Identity, cookies: str, subjects: list[Subject]) -> None:
    assert planned(identity, cookies) == (subjects, 0)


@pytest.mark.parametrize("zeros", ["0" * 32, "00000000-0000-0000-0000-000000000000"])
def test_a_device_id_of_zeros_says_that_tracking_is_limited(zeros: str) -> None:
    assert planned(Identity("alice", (), zeros)) == ([], Reason.LIMIT_AD_TRACKING.bit)


NFC, NFD = "jos\u00e9", "jose\u0301"
NAMES = {
    "an account": (Identity(NFD), [account(NFC), account(NFD)]),
    "a device": (Identity("", (), NFD), [device(NFC), device(NFD)]),
    "both": (Identity(NFD, (), NFD), [account(NFC), device(NFC), account(NFD), device(NFD)]),
    "a linked account": (Identity("alice", (NFD,)), [account("alice"), account(NFC), account(NFD)]),
    "in NFC already": (Identity(NFC), [account(NFC)]),
}


@pytest.mark.parametrize(("identity", "subjects"), NAMES.values(), ids=NAMES)
def test_an_id_that_is_not_nfc_is_looked_up_under_both_names(identity: Identity, subjects: list[Subject]) -> None:
    assert planned(identity)[0] == subjects


@given(st.text())
def test_the_written_name_is_nfc_and_the_first(text: str) -> None:
    first, *others = names_of(SubjectKind.ACCOUNT, text)
    assert first.id == canonical(text) == unicodedata.normalize("NFC", text)
    assert [other.id for other in others] == ([] if first.id == text else [text])


@given(st.text())
def test_whatever_is_sent_is_an_id_or_a_placeholder(text: str) -> None:
    cleaned = without_placeholders(Identity(text, (text,), text), "")
    expected = "" if is_placeholder(text) else text
    assert cleaned == Identity(expected, (expected,) if expected else (), expected)
