"""One worker process: a whole service on the supervisor's socket and store.

Invariant: it ends when the supervisor asks for it, or has gone. It speaks to the supervisor over a pipe, in ``Report``.
"""

import logging
import signal
import threading
from multiprocessing.connection import Connection
from socket import socket
from typing import Final

from server.app import Service
from server.errors import note
from server.lifecycle.process_signals import ProcessSignals
from server.logs import FloodFilter
from server.processes.merged_metrics import families_of
from server.processes.reports import SCRAPE, Report
from server.serving import log_start, pages_part, run_process, serve_until_stopped, serving_line
from server.settings import Settings

_OWN_PACKAGES: Final = frozenset({"server", "targeting"})
_LOG = logging.getLogger(__name__)


def run_worker(settings: Settings, listener: socket, pipe: Connection) -> None:
    """Serve until SIGTERM, or until the supervisor has gone; then drain. Runs in a process of its own."""

    def serve(signals: ProcessSignals, floods: FloodFilter) -> None:
        # A terminal sends it to every process of the group; only the supervisor obeys.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with Service(settings, listener=listener) as service:
            signals.starting = False
            log_start(service)
            pipe.send(Report("serving", f"{serving_line(service)}{pages_part(service)}"))
            answer_scrapes(service, pipe, signals)
            serve_until_stopped(service, signals, floods)
        _send_metrics(service, pipe)

    try:
        run_process(settings, serve)
    except Exception as problem:  # noqa: BLE001  # the supervisor reports it in one line
        pipe.send(Report("failed", _line(problem)))


def answer_scrapes(service: Service, pipe: Connection, signals: ProcessSignals) -> None:
    """Answer the supervisor on a thread that the service then needs."""
    thread = threading.Thread(target=_answer_scrapes, args=(service, pipe, signals), name="scrapes", daemon=True)
    thread.start()
    service.watch_thread(thread)


def _answer_scrapes(service: Service, pipe: Connection, signals: ProcessSignals) -> None:
    try:
        while pipe.recv() == SCRAPE:
            _send_metrics(service, pipe)
    except (EOFError, OSError):
        signals.name = signals.name or "the end of the supervisor"
        signals.stop.set()


def _send_metrics(service: Service, pipe: Connection) -> None:
    try:
        pipe.send(Report("metrics", metrics=families_of(service.metrics.registry)))
    except OSError:
        _LOG.debug("the supervisor no longer reads metrics")


def _line(problem: Exception) -> str:
    """Return the message of an error of ours; of any other exception only an id, as its text may hold anything."""
    is_ours = type(problem).__module__.partition(".")[0] in _OWN_PACKAGES
    return " ".join(str(problem).split()) if is_ours else f"internal error {note(problem)}"
