"""An event that notes how long a thread means to wait for it, and lets it wait until it is set."""

import threading


class NotedEvent(threading.Event):
    """``waited_s`` is the time of the latest wait."""

    waited_s: float | None = None

    def wait(self, timeout: float | None = None) -> bool:
        self.waited_s = timeout
        return super().wait()
