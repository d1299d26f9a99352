"""Records are made and written by a thread of their own: bounded, in a file of the owner's alone, whole lines only."""

import json
import logging
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server.decision_records import writer
from server.decision_records.day_secret import DaySecret
from server.decision_records.observer import RecordObserver
from server.decision_records.writer import RecordWriter, WriterParts
from server.decisions.sampling import EveryNth
from server.files.line_file import LineFile
from server.metrics.metrics import Metrics
from targeting.decision import Rulebook, decide, plan
from targeting.decision_records.crowd import Crowd
from targeting.decision_records.facts import Recorded
from targeting.rejudging.batch import DecidedBatch
from tests.targeting.decision_records.made_up_people import POLICY, changed, decisions, people
from tests.waiting import PATIENCE_S, eventually

MADE = tuple(decisions(list(people(30)), 12))


class Opened:
    """A writer that is not started, or is, and its file and counts."""

    def __init__(self, path: Path, crowd: int = 1) -> None:
        self.path, self.metrics = path, Metrics()
        self.file = LineFile(path)
        self.writer = RecordWriter(WriterParts(self.file, Crowd(crowd), self.metrics.records, lambda: "e1"))

    def count(self, outcome: str) -> float:
        name = "adtargeting_decision_records_total"
        return self.metrics.registry.get_sample_value(name, {"outcome": outcome}) or 0.0

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.path.read_text(encoding="utf-8").splitlines()]

    def write(self, *made: Recorded) -> None:
        for each in made:
            self.writer.offer(each)
        self.writer.start()
        self.writer.close()


@pytest.fixture
def opened(tmp_path: Path) -> Opened:
    return Opened(tmp_path / "records.jsonl")


def test_each_decision_is_a_line_after_its_policy(opened: Opened) -> None:
    later = next(iter(decisions(list(people(1)), 13, changed())))
    opened.write(*MADE, later)
    kinds = [line["kind"] for line in opened.lines()]
    assert kinds == ["policy", *["decision"] * len(MADE), "policy", "decision"]
    assert opened.count("written") == len(MADE) + 1
    assert stat.S_IMODE(opened.path.stat().st_mode) == 0o600


def test_only_a_behavioural_line_names_a_group(opened: Opened) -> None:
    opened.write(*MADE)
    lines = [line for line in opened.lines() if line["kind"] == "decision"]
    assert {line["mode"] for line in lines} == {"BEHAVIOURAL", "LIMITED"}
    assert all(("person" in line) == (line["mode"] == "BEHAVIOURAL") for line in lines)


def test_what_few_have_in_common_is_counted_and_not_written(tmp_path: Path) -> None:
    opened = Opened(tmp_path / "records.jsonl", crowd=25)
    opened.write(*MADE)
    assert opened.lines() == []
    assert opened.count("rare") == len(MADE)


def test_a_full_queue_drops_and_counts(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "MAX_QUEUED", 10)
    opened.write(*MADE)
    assert opened.count("dropped") == len(MADE) - 10
    assert opened.count("written") == 10


def test_a_rotated_file_is_opened_again_and_tells_of_its_policy(opened: Opened) -> None:
    opened.writer.start()
    opened.writer.offer(MADE[0])
    eventually(lambda: opened.count("written") == 1)
    moved = opened.path.rename(opened.path.with_suffix(".1"))
    opened.writer.reopen()
    eventually(opened.path.exists)
    opened.writer.offer(MADE[1])
    opened.writer.close()
    assert [line["kind"] for line in opened.lines()] == ["policy", "decision"]
    assert len(moved.read_text(encoding="utf-8").splitlines()) == 2


