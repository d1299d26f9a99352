"""The ASGI application of the gRPC port: the fast path for plain unary gRPC, and the way to everything else.

Fast are calls of the contract over HTTP/2 with one uncompressed protobuf message. All other forms (compressed gRPC,
gRPC-Web, Connect, JSON, health, reflection) go to the application that is mounted beside it.
"""

import logging
import time
from collections.abc import Mapping

from google.rpc import code_pb2

from server.gate.entrance import Entrance
from server.gate.http2.asgi import Application, Receive, Scope, Send
from server.gate.http2.grpc_wire import CONTENT_TYPES, message_of, seconds_of, send_message, send_refusal
from server.gate.http2.intake import Intake
from server.gate.methods import METHODS
from server.gate.port import Answer, Call, Method, Refusal
from server.security.caller import Caller
from server.security.http_credentials import connection_of, presented_in

_LOG = logging.getLogger(__name__)
_METHODS: Mapping[str, Method] = {method.path: method for method in METHODS}
_IDENTITY = (None, b"identity")
_BAD_TIMEOUT = Refusal(
    code_pb2.INVALID_ARGUMENT, "grpc-timeout: must be 1 to 8 digits and a unit, one of H, M, S, m, u, n"
)
_NO_TRAILERS = Refusal(code_pb2.INVALID_ARGUMENT, "te: must be trailers; a proxy between may have dropped it")
_BAD_MESSAGE = Refusal(
    code_pb2.INVALID_ARGUMENT,
    "the request must be exactly one gRPC message, compressed only if grpc-encoding says how",
)


class GateApplication:
    """Serves one gate's calls. Nothing of an exception reaches the wire, nor h2corn."""

    def __init__(self, intake: Intake, entrance: Entrance, others: Application) -> None:
        self._lanes = intake.lanes
        self._bodies = intake.bodies
        self._entrance = entrance
        self._others = others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        try:
            headers = dict(scope["headers"]) if scope["type"] == "http" else {}
            method = _METHODS.get(scope.get("path", ""))
            if method is None or not _is_plain(scope, headers):
                if _lacks_trailers(headers):
                    await send_refusal(send, _NO_TRAILERS)
                else:
                    await self._others(scope, receive, send)
            elif isinstance(caller := await self._let_in(method, scope), Refusal):
                await send_refusal(send, caller)
            elif (deadline_s := _deadline_s(headers)) is None:
                await send_refusal(send, self._lanes.end(method, _BAD_TIMEOUT, caller))
            elif isinstance(body := await self._bodies.read(receive, method, caller.share), bytes):
                await _send(send, await self._answer(method, body, deadline_s, caller))
            elif body is not None:
                await send_refusal(send, self._lanes.refuse(method, body, caller))
        except Exception as problem:  # noqa: BLE001  # as above; most often the caller has just gone
            _LOG.debug("a request ended with %s", type(problem).__name__)

    async def _let_in(self, method: Method, scope: Scope) -> Caller | Refusal:
        """Return who calls, or a refusal before anything of the call is read."""
        caller: Caller | Refusal
        if self._entrance.is_open:
            caller = Caller(connection=connection_of(scope))
        elif isinstance(caller := await self._entrance.admit(method, presented_in(scope)), Refusal):
            return caller
        return self._lanes.refusal_at_once(method, caller) or caller

    async def _answer(self, method: Method, body: bytes, deadline_s: float, caller: Caller) -> Answer:
        try:
            payload = message_of(body)
        except ValueError:
            return self._lanes.end(method, _BAD_MESSAGE, caller)
        return await self._lanes.serve(Call(method, payload, time.monotonic(), deadline_s, caller))


async def _send(send: Send, answer: Answer) -> None:
    if isinstance(answer, Refusal):
        await send_refusal(send, answer)
    else:
        await send_message(send, answer)


def _is_plain(scope: Scope, headers: Mapping[bytes, bytes]) -> bool:
    """Whether a request is gRPC as gRPC's own libraries send it, uncompressed. A browser's always has an origin."""
    return (
        headers.get(b"content-type") in CONTENT_TYPES
        and headers.get(b"te") == b"trailers"
        and scope["http_version"] == "2"
        and scope["method"] == "POST"
        and headers.get(b"grpc-encoding") in _IDENTITY
        and b"origin" not in headers
    )


def _lacks_trailers(headers: Mapping[bytes, bytes]) -> bool:
    """Whether a request is native gRPC whose sender cannot take the status in trailers."""
    kind = headers.get(b"content-type", b"")
    is_native = kind.startswith(b"application/grpc") and not kind.startswith(b"application/grpc-web")
    return is_native and headers.get(b"te") != b"trailers"


def _deadline_s(headers: Mapping[bytes, bytes]) -> float | None:
    """Return when the caller stops waiting, counted from now, when its headers are in; None if it says so badly."""
    try:
        return time.monotonic() + seconds_of(headers.get(b"grpc-timeout"))
    except ValueError:
        return None
