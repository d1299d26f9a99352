"""The threads without which a process serves only half: when one ends, the process has to end and say so.

Threads are known by their names. Those that live for one task only are none of them, nor those of a pool, which outlive
any task; nor is the one that waits for the embedded store, which is started again with the store.
"""

import threading
from collections.abc import Iterable


class VitalThreads:
    """The threads of these names that run now. One that has ended before counts as ended."""

    def __init__(self, names: Iterable[str]) -> None:
        wanted = set(names)
        self._threads = [thread for thread in threading.enumerate() if thread.name in wanted]
        self._missing = wanted - {thread.name for thread in self._threads}

    def add(self, thread: threading.Thread) -> None:
        """Watch one that was started later on."""
        self._threads.append(thread)

    def ended(self) -> str:
        """Return the names of those that have ended; empty while all run."""
        ended = self._missing | {thread.name for thread in self._threads if not thread.is_alive()}
        return ", ".join(f"thread {name}" for name in sorted(ended))
