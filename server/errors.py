"""Exceptions to answers: one table.

No text of an exception that we did not write reaches the wire; what nobody foresaw becomes INTERNAL with an opaque
id under which the log has the place of it.
"""

import logging
import secrets
import traceback

from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2

from server.gate.port import Refusal
from server.store.ports import StoreError, StoreTimeout
from targeting.records.envelope import RecordUnreadable

_LOG = logging.getLogger(__name__)
_RETRY_AFTER_S = 1


class InvalidRequest(Exception):
    """A request that cannot be taken. ``field`` is its path in the message, empty for the message itself.

    ``problem`` never repeats the value.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}" if field else problem)
        self.field = field
        self.problem = problem


class Unparsable(InvalidRequest):
    """Bytes that are no message of the kind that was asked for. No field is named: none could be read."""

    def __init__(self, kind: type[Message]) -> None:
        super().__init__("", f"this is no {kind.DESCRIPTOR.full_name}; send the type of the RPC")


class NotAllowed(Exception):
    """A write that the person's choice, or age, forbids. The message holds nothing of the person."""


class NotBuilt(Exception):
    """An RPC of the contract that this version does not serve."""


def refusal_of(problem: Exception) -> Refusal:
    """Give the answer to a call that ended with this exception."""
    if isinstance(problem, InvalidRequest):
        violation = error_details_pb2.BadRequest.FieldViolation(field=problem.field, description=problem.problem)
        return _refusal(
            code_pb2.INVALID_ARGUMENT,
            str(problem),
            error_details_pb2.BadRequest(field_violations=[violation]),
        )
    if isinstance(problem, NotAllowed):
        return _refusal(code_pb2.FAILED_PRECONDITION, str(problem))
    if isinstance(problem, RecordUnreadable):
        text = "a stored record of the subject cannot be read; an explicit choice (SetPreference) replaces it"
        return _refusal(code_pb2.FAILED_PRECONDITION, text)
    if isinstance(problem, StoreError):
        text = "the store did not answer in time" if isinstance(problem, StoreTimeout) else "the store is unavailable"
        retry = error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(seconds=_RETRY_AFTER_S))
        return _refusal(code_pb2.UNAVAILABLE, f"{text}; nothing was acknowledged, so it is safe to repeat", retry)
    if isinstance(problem, NotBuilt):
        return _refusal(code_pb2.UNIMPLEMENTED, "this version does not serve this RPC")
    return _refusal(code_pb2.INTERNAL, f"internal error {note(problem)}")


def note(problem: Exception) -> str:
    """Log the kind and the place of an unforeseen exception, not its text, and give an opaque id for it."""
    identifier = secrets.token_hex(8)
    frames = traceback.extract_tb(problem.__traceback__)
    place = " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(frames[-4:]))
    _LOG.error("unforeseen %s, id %s, at %s", type(problem).__name__, identifier, place)
    return identifier


def _refusal(code: int, message: str, *details: error_details_pb2.BadRequest | error_details_pb2.RetryInfo) -> Refusal:
    packed = []
    for detail in details:
        packed.append(any_pb2.Any())
        packed[-1].Pack(detail)
    return Refusal(code, message, status_pb2.Status(code=code, message=message, details=packed).SerializeToString())
