"""The event loop of a gate, on a thread of its own."""

import asyncio
import logging
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import uvloop

T = TypeVar("T")

_LOOK_EVERY_S = 0.1
_LOG = logging.getLogger(__name__)
_SWITCH_S = 0.0005


class LoopThread:
    """Runs an event loop from ``start`` to ``stop``."""

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
        self.on_lag: Callable[[float], None] = lambda _: None
        """Told, ten times a second, how long the loop took to come to a timer that was due (seconds)."""
        self._thread = threading.Thread(target=self._run, name="gate", daemon=True)
        self._kept: set[asyncio.Future[Any]] = set()
        self._lost = False

    @property
    def is_running(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    @property
    def is_alive(self) -> bool:
        """Whether the thread and everything that was kept running on it still run."""
        return self.is_running and not self._lost

    def start(self) -> None:
        """Start the thread."""
        # A thread that computes would keep the loop waiting for 5 ms each time it wants the interpreter's lock.
        sys.setswitchinterval(_SWITCH_S)
        self._thread.start()

    def stop(self) -> None:
        """Cancel what was kept running, and end the thread."""
        self.call(self._cancel_kept())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run on the loop and wait for the result; from any other thread."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    def keep(self, work: Coroutine[Any, Any, None]) -> None:
        """Run on the loop until it is stopped; from any thread."""
        self.loop.call_soon_threadsafe(self._keep, work)

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = self.loop.create_task(work)
        self._kept.add(task)
        task.add_done_callback(self._let_go)

    def _let_go(self, task: asyncio.Future[Any]) -> None:
        self._kept.discard(task)
        if not task.cancelled():
            self._lost = True
            if (problem := task.exception()) is not None:
                _LOG.critical("the worker of decisions has ended by %s", type(problem).__name__)

    async def _cancel_kept(self) -> None:
        kept = list(self._kept)
        for task in kept:
            task.cancel()
        await asyncio.gather(*kept, return_exceptions=True)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self._look(self.loop.time())
        self.loop.run_forever()

    def _look(self, due_s: float) -> None:
        now_s = time.monotonic()
        self.on_lag(max(now_s - due_s, 0))
        self.loop.call_at(now_s + _LOOK_EVERY_S, self._look, now_s + _LOOK_EVERY_S)
