"""Calls about people as entries of the audit log: who called, about whom, and how it ended.

Invariant: an entry has pseudonyms only. Where the log is required, a call that it has no entry of is not answered.
"""

from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from server.calls.call_context import CallContext
from server.calls.call_worker import Handler
from server.errors import code_name_of
from server.gate.port import Method
from server.security.audit import OK, Entry
from targeting.model import Subject
from targeting.recording.signal_opt_outs import Sighting


@contextmanager
def audited(call: str, context: CallContext) -> Iterator[CallContext]:
    """Make a call with the context that this returns, and write its entry. Raises ``AuditUnavailable``."""
    subjects: dict[Subject, None] = {}

    def concerns(more: Sequence[Subject]) -> None:
        subjects.update(dict.fromkeys(more))

    def record(outcome: str) -> None:
        pseudonyms = tuple(pseudonym_text(context.pseudonym(subject)) for subject in subjects)
        context.audit.record(Entry(call, context.caller.name, outcome, pseudonyms))

    context.audit.check()
    try:
        yield context._replace(on_subjects=concerns)
    except Exception as problem:
        record(code_name_of(problem))
        raise
    record(OK)


def audited_handler(method: Method, handler: Handler) -> Handler:
    """Return the handler of a call that always has an entry."""

    def handle(payload: bytes, context: CallContext) -> bytes:
        with audited(method.path.rpartition("/")[2], context) as watched:
            return handler(payload, watched)

    return handle


def pseudonym_text(owner: bytes) -> str:
    """Return a pseudonym as receipts and the audit log write it: base64url without padding."""
    return urlsafe_b64encode(owner).rstrip(b"=").decode("ascii")


def signal_entry(sighting: Sighting, pseudonym: Callable[[Subject], bytes]) -> Entry:
    """Return the entry of a choice that a signal made."""
    return Entry("Signal", sighting.actor, OK, (pseudonym_text(pseudonym(sighting.subject)),))
