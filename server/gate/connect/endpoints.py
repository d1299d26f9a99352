"""RPCs as connectrpc mounts them: bytes in, bytes out, refusals as its errors."""

import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeAlias

from connectrpc.method import IdempotencyLevel, MethodInfo, StreamType
from connectrpc.request import RequestContext
from connectrpc.server import Endpoint
from google.protobuf.message import Message

from server.gate.connect.admitted import ADMITTED
from server.gate.connect.codecs import Body, Form
from server.gate.connect.codes import accepted, error_of
from server.gate.connect.compression import wants_gzip
from server.gate.http2.intake import Intake
from server.gate.methods import messages_of
from server.gate.port import Answer, Call, Method

AnyEndpoint: TypeAlias = Any
"""One of connectrpc's endpoints; they have no common public type."""

_Context: TypeAlias = RequestContext[Body, Body]
_Info: TypeAlias = MethodInfo[Any, Any]


def info_of(path: str, request: type[Message], response: type[Message]) -> _Info:
    """Return the description of an RPC. None is declared free of side effects, so none can be called by GET."""
    _, service, name = path.split("/")
    return MethodInfo(
        name=name,
        service_name=service,
        input=request,
        output=response,
        idempotency_level=IdempotencyLevel.UNKNOWN,
        stream_type=StreamType.UNARY,
    )


def call_endpoint(intake: Intake, method: Method) -> AnyEndpoint:
    """Return the endpoint of an RPC of the contract."""
    info = info_of(method.path, *messages_of(method))
    lanes, conversions = intake.lanes, intake.conversions

    async def serve(request: Body, context: _Context) -> Body:
        admitted, deadline_s = ADMITTED.get(), _deadline_s(context)
        caller = admitted.caller
        if (cause := conversions.cause_against(method, caller.share)) is not None:
            admitted.is_counted = True
            raise error_of(lanes.refuse(method, cause, caller))
        with conversions.place(method, caller.share):
            payload = accepted(await conversions.read(method, request))
            call = Call(method, payload, admitted.arrived_s, deadline_s, caller)
            admitted.is_counted = True
            answer = accepted(await lanes.serve(call))
            form = Form(request.is_json, wants_gzip(context.request_headers))
            return await conversions.write(method, info.output, answer, form)

    return Endpoint.unary(info, serve)


def unary_endpoint(info: _Info, answer_to: Callable[[bytes], Awaitable[Answer]]) -> AnyEndpoint:
    """Return the endpoint of a unary RPC."""

    async def serve(request: Body, _: _Context) -> Body:
        return Body(info.output, accepted(await answer_to(accepted(request.serialised()))))

    return Endpoint.unary(info, serve)


def stream_endpoint(info: _Info, answers_to: Callable[[bytes], AsyncIterator[Answer]]) -> AnyEndpoint:
    """Return the endpoint of an RPC that answers with a stream."""

    async def serve(request: Body, _: _Context) -> AsyncIterator[Body]:
        async for answer in answers_to(accepted(request.serialised())):
            yield Body(info.output, accepted(answer))

    return Endpoint.server_stream(info, serve)


def stream_stream_endpoint(
    info: _Info, answers_to: Callable[[AsyncIterator[bytes]], AsyncIterator[Answer]]
) -> AnyEndpoint:
    """Return the endpoint of an RPC with streams both ways."""

    async def serve(requests: AsyncIterator[Body], _: _Context) -> AsyncIterator[Body]:
        async for answer in answers_to(accepted(request.serialised()) async for request in requests):
            yield Body(info.output, accepted(answer))

    return Endpoint.bidi_stream(info, serve)


def _deadline_s(context: _Context) -> float:
    """Return when the caller stops waiting: connectrpc counts from when the headers were in."""
    timeout_ms = context.timeout_ms
    return math.inf if timeout_ms is None else time.monotonic() + timeout_ms / 1000
