"""The parts of decision records, put together; there are none unless a file is set."""

import logging
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from server.decision_records.observer import RecordObserver
from server.decision_records.writer import RecordWriter, WriterParts
from server.decisions.containment import BatchObserver
from server.decisions.sampling import EveryNth
from server.files.line_file import LineFile
from server.metrics.metrics import Metrics
from server.settings import PREFIX, Settings, SettingsError
from targeting.decision_records.crowd import Crowd

_LOG = logging.getLogger(__name__)


class DecisionRecords:
    """What records decisions: ``observers`` are shown every batch."""

    def __init__(self, settings: Settings, epoch: Callable[[], str], metrics: Metrics, closing: ExitStack) -> None:
        """``epoch`` returns that of the store; ``closing`` ends the thread. Raises ``SettingsError``."""
        self.observers: list[BatchObserver] = []
        self._writer: RecordWriter | None = None
        if not settings.decision_records:
            return
        parts = WriterParts(
            _opened(Path(settings.decision_records)),
            Crowd(settings.decision_records_crowd),
            metrics.records,
            epoch,
        )
        self._writer = RecordWriter(parts)
        self._writer.start()
        closing.callback(self._writer.close)
        self.observers.append(RecordObserver(self._writer, EveryNth(settings.decision_records_one_in)))
        _LOG.info(
            "decision records: one in %d decisions, each once %d people have the same record in an hour",
            settings.decision_records_one_in,
            settings.decision_records_crowd,
        )

    def reopen(self) -> None:
        """Have the file opened again, as after a rotation."""
        if self._writer is not None:
            self._writer.reopen()


def _opened(path: Path) -> LineFile:
    try:
        return LineFile(path)
    except OSError as problem:
        raise SettingsError(
            f"{PREFIX}DECISION_RECORDS: cannot append to {path}: {problem.strerror}; "
            "set a file that this user may append to"
        ) from problem
