"""The thread that makes decision records and writes them, so that no decision waits for either.

Decisions come through a bounded queue; one that finds it full is counted and not recorded. The thread gives way after
each record, because the decisions' thread shares the interpreter with it.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from server.decision_records.day_secret import DaySecret
from server.errors import note
from server.files.line_file import LineFile
from server.metrics.record_counts import RecordCounts
from targeting.decision_records.crowd import Crowd
from targeting.decision_records.facts import Recorded, record_of
from targeting.decision_records.lines import line_of, policy_record
from targeting.decision_records.person_group import day_pseudonym
from targeting.policy.policy import Policy
from targeting.reasons import Reason

MAX_QUEUED: Final = 2048
_EVERY_S: Final = 0.2
_CLOSE_TIMEOUT_S: Final = 5.0
_PORTION: Final = 256
"""Decisions whose records are written at once."""

_LOG = logging.getLogger(__name__)


class WriterParts(NamedTuple):
    """The parts of a writer."""

    file: LineFile
    crowd: Crowd
    counts: RecordCounts
    epoch: Callable[[], str]
    """Returns the epoch of the store."""


class RecordWriter:
    """Writes what is offered, from ``start`` to ``close``."""

    def __init__(self, parts: WriterParts) -> None:
        self._parts = parts
        self._secret = DaySecret()
        self._queue: deque[Recorded] = deque()
        self._wake = threading.Event()
        self._closing = self._reopening = False
        self._policy: Policy | None = None
        """The policy that the file tells of last."""
        self._forgotten = 0
        self._thread = threading.Thread(target=self._run, name="decision-records", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def offer(self, decision: Recorded) -> None:
        """Queue a decision, unless the queue is full. Never waits."""
        if len(self._queue) >= MAX_QUEUED:
            self._parts.counts.count("dropped")
            return
        self._queue.append(decision)

    def reopen(self) -> None:
        """Have the file opened again, without waiting for it."""
        self._reopening = True
        self._wake.set()

    def close(self) -> None:
        """Write what is queued, and end. A disk that hangs is abandoned."""
        self._closing = True
        self._wake.set()
        self._thread.join(_CLOSE_TIMEOUT_S)
        if self._thread.is_alive():
            _LOG.error("decision records: the file does not take them, %d are lost", len(self._queue))
            return
        self._parts.crowd.end_hour()
        self._count_forgotten()
        self._parts.file.close()

    def _run(self) -> None:
        while True:
            closing = self._closing
            try:
                self._work_off()
            except Exception as problem:  # noqa: BLE001  # the thread outlives a fault of ours
                note(problem)
                # The policy may have been among the lines.
                self._policy = None
                self._parts.counts.count("failed")
            if closing:
                return
            self._wake.wait(_EVERY_S)
            self._wake.clear()

    def _work_off(self) -> None:
        if self._reopening:
            self._reopen()
        while self._queue:
            self._write(b"".join(self._next_lines()))

    def _reopen(self) -> None:
        self._reopening = False
        try:
            self._parts.file.reopen()
        except OSError as problem:
            _LOG.error("decision records: cannot open the file again, going on with the old one: %s", problem.strerror)
            return
        self._policy = None

    def _next_lines(self) -> Iterator[bytes]:
        for _ in range(min(len(self._queue), _PORTION)):
            try:
                yield from self._lines(self._queue.popleft())
            except Exception as problem:  # noqa: BLE001  # a fault in one record loses that record
                note(problem)
                self._parts.counts.count("failed")
            time.sleep(0)
        self._count_forgotten()

    def _lines(self, made: Recorded) -> Iterator[bytes]:
        record = record_of(made, self._parts.epoch())
        for released in self._parts.crowd.release(record, self._pseudonym(made)):
            if made.policy is not self._policy:
                self._policy = made.policy
                yield line_of(policy_record(made.policy))
            yield line_of(released)

    def _pseudonym(self, made: Recorded) -> bytes | None:
        features, stored = made.decision.behavioural, made.decided.stored
        if features is None or isinstance(stored, Reason):
            return None
        return day_pseudonym(features, stored[0].owner, self._secret.on(made.now_s))

    def _write(self, lines: bytes) -> None:
        if not lines:
            return
        try:
            self._parts.file.append(lines)
        except OSError as problem:
            # The policy may have been among the lines.
            self._policy = None
            self._parts.counts.count("failed", lines.count(b"\n"))
            _LOG.error("decision records: cannot write: %s", problem.strerror)
            return
        self._parts.counts.count("written", lines.count(b'"kind":"decision"'))

    def _count_forgotten(self) -> None:
        forgotten, self._forgotten = self._parts.crowd.forgotten - self._forgotten, self._parts.crowd.forgotten
        self._parts.counts.count("rare", forgotten)
