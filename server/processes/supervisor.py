"""The supervisor: it owns the port, the embedded store and the metrics, and keeps the worker processes running.

Workers accept on one listening socket that it made, so a worker that ends takes no waiting connection with it. The
supervisor answers no call itself. Invariant: no worker outlives it.
"""

import logging
import time
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from multiprocessing.connection import wait
from threading import Event
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector

from server.files.file_watch import FileWatch
from server.gate.assembly import open_listener
from server.http.metrics_endpoint import Probes, serve_metrics
from server.lifecycle.opening import Opening
from server.lifecycle.process_signals import ProcessSignals
from server.lifecycle.vital_threads import VitalThreads
from server.logs import FloodFilter
from server.metrics.call_counts import DenialCounts
from server.metrics.process_counts import define_processes, define_worker_ends
from server.policy.current_policy import read_policy
from server.processes.merged_metrics import MergedMetrics
from server.processes.reports import WorkerMain
from server.processes.restart_pauses import FIRST_S, RestartPauses
from server.processes.worker_process import run_worker
from server.processes.worker_slot import WorkerSlot, spawn_of
from server.security.doors import open_doors
from server.security.exposure import check_exposure
from server.serving import end_process, metrics_url
from server.settings import Settings
from server.store.assembly import StoreAccess

_WAIT_S: Final = 0.1
_TEND_EVERY_S: Final = 0.5
_SCRAPE_S: Final = 0.5
_MOST_FAILURES: Final = 5
_KILL_AFTER_S: Final = 5.0
_THREADS: Final = ("file-watch", "metrics")
_LOG = logging.getLogger(__name__)


class WorkersFailed(Exception):
    """No worker process comes up. The message is what the last one said."""


