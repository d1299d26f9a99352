"""The audit log: what a line says, and what happens while none can be written."""

import errno
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from server.files.line_file import LineFile
from server.security.audit import AuditLog, AuditUnavailable, Entry

ENTRY = Entry("SetPreference", "support-desk", "ok", ("cHNldWRvbnlt",))
DENIED = Entry("Explain", "", "unauthenticated", role="explain")
AT_S = 1_780_000_000.25


class Sink:
    """Keeps lines in memory, unless it is told to fail."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []
        self.fails = False
        self.writes = 0

    def append(self, lines: bytes) -> None:
        self.writes += 1
        if self.fails:
            raise OSError(errno.ENOSPC, "No space left on device")
        assert lines.endswith(b"\n")
        self.lines += [json.loads(line) for line in lines.splitlines()]

    def reopen(self) -> None:
        if self.fails:
            raise OSError(errno.ENOENT, "No such file or directory")

    def close(self) -> None:
        """Nothing is open."""


class Lost:
    count = 0

    def __call__(self) -> None:
        self.count += 1


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture
def lost() -> Lost:
    return Lost()


def audit(sink: Sink, lost: Lost, *, required: bool = False) -> AuditLog:
    return AuditLog(sink, required=required, on_lost=lost, clock_s=lambda: AT_S)


def test_a_line_says_when_who_what_about_whom_and_how_it_ended(sink: Sink, lost: Lost) -> None:
    log = audit(sink, lost)
    log.record(ENTRY)
    log.enqueue(DENIED)
    log.close()
    assert sink.lines == [
        {
            "time": "2026-05-28T20:26:40.250Z",
            "call": "SetPreference",
            "actor": "support-desk",
            "outcome": "ok",
            "subjects": ["cHNldWRvbnlt"],
        },
        {
            "time": "2026-05-28T20:26:40.250Z",
            "call": "Explain",
            "actor": "",
            "outcome": "unauthenticated",
            "role": "explain",
        },
    ]


def test_what_could_not_be_written_is_counted_and_the_gap_is_named(
    sink: Sink, lost: Lost, caplog: pytest.LogCaptureFixture
) -> None:
    log = audit(sink, lost)
    sink.fails = True
    for _ in range(3):
        log.record(ENTRY)
    assert lost.count == 3
    sink.fails = False
    log.record(ENTRY)
    log.record(ENTRY)
    log.close()
    assert [(line["call"], line.get("lost")) for line in sink.lines] == [
        ("AuditGap", 3),
        ("SetPreference", None),
        ("SetPreference", None),
    ]
    assert [record.getMessage() for record in caplog.records] == [
        "audit log cannot be written: No space left on device; entries are counted as lost",
        "audit log is written again; 3 entries are missing",
    ]


def test_where_it_is_required_a_call_without_an_entry_is_refused(sink: Sink, lost: Lost) -> None:
    log = audit(sink, lost, required=True)
    log.check()
    sink.fails = True
    log.check()
    with pytest.raises(AuditUnavailable):
        log.record(ENTRY)
    with pytest.raises(AuditUnavailable):
        log.check()
    sink.fails = False
    log.check()
    log.record(ENTRY)
    log.close()
    assert [(line["call"], line.get("lost")) for line in sink.lines] == [("AuditGap", 2), ("SetPreference", None)]


def test_where_it_is_not_required_no_call_is_refused(sink: Sink, lost: Lost) -> None:
    log = audit(sink, lost)
    sink.fails = True
    log.record(ENTRY)
    log.check()
    log.close()


def test_denied_calls_are_written_by_another_thread_and_no_failure_ends_it(sink: Sink, lost: Lost) -> None:
    log = audit(sink, lost, required=True)
    sink.fails = True
    log.enqueue(DENIED)
    log.enqueue(DENIED)
    while sink.writes < 2:
        pass
    sink.fails = False
    log.enqueue(DENIED)
    log.close()
    assert [line["call"] for line in sink.lines] == ["AuditGap", "Explain"]


def test_a_flood_of_denied_calls_is_counted_instead(sink: Sink, lost: Lost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.security.audit._MAX_QUEUED", 0)
    log = audit(sink, lost)
    log.enqueue(DENIED)
    log.close()
    assert lost.count == 1
    assert sink.lines == []


def test_a_file_that_cannot_be_opened_again_stays_in_use(
    sink: Sink, lost: Lost, caplog: pytest.LogCaptureFixture
) -> None:
    log = audit(sink, lost)
    sink.fails = True
    log.reopen()
    sink.fails = False
    log.record(ENTRY)
    log.close()
    assert len(sink.lines) == 1
    assert "the file that was open stays in use" in caplog.text


def test_names_cannot_break_a_line(tmp_path: Path) -> None:
    log = AuditLog(LineFile(tmp_path / "audit.log"))
    log.record(Entry("SetPreference", 'a"\n{"actor":"b"}\u2028', "ok"))
    log.close()
    (line,) = (tmp_path / "audit.log").read_text().splitlines()
    assert json.loads(line)["actor"] == 'a"\n{"actor":"b"}\u2028'


def test_nothing_is_logged_while_all_is_well(sink: Sink, lost: Lost, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    log = audit(sink, lost)
    log.record(ENTRY)
    log.reopen()
    log.close()
    assert caplog.records == []
