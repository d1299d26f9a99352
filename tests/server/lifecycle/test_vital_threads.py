"""The end of a part that serving needs ends the process, with a line that says which."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import grpc
import pytest
from adtargeting.v1.preference_pb2 import GetPreferencesRequest
from adtargeting.v1.preference_pb2_grpc import PreferenceServiceStub

from server.app import Service
from server.calls.call_worker import CallWorker
from server.canaries.watch import CanaryWatch
from server.choices.replication_watch import ReplicationWatch
from server.choices.signal_opt_outs import SignalOptOuts
from server.decision_records.writer import RecordWriter
from server.files.file_watch import FileWatch
from server.http.http_server import HttpThread
from server.lifecycle.health import StoreWatch
from server.lifecycle.process_signals import ProcessSignals
from server.lifecycle.readiness import THREADS, thread_names
from server.lifecycle.vital_threads import VitalThreads
from server.processes.reports import SCRAPE
from server.processes.worker_process import answer_scrapes
from server.security.audit import AuditLog
from server.serving import log_ended_thread
from tests.rpc import health
from tests.server.cli.conftest import ROOT
from tests.server.running_service import settings, wait_until

BREAK = {
    "thread call-worker": "server.calls.call_worker CallWorker run",
    "thread decision-records": "server.decision_records.writer RecordWriter _run",
    "gate's event loop": "server.decisions.worker Worker run",
    "supervisor's thread metrics": "server.http.http_server HttpThread _run",
}
"""Parts whose code a test replaces by one that raises at once: module, class, method."""

TEXT = "an-exceptions-text"

PROGRAM = f"""
import importlib, inspect, sys
module, kind, method = sys.argv[1:4]
part = getattr(importlib.import_module(module), kind)

def end(self): raise ValueError("{TEXT}")
async def end_async(self): raise ValueError("{TEXT}")

setattr(part, method, end_async if inspect.iscoroutinefunction(getattr(part, method)) else end)
from server.cli.main import main
sys.exit(main(["serve", *sys.argv[4:]]))
"""


@pytest.mark.fault(row=12)
@pytest.mark.parametrize(
    "part", [pytest.param(part, marks=[pytest.mark.slow] * part.startswith("supervisor")) for part in BREAK]
)
def test_a_part_that_ends_takes_its_process_down_and_says_so(tmp_path: Path, part: str) -> None:
    of_supervisor = ["--processes", "2"] if part.startswith("supervisor") else []
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, *BREAK[part].split(), *of_supervisor],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=False,
        env={
            "PYTHONPATH": f"{ROOT}:{ROOT / 'proto'}",
            "ADTARGETING_GRPC_ADDRESS": "127.0.0.1:0",
            "ADTARGETING_METRICS_ADDRESS": "127.0.0.1:0",
            "ADTARGETING_DATA_DIR": str(tmp_path),
            "ADTARGETING_DECISION_RECORDS": str(tmp_path / "records.jsonl"),
        },
    )
    assert ended.returncode == 1
    assert f"the {part} has ended unexpectedly" in ended.stderr
    assert "ValueError" in ended.stderr
    assert TEXT not in ended.stderr


def raise_error(_: object) -> NoReturn:
    raise ValueError(TEXT)


THREAD_CODE: dict[str, tuple[type, str]] = {
    "audit": (AuditLog, "_run"),
    "call-worker": (CallWorker, "run"),
    "canaries": (CanaryWatch, "_run"),
    "decision-records": (RecordWriter, "_run"),
    "file-watch": (FileWatch, "_run"),
    "metrics": (HttpThread, "_run"),
    "replication-watch": (ReplicationWatch, "_run"),
    "signal-opt-outs": (SignalOptOuts, "_run"),
    "store-watch": (StoreWatch, "_run"),
    "web": (HttpThread, "_run"),
}


@pytest.fixture
def logged_threads(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """Threads end as in a process of ours; returns what was logged."""
    monkeypatch.setattr(threading, "excepthook", log_ended_thread)
    return lambda: caplog.text


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hides the threads of other services of this process, which have the same names."""
    others, running = set(threading.enumerate()), threading.enumerate
    monkeypatch.setattr(threading, "enumerate", lambda: [thread for thread in running() if thread not in others])


