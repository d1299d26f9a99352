"""Which calls have an entry in the audit log, and what it says of them."""

from contextlib import nullcontext
from typing import Any

import pytest
from adtargeting.v1 import preference_pb2 as pref
from adtargeting.v1 import profile_pb2 as prof
from adtargeting.v1 import targeting_pb2 as pb
from google.protobuf.message import Message

from server.calls.audited import audited, pseudonym_text
from server.calls.handlers import HANDLERS
from server.errors import InvalidRequest, refusal_of
from server.gate import methods
from server.gate.port import Method
from server.security.audit import AuditUnavailable, Entry
from server.security.caller import Caller
from targeting.model import Subject, SubjectKind
from tests.server.calls.direct_service import Service
from tests.server.store.fake_store import PSEUDONYMS, FakeStore

ACCOUNT, DEVICE, LINKED = (
    Subject(SubjectKind.ACCOUNT, "alice"),
    Subject(SubjectKind.DEVICE, "phone"),
    Subject(SubjectKind.ACCOUNT, "bob"),
)
OUT: dict[str, Any] = {"choice": pref.CHOICE_OPT_OUT, "source": pref.SOURCE_SUPPORT}
CORRECTION: dict[str, Any] = {"declared": {"occupation": "baker"}, "update_mask": {"paths": ["occupation"]}}


class Trail:
    """Keeps entries, unless it is told to refuse them."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.refuses_calls = self.refuses_entries = False

    def check(self) -> None:
        if self.refuses_calls:
            raise AuditUnavailable

    def record(self, entry: Entry) -> None:
        if self.refuses_entries:
            raise AuditUnavailable
        self.entries.append(entry)

    enqueue = record

    def reopen(self) -> None:
        """No file is open."""


@pytest.fixture
def trail() -> Trail:
    return Trail()


@pytest.fixture
def service(trail: Trail) -> Service:
    store = FakeStore()
    made = Service(store, store)
    made.tools = made.tools._replace(
        audit=trail, pseudonym=PSEUDONYMS.owner, caller=Caller("support-desk", "10.0.0.7:50000")
    )
    return made


def call(service: Service, method: Method, message: Message) -> bytes:
    return HANDLERS[method](message.SerializeToString(), service.tools)


CALLS: dict[str, tuple[Method, Message, tuple[str, list[Subject]]]] = {
    "a choice of an account": (
        methods.SET_PREFERENCE, pref.SetPreferenceRequest(account_id="alice", **OUT), ("ok", [ACCOUNT])
    ),
    "a choice of a browser": (
        methods.SET_PREFERENCE, pref.SetPreferenceRequest(device_id="phone", **OUT), ("ok", [DEVICE])
    ),
    "no choice": (
        methods.SET_PREFERENCE, pref.SetPreferenceRequest(account_id="alice"), ("invalid_argument", [ACCOUNT])
    ),
    "a choice without a subject": (methods.SET_PREFERENCE, pref.SetPreferenceRequest(**OUT), ("invalid_argument", [])),
    "access to a choice": (methods.GET_PREFERENCES, pref.GetPreferencesRequest(account_id="alice"), ("ok", [ACCOUNT])),
    "access": (methods.GET_PROFILE, prof.GetProfileRequest(account_id="alice"), ("ok", [ACCOUNT])),
    "a correction": (
        methods.UPDATE_PROFILE, prof.UpdateProfileRequest(account_id="alice", **CORRECTION), ("ok", [ACCOUNT])
    ),
    "an erasure": (methods.DELETE_PROFILE, prof.DeleteProfileRequest(account_id="alice"), ("ok", [ACCOUNT])),
    "an explanation": (
        methods.EXPLAIN,
        pb.DecideRequest(account_id="alice", device_id="phone", linked_account_ids=["bob"]),
        ("ok", [ACCOUNT, DEVICE, LINKED]),
    ),
    "an explanation of a request that limits by itself": (
        methods.EXPLAIN,
        pb.DecideRequest(account_id="alice", signals=pb.PrivacySignals(child_directed=True)),
        ("ok", [ACCOUNT]),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("method", "message", "expected"), CALLS.values(), ids=CALLS)
def test_a_call_about_a_person_has_one_entry(
    service: Service, trail: Trail, method: Method, message: Message, expected: tuple[str, list[Subject]]
) -> None:
    outcome, subjects = expected
    with nullcontext() if outcome == "ok" else pytest.raises(InvalidRequest):
        call(service, method, message)
    name = method.path.rpartition("/")[2]
    pseudonyms = tuple(pseudonym_text(PSEUDONYMS.owner(subject)) for subject in subjects)
    assert trail.entries == [Entry(name, "support-desk", outcome, pseudonyms)]


def test_a_correction_that_an_opt_out_forbids(service: Service, trail: Trail) -> None:
    call(service, methods.SET_PREFERENCE, pref.SetPreferenceRequest(account_id="alice", **OUT))
    with pytest.raises(Exception, match="may not be changed"):
        call(service, methods.UPDATE_PROFILE, prof.UpdateProfileRequest(account_id="alice", **CORRECTION))
    assert [entry.outcome for entry in trail.entries] == ["ok", "failed_precondition"]


def test_the_pseudonym_is_that_of_the_receipt_of_an_erasure(service: Service, trail: Trail) -> None:
    answer = call(service, methods.DELETE_PROFILE, prof.DeleteProfileRequest(account_id="alice"))
    receipt = prof.DeleteProfileResponse.FromString(answer)
    assert trail.entries[0].subjects == (receipt.subject_pseudonym,)


def test_activities_have_no_entry(service: Service, trail: Trail) -> None:
    call(service, methods.RECORD_ACTIVITY, prof.RecordActivityRequest(activities=[prof.Activity(account_id="alice")]))
    assert trail.entries == []


@pytest.mark.parametrize(
    "method",
    [each for each in HANDLERS if each is not methods.RECORD_ACTIVITY],
    ids=lambda method: method.path.rpartition("/")[2],
)
def test_where_the_log_is_required_and_fails_no_handler_runs(service: Service, trail: Trail, method: Method) -> None:
    trail.refuses_calls = True
    with pytest.raises(AuditUnavailable):
        HANDLERS[method](b"\xff not a message", service.tools)


def test_an_answer_without_an_entry_is_withheld(service: Service, trail: Trail) -> None:
    trail.refuses_entries = True
    with pytest.raises(AuditUnavailable) as refused:
        call(service, methods.GET_PROFILE, prof.GetProfileRequest(account_id="alice"))
    refusal = refusal_of(refused.value)
    assert refusal.code == 14
    assert refusal.message.startswith("the audit log cannot be written")


def test_a_fault_of_ours_is_internal(service: Service, trail: Trail) -> None:
    with pytest.raises(ZeroDivisionError), audited("Inspect", service.tools):
        _ = 1 // 0
    assert trail.entries == [Entry("Inspect", "support-desk", "internal")]
