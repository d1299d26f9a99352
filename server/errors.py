"""From exceptions to answers: one table from type to status.

No text of an exception that we did not write reaches the wire. What no row foresees becomes INTERNAL with an opaque
id, under which the log has its place.
"""

import logging
import secrets
import traceback
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2

from server.gate.port import Refusal
from server.security.audit import AuditUnavailable
from server.store.ports import StoreError, StoreTimeout, StoreUnavailable
from targeting.records.envelope import RecordUnreadable

_LOG = logging.getLogger(__name__)
_RETRY_AFTER_S = 1

_Detail: TypeAlias = error_details_pb2.BadRequest | error_details_pb2.RetryInfo


class InvalidRequest(Exception):
    """A malformed request. ``field`` is its path in the message, empty for the message itself.

    ``problem`` never repeats the value.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}" if field else problem)
        self.field = field
        self.problem = problem


class Unparsable(InvalidRequest):
    """Bytes that are not a message of the RPC's type. Names no field, as none could be read."""

    def __init__(self, kind: type[Message]) -> None:
        super().__init__("", f"not a valid {kind.DESCRIPTOR.full_name} message")


class NotAllowed(Exception):
    """A write that the person's choice, or age, forbids. The message holds nothing of the person."""


class MayCountTwice(StoreUnavailable):
    """Activities without an id may have been recorded: repeated, they may count twice."""


class _Row(NamedTuple):
    """The answer to one type of exception, and to those derived from it."""

    code: int
    text: Callable[[Exception], str]
    details: Callable[[Exception], list[_Detail]] = lambda _: []


def _violations(problem: Exception) -> list[_Detail]:
    assert isinstance(problem, InvalidRequest)  # noqa: S101  # by the table's key
    violation = error_details_pb2.BadRequest.FieldViolation(field=problem.field, description=problem.problem)
    return [error_details_pb2.BadRequest(field_violations=[violation])]


def _retry(_: Exception) -> list[_Detail]:
    return [error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(seconds=_RETRY_AFTER_S))]


def _says(text: str) -> Callable[[Exception], str]:
    return lambda _: text


_SAFE = "nothing was acknowledged; the call can be repeated safely"
_TWICE = "the store did not acknowledge; repeated activities without an id may count twice; send activity_id"
_NO_AUDIT = "the audit log cannot be written, and this service answers no call about people without it; repeat it later"
_UNREADABLE = "a stored record of the subject cannot be read; an explicit choice (SetPreference) replaces it"
_TABLE: dict[type[Exception], _Row] = {
    InvalidRequest: _Row(code_pb2.INVALID_ARGUMENT, str, _violations),
    NotAllowed: _Row(code_pb2.FAILED_PRECONDITION, str),
    RecordUnreadable: _Row(code_pb2.FAILED_PRECONDITION, _says(_UNREADABLE)),
    StoreTimeout: _Row(code_pb2.UNAVAILABLE, _says(f"the store did not answer in time; {_SAFE}"), _retry),
    MayCountTwice: _Row(code_pb2.UNAVAILABLE, _says(_TWICE), _retry),
    StoreError: _Row(code_pb2.UNAVAILABLE, _says(f"the store is unavailable; {_SAFE}"), _retry),
    AuditUnavailable: _Row(code_pb2.UNAVAILABLE, _says(_NO_AUDIT), _retry),
    Exception: _Row(code_pb2.INTERNAL, lambda problem: f"internal error {note(problem)}"),
}


def code_name_of(problem: Exception) -> str:
    """Return the gRPC status of a call that ended with this exception, in lower case."""
    name: str = code_pb2.Code.Name(_row_of(problem).code)
    return name.lower()


def refusal_of(problem: Exception) -> Refusal:
    """Return the answer to a call that ended with this exception: the row of its nearest type."""
    row = _row_of(problem)
    message = row.text(problem)
    packed = []
    for detail in row.details(problem):
        packed.append(any_pb2.Any())
        packed[-1].Pack(detail)
    status = status_pb2.Status(code=row.code, message=message, details=packed)
    field = problem.field if isinstance(problem, InvalidRequest) else ""
    return Refusal(row.code, message, status.SerializeToString(), field)


def _row_of(problem: Exception) -> _Row:
    return next(_TABLE[kind] for kind in type(problem).__mro__ if kind in _TABLE)


def note(problem: Exception) -> str:
    """Log the type and the place of an unforeseen exception, not its text, and return an opaque id for it."""
    identifier = secrets.token_hex(8)
    frames = traceback.extract_tb(problem.__traceback__)
    place = " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(frames[-4:]))
    _LOG.error("unforeseen %s, id %s, at %s", type(problem).__name__, identifier, place)
    return identifier