def everything(tmp_path: Path) -> dict[str, Any]:
    """Settings that start every thread."""
    records, audit = str(tmp_path / "records.jsonl"), str(tmp_path / "audit.jsonl")
    return {"audit_log": audit, "decision_records": records, "web_address": "127.0.0.1:0"}


@pytest.mark.usefixtures("alone")
@pytest.mark.fault(row=12)
def test_every_thread_that_ends_by_an_exception_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logged_threads: Callable[[], str]
) -> None:
    for kind, method in THREAD_CODE.values():
        monkeypatch.setattr(kind, method, raise_error)
    with Service(settings(tmp_path, drain_grace_s=0, **everything(tmp_path))) as service:
        wait_until(lambda: service.ended_part() == ", ".join(f"thread {name}" for name in sorted(THREAD_CODE)))
        for name in THREAD_CODE:
            assert f"thread {name} has ended by an exception" in logged_threads()
        assert TEXT not in logged_threads()


@pytest.mark.fault(row=12, protection_off=True)
def test_unwatched_health_says_serving_while_no_thread_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in this process looks at ``ended_part``; the command line does."""
    monkeypatch.setattr(CallWorker, "run", lambda _: None)
    with Service(settings(tmp_path)) as service, grpc.insecure_channel(service.address) as channel:
        wait_until(lambda: health(channel, "adtargeting.v1.PreferenceService") == "SERVING")
        with pytest.raises(grpc.RpcError) as caught:
            PreferenceServiceStub(channel).GetPreferences(GetPreferencesRequest(account_id="alice"), timeout=0.5)
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


class BrokenPipe:
    """Asks once, and then breaks in a way that is not foreseen."""

    def __init__(self) -> None:
        self.asked: Iterator[str] = iter([SCRAPE])
        self.sent: list[object] = []

    def recv(self) -> str:
        try:
            return next(self.asked)
        except StopIteration:
            raise_error(self)

    def send(self, report: object) -> None:
        self.sent.append(report)


@pytest.mark.fault(row=12)
def test_every_thread_of_a_service_is_watched_and_the_one_that_answers_scrapes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logged_threads: Callable[[], str]
) -> None:
    monkeypatch.setattr(ProcessSignals, "__init__", lambda _: None)
    before = set(threading.enumerate())
    with Service(settings(tmp_path, **everything(tmp_path))) as service:
        own = {thread.name for thread in set(threading.enumerate()) - before if not is_short_lived_or_pooled(thread)}
        assert own == {*THREAD_CODE, "gate", "embedded-redis"}
        assert service.ended_part() == ""
        pipe: Any = BrokenPipe()
        answer_scrapes(service, pipe, ProcessSignals())
        wait_until(lambda: service.ended_part() == "thread scrapes")
        assert len(pipe.sent) == 1
        assert "thread scrapes has ended by an exception" in logged_threads()


def is_short_lived_or_pooled(thread: threading.Thread) -> bool:
    return thread.name.startswith(("store-fetch", "page", "AnyIO", "asyncio", "store-connect"))


def test_what_settings_turn_off_is_not_missed(tmp_path: Path) -> None:
    assert set(thread_names(settings(tmp_path, **everything(tmp_path)), serves_metrics=True)) == set(THREAD_CODE)
    assert thread_names(settings(tmp_path, canaries="no"), serves_metrics=False) == list(THREADS)


def test_threads_that_end_are_named() -> None:
    names = ("first-of-this-test", "second-of-this-test")
    ends = [threading.Event() for _ in names]
    threads = [threading.Thread(target=end.wait, name=name) for name, end in zip(names, ends, strict=True)]
    for thread in threads:
        thread.start()
    vital = VitalThreads(names)
    assert vital.ended() == ""
    ends[1].set()
    threads[1].join()
    assert vital.ended() == f"thread {names[1]}"
    ends[0].set()
    threads[0].join()
    assert vital.ended() == f"thread {names[0]}, thread {names[1]}"


def test_a_thread_that_never_ran_counts_as_ended() -> None:
    assert VitalThreads(["first-of-this-test"]).ended() == "thread first-of-this-test"
