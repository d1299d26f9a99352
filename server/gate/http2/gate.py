"""The gate on h2corn: its server on an event loop of ours, its listening socket made and kept by us."""

import asyncio
import socket
from pathlib import Path

import h2corn
from h2corn import _lib

from server.gate.connect.application import ConnectApplication
from server.gate.http2.application import GateApplication
from server.gate.http2.asgi import Application
from server.gate.http2.limits import Http2Limits, config_of
from server.gate.http2.own_application import OwnApplication
from server.gate.listening import listen
from server.gate.loop_gate import LoopGate
from server.gate.own_port import listen_on
from server.gate.room import DEFAULT_CAPACITY, Capacity
from server.gate.traceparent import TraceparentApplication
from server.security.own_credential import OwnCredential

# h2corn announces itself on stderr, which no setting turns off; the start line is ours.
_lib.emit_banner = lambda *_: None


class Http2Gate(LoopGate):
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
        super().__init__(capacity)
        self._address = address
        self._listener = listener
        self._limits = limits or Http2Limits()
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

    def close(self, grace_s: float) -> None:
        """Report NOT_SERVING, refuse new calls, let the others end, stop."""
        super().close(grace_s)
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

    async def _stop_serving(self, ends_s: float) -> None:  # noqa: ARG002  # h2corn has a limit of its own
        for server, _, _ in self._served:
            server.shutdown()
        await asyncio.wait({serving for _, _, serving in self._served})
