"""The audit log: one JSON line for each choice, correction, erasure and access, and for each call that was denied.

A line says when, who, which call, whose records (by pseudonym) and how it ended; never an id, and never a value.
Entries that could not be written are counted, and a line says how many there were once writing works again. Where the
log is required, calls about people are refused while it cannot be written. Any thread may use it.
"""

import json
import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from queue import SimpleQueue
from typing import Final, NamedTuple, Protocol

from server.security.audit_output import LineSink

OK: Final = "ok"
_GAP: Final = "AuditGap"
_OWN: Final = "internal:audit"
_MAX_QUEUED: Final = 10_000
_LAST_S: Final = 2.0
_LOG = logging.getLogger(__name__)


class AuditUnavailable(Exception):
    """The audit log is required and cannot be written."""


class Entry(NamedTuple):
    """What one line says, beside the time."""

    call: str
    """The RPC, such as ``SetPreference``; ``Inspect``; or ``Signal`` for a choice that a signal made."""
    actor: str
    """The client's name; empty for one without."""
    outcome: str
    """``ok``, or a gRPC status in lower case."""
    subjects: tuple[str, ...] = ()
    """Pseudonyms of the people whose records were read or changed, as receipts of erasures name them."""
    role: str = ""
    """The role that a denied call needs."""


class AuditTrail(Protocol):
    """Takes entries."""

    def check(self) -> None:
        """Raise ``AuditUnavailable`` where the log is required and known not to be written."""
        ...

    def record(self, entry: Entry) -> None:
        """Write an entry. Raises ``AuditUnavailable`` where the log is required and it could not be written."""
        ...

    def enqueue(self, entry: Entry) -> None:
        """Have an entry written by another thread. Never waits and never raises."""
        ...

    def reopen(self) -> None:
        """Open the file again, which may have been moved away. Never raises."""
        ...


class NoAudit:
    """The trail of a service without an audit log."""

    def reopen(self) -> None:
        """Do nothing."""

    def check(self) -> None:
        """Do nothing."""

    def record(self, entry: Entry) -> None:
        """Do nothing."""

    def enqueue(self, entry: Entry) -> None:
        """Do nothing."""


NO_AUDIT: Final = NoAudit()


class AuditLog:
    """Writes entries, from its making until ``close``."""

    def __init__(
        self,
        sink: LineSink,
        *,
        required: bool = False,
        on_lost: Callable[[], None] = lambda: None,
        clock_s: Callable[[], float] = time.time,
    ) -> None:
        """``on_lost`` is called for each entry that could not be written."""
        self._sink = sink
        self._required = required
        self._on_lost = on_lost
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._lost = 0
        """Entries that could not be written since the last one that was."""
        self._queue: SimpleQueue[Entry | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="audit", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raise ``AuditUnavailable`` where the log is required and still cannot be written."""
        with self._lock:
            if self._required and self._lost and not self._write(b""):
                self._lose()
                raise AuditUnavailable

    def record(self, entry: Entry) -> None:
        """Write an entry, after one about a gap where there was one."""
        with self._lock:
            if not self._write(self._line(entry)):
                self._lose()
                if self._required:
                    raise AuditUnavailable

    def enqueue(self, entry: Entry) -> None:
        """Have the log's own thread write an entry; beyond 10,000 that wait it counts as lost."""
        if self._queue.qsize() < _MAX_QUEUED:
            self._queue.put(entry)
            return
        with self._lock:
            self._lose()

    def reopen(self) -> None:
        """Open the file again, which may have been moved away."""
        with self._lock:
            try:
                self._sink.reopen()
            except OSError as problem:
                _LOG.warning("audit log not opened again: %s; the file that was open stays in use", problem.strerror)

    def close(self) -> None:
        """Write what is queued, for at most two seconds, then close the file."""
        self._queue.put(None)
        self._thread.join(_LAST_S)
        with self._lock:
            self._sink.close()

    def _run(self) -> None:
        while (entry := self._queue.get()) is not None:
            try:
                self.record(entry)
            except AuditUnavailable:
                # It is counted, and the call that it is about was denied anyway.
                continue

    def _write(self, line: bytes) -> bool:
        gap = self._line(Entry(_GAP, _OWN, OK), lost=self._lost) if self._lost else b""
        try:
            self._sink.append(gap + line)
        except OSError as problem:
            if not self._lost:
                _LOG.error("audit log cannot be written: %s; %s", problem.strerror, self._consequence())
            return False
        if self._lost:
            _LOG.warning("audit log is written again; %d entries are missing", self._lost)
        self._lost = 0
        return True

    def _lose(self) -> None:
        self._lost += 1
        self._on_lost()

    def _consequence(self) -> str:
        return "calls about people are refused" if self._required else "entries are counted as lost"

    def _line(self, entry: Entry, **more: int) -> bytes:
        at = datetime.fromtimestamp(self._clock_s(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        fields = {name: value for name, value in entry._asdict().items() if value or name == "actor"}
        return json.dumps({"time": at, **fields, **more}, separators=(",", ":")).encode() + b"\n"