class Supervisor(Opening):
    """Several workers and what they share: a context manager, open while they serve."""

    def __init__(
        self, settings: Settings, processes: int, run: WorkerMain = run_worker, first_pause_s: float = FIRST_S
    ) -> None:
        """``run`` is what each worker process runs, and ``first_pause_s`` what the pauses between them double from."""
        self._settings = settings
        self._run = run
        self._first_pause_s = first_pause_s
        self._count = processes
        self._closing = ExitStack()
        self._slots: list[WorkerSlot] = []
        self._next_tend_s = 0.0
        self._draining = False
        self._threads = VitalThreads(())
        self.metrics_address = ""

    def open(self) -> None:
        """Start everything. Raises ``WorkersFailed``, and the typed errors of the parts."""
        settings, closing = self._settings, self._closing
        check_exposure(settings)
        self._doors = open_doors(settings)
        self._file_watch = FileWatch(self._doors.reload, self._doors.reload_if_changed)
        self._file_watch.start()
        closing.callback(self._file_watch.close)
        # The workers read it again; a fault of it is to be known before those of the store.
        read_policy(settings.policy)
        self._store = StoreAccess(settings, closing)
        listener, address = open_listener(settings)
        closing.callback(listener.close)
        registry = CollectorRegistry(auto_describe=False)
        own = CollectorRegistry()
        ProcessCollector(registry=own)
        DenialCounts(own).count = self._doors.admission.denied
        define_processes(own)
        self._worker_ends = define_worker_ends(own)
        self._merged = MergedMetrics(registry, own, self._ask_for_metrics)
        probes = Probes(live=self._ended_part, ready=self._not_ready)
        self.metrics_address = serve_metrics(settings.metrics_address, registry, probes, self._doors, closing)
        self._threads = VitalThreads(_THREADS)
        for index in range(self._count):
            report, retire = partial(self._merged.report, index), partial(self._merged.retire, index)
            spawn = spawn_of(self._run, self._worker_settings(address, index), listener)
            slot = WorkerSlot(spawn, report, retire, RestartPauses(self._first_pause_s))
            self._slots.append(slot)
            slot.start()
        self._await_first()

    def run(self, signals: ProcessSignals, floods: FloodFilter) -> None:
        """Keep the workers running until told to stop. Raises ``WorkersFailed``."""
        while not signals.stop.is_set():
            self._turn()
            if part := self._ended_part():
                end_process(part)
            floods.report()
            if signals.reload.is_set():
                signals.reload.clear()
                self._file_watch.request()
                for slot in self._slots:
                    slot.reload()

    def drain(self, hurry: Event) -> None:
        """Have every worker drain, and wait until all have ended; ``hurry`` ends their delay."""
        self._draining = True
        self._terminate()
        settings, hurried = self._settings, False
        deadline_s = time.monotonic() + settings.drain_delay_s + settings.drain_grace_s + _KILL_AFTER_S
        while self._running() and time.monotonic() < deadline_s:
            if hurry.is_set() and not hurried:
                hurried = True
                self._terminate()
            self._hear()
        for slot in self._slots:
            slot.stop(deadline_s)

    def close(self) -> None:
        """End workers that still run, then everything they share. May be called twice."""
        self._terminate()
        for slot in self._slots:
            slot.stop(time.monotonic() + _KILL_AFTER_S)
        self._closing.close()

    def start_line(self) -> str:
        """Return the line that says what is served, by how many processes."""
        return (
            f"{self._slots[0].start_line}, by {self._count} processes, metrics on "
            f"{metrics_url(self.metrics_address, self._doors)}, from {self._store.name}"
        )

    def _await_first(self) -> None:
        """Wait until every worker serves. Raises ``WorkersFailed`` if one cannot start."""
        while not all(slot.start_line for slot in self._slots):
            self._turn()
            for slot in self._slots:
                if slot.failure:
                    raise WorkersFailed(slot.failure)

    def _turn(self) -> None:
        self._hear()
        for index, slot in enumerate(self._slots):
            pid = slot.pid
            if slot.replace_if_ended():
                self._worker_ends.inc()
                _LOG.error("worker %d (process %d) ended: %s; it is replaced", index, pid, slot.failure or "see above")
        if not any(slot.start_line for slot in self._slots) and all(
            slot.failures >= _MOST_FAILURES for slot in self._slots
        ):
            raise WorkersFailed(f"no worker process comes up: {self._slots[0].failure or 'see the log'}")
        if time.monotonic() >= self._next_tend_s:
            self._next_tend_s = time.monotonic() + _TEND_EVERY_S
            self._store.tend()

    def _hear(self) -> None:
        pipes = [slot.pipe for slot in self._slots if slot.pipe is not None]
        if pipes:
            wait(pipes, _WAIT_S)
        else:
            time.sleep(_WAIT_S)
        for slot in self._slots:
            slot.hear()

    def _terminate(self) -> None:
        for slot in self._slots:
            slot.terminate()

    def _ended_part(self) -> str:
        """Return the names of threads of its own that have ended; empty while all run."""
        ended = self._threads.ended()
        return ended and f"supervisor's {ended}"

    def _not_ready(self) -> str:
        """Return why no call should be sent: while it drains, or no worker serves."""
        if self._draining:
            return "draining"
        return "" if any(slot.start_line for slot in self._slots) else "no worker serves"

    def _running(self) -> int:
        return sum(slot.alive for slot in self._slots)

    def _ask_for_metrics(self) -> None:
        """Have all workers report at the same time."""
        slots, deadline_s = list(self._slots), time.monotonic() + _SCRAPE_S
        for slot in slots:
            slot.ask_for_metrics()
        for slot in slots:
            slot.await_metrics(deadline_s)

    def _worker_settings(self, address: str, index: int) -> Settings:
        """Return the settings of one worker: the shared store as if it were external, and the pages in the first."""
        settings = replace(self._settings, grpc_address=address, web_address=self._settings.web_address * (index == 0))
        if self._settings.redis_url:
            return settings
        return replace(
            settings,
            redis_url=self._store.url,
            confirm_on_disk="yes",
            secret_key_file=str(self._settings.secret_key_path),
        )
