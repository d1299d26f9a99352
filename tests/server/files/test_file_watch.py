"""The file watch: reloads on request, checks by itself, and waits for no file."""

import threading
import time

import pytest

from server.files.file_watch import FileWatch

PATIENCE_S = 20


def test_every_request_is_followed_by_a_reload() -> None:
    reloaded = threading.Semaphore(0)
    watch = FileWatch(reloaded.release, lambda: None, every_s=PATIENCE_S)
    watch.start()
    for _ in range(3):
        watch.request()
        assert reloaded.acquire(timeout=PATIENCE_S)
    watch.close()


def test_files_are_checked_without_a_request() -> None:
    checked = threading.Semaphore(0)
    watch = FileWatch(lambda: None, checked.release, every_s=0.01)
    watch.start()
    for _ in range(3):
        assert checked.acquire(timeout=PATIENCE_S)
    watch.close()


def test_a_fault_ends_neither_the_watch_nor_the_service(caplog: pytest.LogCaptureFixture) -> None:
    reloaded = threading.Semaphore(0)

    def fail() -> None:
        reloaded.release()
        raise RuntimeError("unforeseen")

    watch = FileWatch(fail, lambda: None, every_s=PATIENCE_S)
    watch.start()
    for _ in range(2):
        watch.request()
        assert reloaded.acquire(timeout=PATIENCE_S)
    watch.close()
    assert caplog.messages[-1].startswith("reading files again failed: internal error ")


@pytest.mark.fault(row=27)
def test_a_file_that_hangs_keeps_the_service_from_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.files.file_watch._CLOSE_TIMEOUT_S", 0.05)
    hanging, begun = threading.Event(), threading.Event()

    def hang() -> None:
        begun.set()
        hanging.wait(PATIENCE_S)

    watch = FileWatch(hang, lambda: None)
    watch.start()
    watch.request()
    assert begun.wait(PATIENCE_S)
    started_s = time.monotonic()
    watch.request()
    watch.close()
    assert time.monotonic() - started_s < PATIENCE_S / 2
    hanging.set()
