"""The log: text or JSON lines on standard error, with time and level, and floods counted instead of printed.

Invariant: one line per record. Knows nothing of what is logged; those who log keep ids and values out.
"""

import json
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

WINDOW_S: Final = 60.0
MAX_LINES: Final = 10
"""How many lines of one message, whatever its arguments, are printed in a window."""

_LOG = logging.getLogger(__name__)


class TextFormat(logging.Formatter):
    """``2026-11-28T23:00:00.123Z WARNING server.lifecycle.health: message``."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        message = " ".join(record.getMessage().split())
        return f"{_time(record)} {record.levelname} {record.name}: {message}"


class JsonFormat(logging.Formatter):
    """One JSON object per line: ``time``, ``level``, ``logger``, ``message``, and the fields given with the record."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        line = {
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        return json.dumps(line, ensure_ascii=False)


class FloodFilter(logging.Filter):
    """Passes ``MAX_LINES`` lines of one message per window, and counts the rest; call ``report`` now and then.

    A message is the text before its arguments are filled in. Threads may share it: a race miscounts a line at most.
    """

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock_s = clock_s
        self._began_s = clock_s()
        self._lines: dict[tuple[str, str], int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to print a record."""
        if record.name == __name__:
            return True
        message = (record.name, str(record.msg))
        self._lines[message] = lines = self._lines.get(message, 0) + 1
        return lines <= MAX_LINES

    def report(self, *, at_once: bool = False) -> None:
        """Log how many lines of each message were not printed, once the window is over or ``at_once``."""
        now_s = self._clock_s()
        if not at_once and now_s - self._began_s < WINDOW_S:
            return
        counted, self._lines, self._began_s = self._lines, {}, now_s
        for (logger, message), lines in counted.items():
            if lines > MAX_LINES:
                _LOG.warning("%d more lines of %s not printed: %s", lines - MAX_LINES, logger, message)


def configure_logs(level: str, format_name: str) -> FloodFilter:
    """Log to standard error from now on, as ``text`` or ``json``; do nothing where the log is configured already."""
    floods = FloodFilter()
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormat() if format_name == "json" else TextFormat())
    handler.addFilter(floods)
    logging.basicConfig(level=level, handlers=[handler])
    return floods


def _time(record: logging.LogRecord) -> str:
    """Return the time of a record in UTC (RFC 3339), to the millisecond."""
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
