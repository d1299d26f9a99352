"""The gate on h2corn: its server on an event loop of ours, its listening socket made and kept by us."""

import asyncio
import socket
import time
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h2corn
from h2corn import _lib

from server.gate.connect.application import ConnectApplication
from server.gate.health import HealthBoard
from server.gate.http2.application import GateApplication
from server.gate.http2.asgi import Application
from server.gate.http2.limits import Http2Limits, config_of
from server.gate.http2.own_application import OwnApplication
from server.gate.lanes import Lanes
from server.gate.listening import listen
from server.gate.loop_thread import LoopThread
from server.gate.own_port import listen_on
from server.gate.port import Answer, Call, DecisionLane, Method
from server.gate.room import DEFAULT_CAPACITY, Capacity
from server.gate.traceparent import TraceparentApplication
from server.security.own_credential import OwnCredential

if TYPE_CHECKING:
    from server.tracing.tracer import Tracer

_LAST_WORD_S, _POLL_S = 0.1, 0.005

# h2corn announces itself on stderr, which no setting turns off; the start line is ours.
_lib.emit_banner = lambda *_: None


class Http2Gate:
    """The gate on h2corn; see ``server.gate.port.Gate``."""

    name = "http2"

    def __init__(
        self,
        address: str,
        capacity: Capacity = DEFAULT_CAPACITY,
        limits: Http2Limits | None = None,
        listener: socket.socket | None = None,
    ) -> None:
        """``listener`` is a listening socket to serve, in place of one made for the address."""
        self._address = address
        self._listener = listener
        self._limits = limits or Http2Limits()
        self._capacity = capacity
        self._lanes = Lanes(capacity)
        self._health = HealthBoard()
        self._thread = LoopThread()
        self._served: list[tuple[h2corn.Server, socket.socket, asyncio.Task[None]]] = []

    def open(self) -> str:
        """Listen, and return the bound address. Raises ``GateError``."""
        self._listener = self._listener or listen(self._address)
        self._thread.start()
        self._thread.call(self._start(self._listener))
        host, port = self._address.rpartition(":")[0], self._listener.getsockname()[1]
        return f"{host}:{port}"

    def listen_for(self, part: OwnCredential, path: Path) -> None:
        """Listen on a Unix socket too. Raises ``OSError``."""
        self._thread.call(self._serve(listen_on(path), OwnApplication(self._application, part)))

    def trace_with(self, tracer: "Tracer") -> None:
        """Have calls traced; before ``open``."""
        # Only with traces is OpenTelemetry imported.
        from server.gate.traced_lanes import TracedLanes  # noqa: PLC0415  # as above

        self._lanes = TracedLanes(self._capacity, tracer=tracer)

    def decide_with(self, worker: Callable[[DecisionLane], Coroutine[Any, Any, None]]) -> None:
        """Run the worker of the decision lane."""
        self._thread.keep(worker(self._lanes.decisions))

    def take(self, timeout_s: float) -> Call | None:
        """Wait for a call of the other lane."""
        return self._lanes.take(timeout_s)

    def answer(self, call: Call, answer: Answer) -> None:
        """Answer a call of the other lane."""
        self._thread.loop.call_soon_threadsafe(self._lanes.decisions.answer, call, answer)

    def set_health(self, service: str, *, serving: bool) -> None:
        """Report a service as SERVING or NOT_SERVING."""
        self._thread.loop.call_soon_threadsafe(lambda: self._health.set(service, serving=serving))

    def observe_lag_with(self, observe: Callable[[float], None]) -> None:
        """Report the lag of the loop."""
        self._thread.on_lag = observe

    def is_alive(self) -> bool:
        """Whether the loop and the worker of decisions run."""
        return self._thread.is_alive

    def inflight(self) -> int:
        """Count the calls in flight."""
        return self._lanes.inflight()

    def ended(self) -> Mapping[Method, Mapping[int, int]]:
        """Count the calls that have ended."""
        return {method: counts.copy() for method, counts in self._lanes.ended.items()}

    def refused(self) -> Mapping[str, int]:
        """Count the refused calls by cause."""
        return self._lanes.refused.copy()

    def close(self, grace_s: float) -> None:
        """Report NOT_SERVING, refuse new calls, let the others end, stop."""
        if self._thread.is_running:
            self._thread.call(self._stop(grace_s))
            self._thread.stop()
        for listener in (self._listener, *(listener for _, listener, _ in self._served)):
            if listener is not None:
                listener.close()

    async def _start(self, listener: socket.socket) -> None:
        others = ConnectApplication(self._lanes, self._health, self._limits.names(self._address))
        self._application: Application = GateApplication(self._lanes, others)
        if self._lanes.wants_traceparent:
            self._application = TraceparentApplication(self._application)
        await self._serve(listener, self._application)

    async def _serve(self, listener: socket.socket, application: Application) -> None:
        server = h2corn.Server(application, config_of(listener, self._limits))
        self._served.append((server, listener, asyncio.get_running_loop().create_task(server.serve())))
        await server.wait_started()

    async def _stop(self, grace_s: float) -> None:
        ends_s = time.monotonic() + grace_s
        self._lanes.stopping = True
        self._health.close()
        # Callers are told, and take their calls elsewhere.
        await asyncio.sleep(min(_LAST_WORD_S, grace_s))
        while self.inflight() and time.monotonic() < ends_s:
            await asyncio.sleep(_POLL_S)
        # What is left are watches of health, which never end by themselves, and calls beyond the grace.
        for server, _, _ in self._served:
            server.shutdown()
        await asyncio.wait({serving for _, _, serving in self._served})
