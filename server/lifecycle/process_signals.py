"""The signals that stop a process and have it read its files again, kept for the loop that serves.

Invariant: a handler only sets an event, but for a process that is starting, which it ends.
"""

import signal
import threading
from types import FrameType


class StopRequested(BaseException):
    """A signal to stop has arrived while the service was starting."""


class ProcessSignals:
    """The signals of the process, from the moment this is made.

    The first SIGTERM or SIGINT sets ``stop``, and is raised as ``StopRequested`` while ``starting``; a second one sets
    ``hurry``. SIGHUP sets ``reload``.
    """

    def __init__(self) -> None:
        self.stop, self.hurry, self.reload = threading.Event(), threading.Event(), threading.Event()
        self.starting = True
        self.name = ""
        """The signal that stopped the process."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_stop)
        signal.signal(signal.SIGHUP, self._on_reload)

    def _on_stop(self, number: int, _: FrameType | None) -> None:
        if self.stop.is_set():
            self.hurry.set()
            return
        self.name = signal.Signals(number).name
        self.stop.set()
        if self.starting:
            raise StopRequested

    def _on_reload(self, _: int, __: FrameType | None) -> None:
        self.reload.set()
