"""The audit log that the settings ask for."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from google.rpc import code_pb2

from server.files.line_file import LineFile
from server.security.admission import Admission, Denial
from server.security.audit import NO_AUDIT, AuditLog, AuditTrail, Entry
from server.security.audit_output import LineSink, StandardOutput
from server.settings import PREFIX, Settings, SettingsError

_SETTING: Final = f"{PREFIX}AUDIT_LOG"
_STANDARD_OUTPUT: Final = "-"


def open_audit(settings: Settings, on_lost: Callable[[], None], closing: ExitStack) -> AuditTrail:
    """Return the audit log, which ``closing`` closes. Raises ``SettingsError``."""
    if not settings.audit_log:
        if settings.audit_required == "yes":
            raise SettingsError(f"{PREFIX}AUDIT_REQUIRED: there is no audit log; set {_SETTING}")
        return NO_AUDIT
    log = AuditLog(_sink(settings.audit_log), required=settings.audit_required == "yes", on_lost=on_lost)
    closing.callback(log.close)
    return log


def audit_denials(admission: Admission, audit: AuditTrail) -> None:
    """Have an entry written for every denial."""
    admission.on_denied = lambda denial: audit.enqueue(_entry_of(denial))


def _entry_of(denial: Denial) -> Entry:
    name = denial.rpc.rpartition("/")[2]
    return Entry(
        call=name[:1].upper() + name[1:],
        actor=denial.caller.name,
        outcome=code_pb2.Code.Name(denial.code).lower(),
        role=denial.role,
    )


def _sink(path: str) -> LineSink:
    if path == _STANDARD_OUTPUT:
        return StandardOutput()
    try:
        return LineFile(Path(path))
    except OSError as problem:
        remedy = f"set a file that this user may append to, or {_STANDARD_OUTPUT}"
        raise SettingsError(f"{_SETTING}: cannot append to {path}: {problem.strerror}; {remedy}") from problem
