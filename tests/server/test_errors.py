"""One table from exceptions to status codes; no text that we did not write reaches the wire."""

from typing import Any

import pytest
from google.rpc import code_pb2, error_details_pb2, status_pb2

from server.errors import InvalidRequest, MayCountTwice, NotAllowed, refusal_of
from server.store.ports import StoreTimeout, StoreUnavailable
from targeting.records.envelope import RecordUnreadable

TABLE = [
    (InvalidRequest("field", "problem"), code_pb2.INVALID_ARGUMENT, error_details_pb2.BadRequest),
    (NotAllowed("the subject opted out"), code_pb2.FAILED_PRECONDITION, None),
    (RecordUnreadable("text"), code_pb2.FAILED_PRECONDITION, None),
    (StoreTimeout("text"), code_pb2.UNAVAILABLE, error_details_pb2.RetryInfo),
    (MayCountTwice("text"), code_pb2.UNAVAILABLE, error_details_pb2.RetryInfo),
    (StoreUnavailable("text"), code_pb2.UNAVAILABLE, error_details_pb2.RetryInfo),
    (RuntimeError("alice@example.com"), code_pb2.INTERNAL, None),
]


@pytest.mark.parametrize(("problem", "code", "detail"), TABLE, ids=[type(row[0]).__name__ for row in TABLE])
def test_the_table(problem: Exception, code: int, detail: Any, caplog: pytest.LogCaptureFixture) -> None:
    refusal = refusal_of(problem)
    status = status_pb2.Status.FromString(refusal.status)
    assert (refusal.code, status.code, status.message) == (code, code, refusal.message)
    assert [each.TypeName() for each in status.details] == ([] if detail is None else [detail.DESCRIPTOR.full_name])
    assert "alice" not in refusal.message
    assert "alice" not in caplog.text


def test_an_unforeseen_error_can_be_found_in_the_log_by_its_opaque_id(caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise ValueError("alice@example.com")
    except ValueError as problem:
        refusal = refusal_of(problem)
    identifier = refusal.message.rsplit(maxsplit=1)[-1]
    assert identifier in caplog.text
    assert "test_an_unforeseen_error" in caplog.text