def test_a_file_that_cannot_be_opened_again_leaves_the_old_one(
    opened: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    moved = opened.path.rename(opened.path.with_suffix(".1"))
    opened.path.mkdir()
    opened.writer.reopen()
    opened.write(MADE[0])
    assert len(moved.read_text(encoding="utf-8").splitlines()) == 2
    assert "going on with the old one" in caplog.text


def test_a_fault_in_one_record_loses_that_record_alone(opened: Opened, caplog: pytest.LogCaptureFixture) -> None:
    faulty = MADE[0]._replace(now_s=float("nan"))
    opened.write(faulty, MADE[1])
    assert (opened.count("failed"), opened.count("written")) == (1, 1)


def test_a_fault_that_nobody_foresees_loses_one_portion_and_not_the_thread(
    opened: Opened, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    append, fails = opened.file.append, iter([True])

    def fail_once(lines: bytes) -> None:
        if next(fails, False):
            raise ValueError("not-to-be-logged")
        append(lines)

    monkeypatch.setattr(opened.file, "append", fail_once)
    opened.writer.offer(MADE[0])
    opened.writer.start()
    eventually(lambda: opened.count("failed") == 1)
    opened.writer.offer(MADE[1])
    opened.writer.close()
    assert opened.count("written") == 1
    assert [line["kind"] for line in opened.lines()] == ["policy", "decision"]
    assert "unforeseen ValueError" in caplog.text
    assert "not-to-be-logged" not in caplog.text


def test_a_disk_that_is_full_is_counted_and_the_cut_line_is_ended(
    opened: Opened, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    whole = os.write

    def cut(descriptor: int, text: bytes) -> int:
        monkeypatch.setattr(os, "write", whole)
        return whole(descriptor, text[:-10])

    monkeypatch.setattr(os, "write", cut)
    monkeypatch.setattr(writer, "_PORTION", 1)
    with caplog.at_level(logging.ERROR):
        opened.write(*MADE[:2])
    assert opened.count("written") == 1
    assert "cannot write" in caplog.text
    *_, policy, decision = opened.path.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["kind"] for line in (policy, decision)] == ["policy", "decision"]


class Offered(RecordWriter):
    """Keeps what it is offered."""

    def __init__(self) -> None:
        self.offered: list[Recorded] = []

    def offer(self, decision: Recorded) -> None:
        self.offered.append(decision)


def batches() -> Iterator[DecidedBatch]:
    asking = list(people(50))
    requests = [person.request._replace(is_dry_run=index % 2 == 0) for index, person in enumerate(asking)]
    planned = plan(requests, POLICY, 1e9)
    fetched = [
        each for item, person in zip(planned.items, asking, strict=True) if item.subjects for each in person.stored
    ]
    naps = [()] * len(asking)
    decided = decide(planned, fetched, naps, Rulebook(POLICY), 1e9)
    yield DecidedBatch(planned, fetched, naps, decided, POLICY, 1e9)


@pytest.mark.parametrize(("one_in", "least", "most"), [(1, 25, 25), (5, 1, 20)])
def test_a_sample_is_offered_and_no_dry_run(one_in: int, least: int, most: int) -> None:
    offered = Offered()
    observer = RecordObserver(offered, EveryNth(one_in, iter([0.3, 0.7, 0.5] * 100).__next__))
    for batch in batches():
        observer.observe(batch)
    assert least <= len(offered.offered) <= most
    assert not any(made.decided.item.request.is_dry_run for made in offered.offered)


def test_the_secret_is_of_its_day() -> None:
    secret = DaySecret()
    first = secret.on(0.0)
    assert (secret.on(86_399.0), len(first)) == (first, 32)
    assert secret.on(86_400.0) != first
    assert first.hex() not in repr(secret)


def test_a_disk_that_hangs_does_not_keep_the_process(
    opened: Opened, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    released = threading.Event()

    def hang(_: bytes) -> None:
        released.wait(PATIENCE_S)

    monkeypatch.setattr(opened.file, "append", hang)
    monkeypatch.setattr(writer, "_CLOSE_TIMEOUT_S", 0.05)
    opened.write(MADE[0])
    assert "the file does not take them" in caplog.text
    released.set()
    opened.writer._thread.join()
    opened.file.close()
