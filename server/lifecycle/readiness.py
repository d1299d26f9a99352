"""Whether a process should be sent calls, and whether it should go on: by its phase, its threads and its gate."""

import threading
from typing import Final

from server.gate.port import Gate
from server.lifecycle.vital_threads import VitalThreads
from server.settings import Settings

THREADS: Final = ("call-worker", "file-watch", "replication-watch", "signal-opt-outs", "store-watch")
"""Those of every service, beside the gate's."""


def thread_names(settings: Settings, *, serves_metrics: bool) -> list[str]:
    """Return the names of the threads that a service with these settings has when it begins to serve."""
    optional = {
        "audit": bool(settings.audit_log),
        "canaries": settings.canaries == "yes",
        "decision-records": bool(settings.decision_records),
        "metrics": serves_metrics,
        "web": bool(settings.web_address),
    }
    return [*THREADS, *(name for name, is_on in optional.items() if is_on)]


class Readiness:
    """Starting, until ``serve``; then serving, until ``enter`` names another phase."""

    def __init__(self) -> None:
        self._phase = "starting"

    def serve(self, gate: Gate, threads: VitalThreads) -> None:
        """Serve from now on, as long as these threads and the gate's run."""
        self._gate = gate
        self._threads = threads
        self._phase = ""

    def enter(self, phase: str) -> None:
        """Take no more calls, for the reason that ``phase`` names."""
        self._phase = phase

    def watch_too(self, thread: threading.Thread) -> None:
        """Serve only as long as a thread runs that was started since."""
        self._threads.add(thread)

    def ended_part(self) -> str:
        """Return the names of parts that serving needs and that have ended; empty while all run, or start, or stop."""
        if self._phase:
            return ""
        return self._threads.ended() if self._gate.is_alive() else "gate's event loop"

    def lacking(self) -> str:
        """Return why no call should be sent yet, or any more; empty while the process serves."""
        return self._phase or self.ended_part()
