"""Whether a process should be sent calls, and whether it should go on: by its phase, its threads and its gate."""

from server.gate.port import Gate
from server.lifecycle.vital_threads import VitalThreads


class Readiness:
    """Starting, until ``serve``; then serving, until ``enter`` names another phase."""

    def __init__(self) -> None:
        self._phase = "starting"

    def serve(self, gate: Gate) -> None:
        """Serve from now on, with the threads that run now."""
        self._gate = gate
        self._vital_threads = VitalThreads()
        self._phase = ""

    def enter(self, phase: str) -> None:
        """Take no more calls, for the reason that ``phase`` names."""
        self._phase = phase

    def ended_part(self) -> str:
        """Return the name of a part that serving needs and that has ended by itself; empty while all run, or start."""
        if self._phase:
            return ""
        return self._vital_threads.ended() if self._gate.is_alive() else "gate's event loop"

    def lacking(self) -> str:
        """Return why no call should be sent yet, or any more; empty while the process serves."""
        return self._phase or self.ended_part()
