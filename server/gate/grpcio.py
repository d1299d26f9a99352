"""The gate on grpcio's ``grpc.aio``: wherever h2corn has no wheel, and the other one that the contract suite compares.

A call is refused in words, by the rooms. gRPC's own limit of calls that wait for the event loop is a last resort, as
gRPC ends such calls as CANCELLED, which says nothing: the streams of a connection are limited far below it.
"""

import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

import grpc

from server.gate import health, reflection
from server.gate.listening import listen
from server.gate.loop_gate import LoopGate
from server.gate.methods import METHODS
from server.gate.own_port import NO_CREDENTIAL
from server.gate.port import Answer, GateError, Method, Refusal
from server.gate.room import DEFAULT_CAPACITY, Capacity
from server.gate.traceparent import with_traceparent
from server.security.caller import Caller
from server.security.own_credential import OwnCredential

_Context: TypeAlias = "grpc.aio.ServicerContext[bytes, bytes]"
_Identify: TypeAlias = "Callable[[_Context], Caller | None]"
"""Tells who makes a call; None: one who may not."""

_STATUS_KEY = "grpc-status-details-bin"
_CODES = {code.value[0]: code for code in grpc.StatusCode}
_SENDING_S = 0.5
_FRAMING_BYTES = 16 * 1024
_TURNS = 6
"""gRPC hands over one call at a time, which takes the loop several turns."""
_STREAMS = 256
"""Calls in flight of one connection: its caller keeps further ones, which costs nothing here."""
_PENDING = 32 * _STREAMS
"""Calls that gRPC lets wait for the event loop: all that 32 connections can send while it is busy."""


def _options(*, shared: bool) -> tuple[tuple[str, int], ...]:
    return (
        # gRPC's defaults are 1,000 and 3,000: above the first it drops calls at random.
        ("grpc.server.max_pending_requests", _PENDING),
        ("grpc.server.max_pending_requests_hard_limit", _PENDING),
        # Outside a supervisor a second server on the same port is a mistake, and must be reported.
        ("grpc.so_reuseport", int(shared)),
        ("grpc.max_receive_message_length", max(method.max_bytes for method in METHODS) + _FRAMING_BYTES),
        ("grpc.max_concurrent_streams", _STREAMS),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
    )


class GrpcioGate(LoopGate):
    """The gate on ``grpc.aio``; see ``server.gate.port.Gate``."""

    name = "grpcio"

    def __init__(self, address: str, capacity: Capacity = DEFAULT_CAPACITY, *, shared: bool = False) -> None:
        """``shared``: several processes listen on the address, which a supervisor has reserved."""
        super().__init__(capacity, _TURNS)
        self._address = address
        self._shared = shared
        self._options = _options(shared=shared)
        self._servers: list[grpc.aio.Server] = []

    def open(self) -> str:
        """Listen, and return the bound address. Raises ``GateError``."""
        # Asked of gRPC alone, a "no" comes without its reason, and with pages of gRPC's own log.
        if not self._shared:
            listen(self._address).close()
        self._thread.start()
        try:
            return self._thread.call(self._start())
        except RuntimeError as problem:
            self._thread.stop()
            raise GateError(f"ADTARGETING_GRPC_ADDRESS: cannot listen on {self._address}") from problem

    def listen_for(self, part: OwnCredential, path: Path) -> None:
        """Listen on a Unix socket too. Raises ``OSError``."""
        self._thread.call(self._serve(f"unix:{path}", lambda context: _own_caller_of(context, part)))

    async def _start(self) -> str:
        host, _, port = self._address.rpartition(":")
        bound = await self._serve(f"{host}:{port}", _connection_of)
        return f"{host}:{bound}"

    async def _serve(self, address: str, identify: _Identify) -> int:
        server = grpc.aio.server(options=self._options)
        bound = server.add_insecure_port(address)
        server.add_generic_rpc_handlers([_Handlers(self._handlers(identify))])
        await server.start()
        self._servers.append(server)
        return bound

    async def _stop_serving(self, ends_s: float) -> None:
        for server in self._servers:
            await server.stop(min(_SENDING_S, max(ends_s - time.monotonic(), 0)))

    def _handlers(self, identify: _Identify) -> "dict[str, grpc.RpcMethodHandler[bytes, bytes]]":
        """Return the handler of each RPC, bytes in and bytes out: the gate does not know what a message means."""
        unary = grpc.unary_unary_rpc_method_handler
        board = self._health
        reflect: grpc.RpcMethodHandler[bytes, bytes] = grpc.stream_stream_rpc_method_handler(
            _stream(reflection.Reflection().reflect)
        )
        return {
            **{method.path: unary(self._handler(method, identify)) for method in METHODS},
            health.CHECK: unary(_standard(board.check)),
            health.LIST: unary(_standard(board.list)),
            health.WATCH: grpc.unary_stream_rpc_method_handler(_stream(board.watch)),
            **dict.fromkeys(reflection.REFLECT, reflect),
        }

    def _handler(self, method: Method, identify: _Identify) -> Callable[[bytes, _Context], Awaitable[bytes]]:
        lanes = self._lanes

        async def handle(payload: bytes, context: _Context) -> bytes:
            deadline_s = time.monotonic() + _seconds_left(context)
            caller = identify(context)
            answer = NO_CREDENTIAL if caller is None else await lanes.serve(method, payload, deadline_s, caller)
            return await _refuse(context, answer) if isinstance(answer, Refusal) else answer

        return with_traceparent(handle) if lanes.wants_traceparent else handle


class _Handlers(grpc.GenericRpcHandler):
    """Finds the handler of an RPC by its path."""

    def __init__(self, handlers: "dict[str, grpc.RpcMethodHandler[bytes, bytes]]") -> None:
        self._handlers = handlers

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes] | None":
        """Return the handler, or None: the RPC is UNIMPLEMENTED."""
        return self._handlers.get(handler_call_details.method)


def _connection_of(context: _Context) -> Caller:
    return Caller(connection=context.peer())


def _own_caller_of(context: _Context, part: OwnCredential) -> Caller | None:
    shown = {name: value for name, value in context.invocation_metadata() or () if name == part.header[0]}
    return part.caller if part.is_shown_by(str(shown.get(part.header[0], ""))) else None


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


def _seconds_left(context: _Context) -> float:
    left: float | None = context.time_remaining()  # None without a deadline, whatever the stubs say
    return math.inf if left is None else left


async def _refuse(context: _Context, refusal: Refusal) -> NoReturn:
    metadata = ((_STATUS_KEY, refusal.status),) if refusal.status else ()
    await context.abort(_CODES[refusal.code], refusal.message, metadata)
