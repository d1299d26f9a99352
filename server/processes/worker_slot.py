"""One of the supervisor's workers and its successors: started, heard, replaced with growing pauses, stopped."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from socket import socket
from typing import Final

from server.processes.merged_metrics import Families
from server.processes.reports import SCRAPE, Report, WorkerMain
from server.processes.restart_pauses import RestartPauses
from server.settings import Settings

_SPAWN: Final = multiprocessing.get_context("spawn")

Spawn = Callable[[Connection], SpawnProcess]
"""Makes a process that reports over this pipe, not yet started."""


def spawn_of(run: WorkerMain, settings: Settings, listener: socket) -> Spawn:
    """Return what makes the processes of one place."""
    return lambda pipe: _SPAWN.Process(target=run, args=(settings, listener, pipe))


class WorkerSlot:
    """The place of one worker. Used by the supervisor's thread, but for ``ask_for_metrics`` and ``await_metrics``."""

    def __init__(
        self,
        spawn: Spawn,
        on_metrics: Callable[[Families], None],
        on_end: Callable[[], None],
        pauses: RestartPauses,
    ) -> None:
        """``on_metrics`` takes each report of the worker's metrics; ``on_end`` is called after the last one."""
        self._spawn = spawn
        self._on_metrics = on_metrics
        self._on_end = on_end
        self._process: SpawnProcess | None = None
        self._pipe: Connection | None = None
        self._fresh = threading.Event()
        self._fresh.set()
        self._pauses = pauses
        self._started_s = self._restart_s = 0.0
        self.start_line = ""
        """The start line of the worker; empty before it serves."""
        self.failure = ""
        """Why the last worker ended before it served."""
        self.failures = 0
        """How many workers in a row ended before they served."""

    @property
    def alive(self) -> bool:
        """Whether there is a process."""
        return self._process is not None and self._process.is_alive()

    @property
    def pid(self) -> int:
        """The process id of the worker; 0 without one."""
        return self._process.pid or 0 if self._process is not None else 0

    @property
    def pipe(self) -> Connection | None:
        """The pipe of its reports."""
        return self._pipe

    def start(self) -> None:
        """Start a worker."""
        self._pipe, far_end = _SPAWN.Pipe()
        self._process = self._spawn(far_end)
        self.start_line = self.failure = ""
        self._started_s = time.monotonic()
        self._process.start()
        far_end.close()

    def hear(self) -> None:
        """Take in the reports that have come."""
        try:
            while self._pipe is not None and self._pipe.poll():
                self._take_in(self._pipe.recv())
        except (EOFError, OSError):
            self._close_pipe()

    def replace_if_ended(self) -> bool:
        """Note the end of a worker, and start another once the pause is over. Return whether one ended just now."""
        now_s = time.monotonic()
        if self.alive:
            return False
        if self._process is None:
            if now_s >= self._restart_s:
                self.start()
            return False
        self._note_end(now_s)
        return True

    def ask_for_metrics(self) -> None:
        """Ask a worker that serves to report its metrics."""
        pipe = self._pipe
        if pipe is None or not self.start_line:
            return
        self._fresh.clear()
        try:
            pipe.send(SCRAPE)
        except OSError:
            # It has ended; its last report counts.
            self._fresh.set()

    def await_metrics(self, deadline_s: float) -> None:
        """Wait for the report until the deadline (``time.monotonic``), if one was asked for."""
        self._fresh.wait(max(deadline_s - time.monotonic(), 0))

    def reload(self) -> None:
        """Have a worker that serves read its files again; one that is starting reads them anyway."""
        if self.alive and self.start_line:
            os.kill(self.pid, signal.SIGHUP)

    def terminate(self) -> None:
        """Have the worker drain and end; a second time, without delay."""
        if self.alive:
            os.kill(self.pid, signal.SIGTERM)

    def stop(self, deadline_s: float) -> None:
        """Wait for the end of a worker that was told to stop, until the deadline (``time.monotonic``), then kill it."""
        while self.alive and time.monotonic() < deadline_s:
            self.hear()
            if self._process is not None:
                self._process.join(0.02)
        if self.alive:
            os.kill(self.pid, signal.SIGKILL)
        if self._process is not None:
            self._process.join()
            self._note_end(time.monotonic())

    def _take_in(self, report: Report) -> None:
        if report.kind == "serving":
            self.start_line, self.failures = report.text, 0
        elif report.kind == "failed":
            self.failure = report.text
        else:
            self._on_metrics(report.metrics)
            self._fresh.set()

    def _note_end(self, now_s: float) -> None:
        self.hear()
        self._on_end()
        self._fresh.set()
        if not self.start_line:
            self.failures += 1
        self._restart_s = now_s + self._pauses.after(now_s - self._started_s)
        self._process, self.start_line = None, ""
        self._close_pipe()

    def _close_pipe(self) -> None:
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None
