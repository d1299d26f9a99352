"""The log: every record is one line, in either format, and a flood of one message is counted."""

import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest

from server.logs import MAX_LINES, WINDOW_S, FloodFilter, JsonFormat, TextFormat, configure_logs

AT_S = 1_780_000_000.5
TIME = "2026-05-28T20:26:40.500Z"


def record(message: str, *args: object, **more: object) -> logging.LogRecord:
    made = logging.LogRecord("server.lifecycle.health", logging.WARNING, "health.py", 1, message, args, None)
    made.created = AT_S
    made.__dict__.update(more)
    return made


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("plain", "plain"),
        ("two\nlines\r\nand a tab\t.", "two lines and a tab ."),
    ],
)
def test_text_is_one_line_with_time_level_and_logger(message: str, line: str) -> None:
    assert TextFormat().format(record(message)) == f"{TIME} WARNING server.lifecycle.health: {line}"


def test_json_is_one_object_per_line() -> None:
    line = JsonFormat().format(record("two\nlines, %s", "é", fields={"policy_version": "one"}))
    assert "\n" not in line
    assert json.loads(line) == {
        "time": TIME,
        "level": "WARNING",
        "logger": "server.lifecycle.health",
        "message": "two\nlines, é",
        "policy_version": "one",
    }


class Log:
    """A logger with the flood filter, on a clock of its own."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.lines = io.StringIO()
        self.floods = FloodFilter(lambda: self.now_s)
        self.handler = logging.StreamHandler(self.lines)
        self.handler.addFilter(self.floods)

    def warn(self, message: str, *args: object) -> None:
        logging.getLogger("server.flooding").warning(message, *args)

    def printed(self) -> list[str]:
        return self.lines.getvalue().splitlines()


@pytest.fixture
def log() -> Iterator[Log]:
    made = Log()
    logging.root.addHandler(made.handler)
    yield made
    logging.root.removeHandler(made.handler)


def test_a_flood_is_counted_instead_of_printed(log: Log) -> None:
    for number in range(1000):
        log.warn("internal error %d", number)
    log.warn("another message")
    assert log.printed() == [*(f"internal error {number}" for number in range(MAX_LINES)), "another message"]
    log.floods.report()
    assert len(log.printed()) == MAX_LINES + 1
    log.now_s += WINDOW_S
    log.floods.report()
    assert log.printed()[-1] == f"{1000 - MAX_LINES} more lines of server.flooding not printed: internal error %d"


def test_a_new_window_prints_again(log: Log) -> None:
    for _ in range(3):
        for _ in range(MAX_LINES + 1):
            log.warn("again")
        log.now_s += WINDOW_S
        log.floods.report()
    assert log.printed().count("again") == 3 * MAX_LINES
    assert log.printed().count("1 more lines of server.flooding not printed: again") == 3


def test_at_the_end_the_rest_is_counted_at_once_and_only_once(log: Log) -> None:
    for _ in range(MAX_LINES + 5):
        log.warn("again")
    for _ in range(2):
        log.floods.report(at_once=True)
    assert log.printed()[MAX_LINES:] == ["5 more lines of server.flooding not printed: again"]


@pytest.mark.parametrize(("format_name", "kind"), [("text", TextFormat), ("json", JsonFormat)])
def test_the_log_goes_to_standard_error(
    monkeypatch: pytest.MonkeyPatch, format_name: str, kind: type[logging.Formatter]
) -> None:
    monkeypatch.setattr(logging.root, "handlers", [])
    monkeypatch.setattr(logging.root, "level", logging.WARNING)
    floods = configure_logs("ERROR", format_name)
    (handler,) = logging.root.handlers
    assert isinstance(handler, logging.StreamHandler)
    assert handler.stream is sys.stderr
    assert isinstance(handler.formatter, kind)
    assert handler.filters == [floods]
    assert logging.root.level == logging.ERROR
