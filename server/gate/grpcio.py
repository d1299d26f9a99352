"""The gate on grpcio's ``grpc.aio``: wherever h2corn has no wheel, and the other one that the contract suite compares.

A call is refused in words, by the rooms. gRPC's own limit of calls that wait for the event loop is a last resort, as
gRPC ends such calls as CANCELLED, which says nothing: the streams of a connection are limited far below it.
"""

import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NoReturn

import grpc

from server.gate import health, reflection
from server.gate.entrance import ClientEntrance, Entrance, OwnEntrance
from server.gate.file_limit import raise_file_limit
from server.gate.grpcio_credentials import Context as _Context
from server.gate.grpcio_credentials import presented_by, server_credentials
from server.gate.grpcio_limits import GrpcioLimits
from server.gate.loop_gate import LoopGate
from server.gate.methods import METHODS
from server.gate.port import GRPC_ADDRESS, Answer, Call, Method, Refusal
from server.gate.room import DEFAULT_CAPACITY, Capacity
from server.gate.traceparent import with_traceparent
from server.listening import ListenAddress, ListenError, listen, unix_mode
from server.security.caller import Caller
from server.security.doors import Doors, open_to_all
from server.security.own_credential import OwnCredential
from server.settings import UNIX_PREFIX

_STATUS_KEY = "grpc-status-details-bin"
_CODES = {code.value[0]: code for code in grpc.StatusCode}
_SENDING_S = 0.5
_TURNS = 6
"""gRPC hands over one call at a time, which takes the loop several turns."""


class GrpcioGate(LoopGate):
    """The gate on ``grpc.aio``; see ``server.gate.port.Gate``."""

    name = "grpcio"

    def __init__(
        self,
        address: str,
        capacity: Capacity = DEFAULT_CAPACITY,
        limits: GrpcioLimits | None = None,
        *,
        shared: bool = False,
        doors: Doors | None = None,
    ) -> None:
        """``shared``: several processes listen on the address, which a supervisor has reserved."""
        super().__init__(capacity, _TURNS)
        self._doors = doors or open_to_all()
        self._where = ListenAddress(GRPC_ADDRESS, address, self._doors.socket_mode)
        self._shared = shared
        self._options = (limits or GrpcioLimits()).options(shared=shared)
        self._servers: list[grpc.aio.Server] = []

    def open(self) -> str:
        """Listen, and return the bound address. Raises ``ListenError``."""
        # Asked of gRPC alone, a "no" comes without its reason, and with pages of gRPC's own log.
        if not self._shared:
            listen(self._where).close()
        raise_file_limit()
        self._thread.start()
        try:
            return self._thread.call(self._start())
        except RuntimeError as problem:
            self._thread.stop()
            raise ListenError(f"{GRPC_ADDRESS}: cannot listen on {self._where.address}") from problem

    def listen_for(self, part: OwnCredential, path: Path) -> None:
        """Listen on a Unix socket too. Raises ``ListenError``."""
        where = ListenAddress(part.caller.name, f"{UNIX_PREFIX}{path}")
        self._thread.call(self._serve(where, OwnEntrance(part)))

    async def _start(self) -> str:
        port = await self._serve(self._where, ClientEntrance(self._doors.admission, self._lanes))
        address = self._where.address
        return address if self._where.unix_path else f"{address.rpartition(':')[0]}:{port}"

    async def _serve(self, where: ListenAddress, entrance: Entrance) -> int:
        server, tls = grpc.aio.server(options=self._options), self._doors.tls_at(where.address)
        with unix_mode(where.mode) if where.unix_path else nullcontext():
            if tls is None:
                port = server.add_insecure_port(where.address)
            else:
                port = server.add_secure_port(where.address, server_credentials(tls))
        server.add_generic_rpc_handlers([_Handlers(self._handlers(entrance))])
        await server.start()
        self._servers.append(server)
        return port

    async def _stop_serving(self, ends_s: float) -> None:
        for server in self._servers:
            await server.stop(min(_SENDING_S, max(ends_s - time.monotonic(), 0)))

    def _handlers(self, entrance: Entrance) -> "dict[str, grpc.RpcMethodHandler[bytes, bytes]]":
        """Return the handler of each RPC, bytes in and bytes out: the gate does not know what a message means."""
        unary = grpc.unary_unary_rpc_method_handler
        board = self._health
        reflect = grpc.stream_stream_rpc_method_handler
        return {
            **{method.path: unary(self._handler(method, entrance)) for method in METHODS},
            health.CHECK: unary(_standard(board.check)),
            health.LIST: unary(_standard(board.list)),
            health.WATCH: grpc.unary_stream_rpc_method_handler(_stream(board.watch)),
            **{path: reflect(_reflection(path, entrance)) for path in reflection.REFLECT},
        }

    def _handler(self, method: Method, entrance: Entrance) -> Callable[[bytes, _Context], Awaitable[bytes]]:
        lanes = self._lanes

        async def handle(payload: bytes, context: _Context) -> bytes:
            caller: Caller | Refusal
            if entrance.is_open:
                caller = Caller(connection=context.peer())
            elif isinstance(caller := await entrance.admit(method, presented_by(context)), Refusal):
                return await _refuse(context, caller)
            now_s = time.monotonic()
            answer = await lanes.serve(Call(method, payload, now_s, now_s + _seconds_left(context), caller))
            return await _refuse(context, answer) if isinstance(answer, Refusal) else answer

        return with_traceparent(handle) if lanes.wants_traceparent else handle


class _Handlers(grpc.GenericRpcHandler):
    """Finds the handler of an RPC by its path."""

    def __init__(self, handlers: "dict[str, grpc.RpcMethodHandler[bytes, bytes]]") -> None:
        self._handlers = handlers

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes] | None":
        """Return the handler, or None: the RPC is UNIMPLEMENTED."""
        return self._handlers.get(handler_call_details.method)


def _standard(answer_to: Callable[[bytes], Awaitable[Answer]]) -> Callable[[bytes, _Context], Awaitable[bytes]]:
    async def handle(payload: bytes, context: _Context) -> bytes:
        answer = await answer_to(payload)
        return await _refuse(context, answer) if isinstance(answer, Refusal) else answer

    return handle


def _stream(answers_to: Callable[[Any], AsyncIterator[Answer]]) -> Callable[[Any, _Context], AsyncIterator[bytes]]:
    async def handle(asked: Any, context: _Context) -> AsyncIterator[bytes]:
        async for answer in answers_to(asked):
            yield await _refuse(context, answer) if isinstance(answer, Refusal) else answer

    return handle


def _reflection(path: str, entrance: Entrance) -> Callable[[Any, _Context], AsyncIterator[bytes]]:
    answers = _stream(reflection.Reflection().reflect)

    async def handle(asked: Any, context: _Context) -> AsyncIterator[bytes]:
        caller = await entrance.admit_to(path, presented_by(context))
        if isinstance(caller, Refusal):
            await _refuse(context, caller)
        async for answer in answers(asked, context):
            yield answer

    return handle


def _seconds_left(context: _Context) -> float:
    left: float | None = context.time_remaining()  # None without a deadline, whatever the stubs say
    return math.inf if left is None else left


async def _refuse(context: _Context, refusal: Refusal) -> NoReturn:
    metadata = ((_STATUS_KEY, refusal.status),) if refusal.status else ()
    await context.abort(_CODES[refusal.code], refusal.message, metadata)
