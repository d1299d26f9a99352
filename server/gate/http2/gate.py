"""The gate on h2corn: its server on an event loop of ours, its listening socket made and kept by us."""

import asyncio
import socket
from pathlib import Path

from server.gate.connect.application import ConnectApplication
from server.gate.connect.conversions import Conversions
from server.gate.entrance import ClientEntrance, Entrance, OwnEntrance
from server.gate.http2.application import GateApplication
from server.gate.http2.asgi import Application
from server.gate.http2.bodies import Bodies
from server.gate.http2.intake import Intake
from server.gate.http2.limits import Http2Limits, config_of
from server.gate.http2.renewable_server import RenewableServer
from server.gate.loop_gate import LoopGate
from server.gate.port import GRPC_ADDRESS
from server.gate.room import DEFAULT_CAPACITY, Capacity
from server.gate.traceparent import TraceparentApplication
from server.listening import ListenAddress, listen
from server.security.doors import Doors, open_to_all
from server.security.own_credential import OwnCredential
from server.security.tls import CurrentTls
from server.settings import UNIX_PREFIX


class Http2Gate(LoopGate):
    """The gate on h2corn; see ``server.gate.port.Gate``."""

    name = "http2"

    def __init__(
        self,
        address: str,
        capacity: Capacity = DEFAULT_CAPACITY,
        limits: Http2Limits | None = None,
        listener: socket.socket | None = None,
        doors: Doors | None = None,
    ) -> None:
        """``listener`` is a listening socket to serve, in place of one made for the address."""
        super().__init__(capacity)
        self._listener = listener
        self._limits = limits or Http2Limits()
        self._doors = doors or open_to_all()
        self._where = ListenAddress(GRPC_ADDRESS, address, self._doors.socket_mode)
        self._bodies = Bodies(capacity.bytes)
        self._conversions = Conversions()
        self._served: list[tuple[RenewableServer, socket.socket]] = []

    def open(self) -> str:
        """Listen, and return the bound address. Raises ``ListenError``."""
        self._listener = self._listener or listen(self._where)
        self._thread.start()
        tls = self._doors.tls_at(self._where.address)
        entrance = ClientEntrance(self._doors.admission, self._lanes)
        server = self._thread.call(self._serve(self._listener, entrance, tls))
        if tls is not None:
            tls.subscribe(lambda: self._thread.call(server.renew()))
        return self._where.bound(self._listener)

    def listen_for(self, part: OwnCredential, path: Path) -> None:
        """Listen on a Unix socket too. Raises ``ListenError``."""
        listener = listen(ListenAddress(part.caller.name, f"{UNIX_PREFIX}{path}"))
        self._thread.call(self._serve(listener, OwnEntrance(part), None))

    def is_alive(self) -> bool:
        """Whether the loop, the worker of decisions and h2corn run."""
        return super().is_alive() and all(server.is_serving for server, _ in self._served)

    def close(self, grace_s: float) -> None:
        """Report NOT_SERVING, refuse new calls, let the others end, stop."""
        super().close(grace_s)
        self._conversions.close()
        for listener in (self._listener, *(listener for _, listener in self._served)):
            if listener is not None:
                listener.close()

    async def _serve(self, listener: socket.socket, entrance: Entrance, tls: CurrentTls | None) -> RenewableServer:
        intake = Intake(self._lanes, self._bodies, self._conversions)
        others = ConnectApplication(intake, entrance, self._health, self._limits.names(self._where.address))
        application: Application = GateApplication(intake, entrance, others)
        if self._lanes.wants_traceparent:
            application = TraceparentApplication(application)
        files = None if tls is None else tls.files
        server = RenewableServer(
            application, listener, lambda: config_of(listener, self._limits, files), self._limits.idle_s
        )
        self._served.append((server, listener))
        await server.start()
        return server

    async def _stop_serving(self, ends_s: float) -> None:  # noqa: ARG002  # h2corn has a limit of its own
        await asyncio.gather(*(server.stop() for server, _ in self._served))
