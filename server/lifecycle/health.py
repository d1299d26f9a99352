"""The watch over the store: it sets the health of the services that write, and logs one line per change.

Decisions are served whatever the store does, so their health does not depend on it.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import NamedTuple, Protocol

from server.errors import note
from server.gate.port import HEALTH_CHECKED, Gate
from server.metrics.metrics import Metrics
from server.store.assembly import StoreAccess
from server.store.ports import StoreError, StoreTimeout, StoreUnreachable, StoreUntrusted

PROBE_TIMEOUT_S = 0.25
_EVERY_S = 0.5
_LATE_IN_A_ROW = 2
"""One late answer may be that of a busy machine, and is no news."""
_LOG = logging.getLogger(__name__)


class Probe(Protocol):
    """Asks the store whether a choice could be stored: ``server.store.redis.probe.StoreProbe``."""

    def check(self, timeout_s: float) -> None:
        """Raise ``StoreError`` unless one could."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


class StoreState(NamedTuple):
    """The result of the last check, for the metrics."""

    up: bool = True
    writable: bool = True
    trusted: bool = True


class StoreWatch:
    """Watch from ``start`` to ``close``, on a thread of its own. ``before_check`` is called before each check.

    ``refused`` returns why the store refuses writes, or an empty text; ``name`` is the store's, in the log.
    """

    def __init__(self, gate: Gate, services: Sequence[str], probe: Probe, name: str) -> None:
        self.before_check: Callable[[], None] = lambda: None
        self.refused: Callable[[], str] = lambda: ""
        self.on_state: Callable[[StoreState], None] = lambda _: None
        self._gate = gate
        self._services = services
        self._probe = probe
        self._name = name
        self._serving: bool | None = None
        self._late = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="store-watch", daemon=True)

    def start(self) -> None:
        """Check once, so that the first health is right, then begin to watch."""
        self.check()
        self._thread.start()

    def close(self) -> None:
        """End the watch after the current check; health stays as it is. May be called twice."""
        self._stopping.set()
        self._thread.join()
        self._probe.close()

    def check(self) -> None:
        """Ask whether a choice could be stored, and report a change."""
        problem = self._problem()
        if problem is None or (serving := not problem) is self._serving:
            return
        if problem:
            _LOG.warning("store %s: %s; preferences and profiles are NOT_SERVING", self._name, problem)
        elif self._serving is not None:
            _LOG.warning("store %s: choices can be stored again; preferences and profiles are SERVING", self._name)
        self._serving = serving
        for service in self._services:
            self._gate.set_health(service, serving=serving)

    def _problem(self) -> str | None:
        """Return the problem, empty when there is none; None when it is too early to tell."""
        try:
            self._probe.check(PROBE_TIMEOUT_S)
        except StoreError as problem:
            self._late = self._late + 1 if isinstance(problem, StoreTimeout) else 0
            if self._late and self._late < _LATE_IN_A_ROW and self._serving is not None:
                return None
            self.on_state(_state_of(problem))
            return str(problem)
        self._late = 0
        refused = self.refused()
        self.on_state(StoreState(writable=not refused))
        return refused

    def _run(self) -> None:
        while not self._stopping.wait(_EVERY_S):
            try:
                self.before_check()
                self.check()
            except Exception as problem:  # noqa: BLE001  # the watch survives a fault of ours
                note(problem)


def _state_of(problem: StoreError) -> StoreState:
    return StoreState(
        up=not isinstance(problem, StoreTimeout | StoreUnreachable),
        writable=False,
        trusted=not isinstance(problem, StoreUntrusted),
    )


def watch_store(gate: Gate, store: StoreAccess, metrics: Metrics, closing: ExitStack) -> StoreWatch:
    """Report decisions as served always, and writes while choices can be stored, until ``closing`` closes."""
    targeting, *writing = HEALTH_CHECKED[1:]
    gate.set_health("", serving=True)
    gate.set_health(targeting, serving=True)
    watch = StoreWatch(gate, writing, store.probe, str(store.redis))
    watch.before_check, watch.refused = store.tend, store.refusals.problem
    watch.on_state = metrics.report_store
    watch.start()
    closing.callback(watch.close)
    return watch
