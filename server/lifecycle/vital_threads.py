"""The threads without which a process serves only half: when one ends, the process has to end and say so."""

import threading
from typing import Final

NAMES: Final = ("call-worker", "file-watch", "replication-watch", "signal-opt-outs", "store-watch")


class VitalThreads:
    """The threads of these names that run now. One that has ended before counts as ended."""

    def __init__(self) -> None:
        self._threads = [thread for thread in threading.enumerate() if thread.name in NAMES]
        self._missing = set(NAMES) - {thread.name for thread in self._threads}

    def ended(self) -> str:
        """Return the name of one that has ended; empty while all run."""
        ended = self._missing | {thread.name for thread in self._threads if not thread.is_alive()}
        return f"thread {min(ended)}" if ended else ""
