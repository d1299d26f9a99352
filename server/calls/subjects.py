"""The subject of a preference or profile call."""

from typing import Protocol

from server.calls.call_context import CallContext
from server.errors import InvalidRequest
from server.messages.translate import named_id
from targeting.model import Subject, SubjectKind
from targeting.signals.cookies import browser_id
from targeting.subjects.identifiers import canonical


class NamesSubject(Protocol):
    """A message with the ``subject`` of the contract: ``account_id`` or ``device_id``."""

    account_id: str
    device_id: str


def subject_of(message: NamesSubject, context: CallContext) -> Subject:
    """Read the subject, which is no canary; its records are going to be read or changed. Raises ``InvalidRequest``."""
    subject = _named(message)
    context.on_subjects((subject,))
    return context.canaries.checked_subject(subject)


def _named(message: NamesSubject) -> Subject:
    if message.account_id:
        return Subject(SubjectKind.ACCOUNT, canonical(named_id("account_id", message.account_id)))
    if message.device_id:
        return Subject(SubjectKind.DEVICE, canonical(browser_id(named_id("device_id", message.device_id))))
    raise InvalidRequest("account_id", "missing subject; set account_id or device_id")
