"""RPCs as connectrpc mounts them: bytes in, bytes out, refusals as its errors."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeAlias

from connectrpc.errors import ConnectError, ErrorDetail
from connectrpc.method import IdempotencyLevel, MethodInfo, StreamType
from connectrpc.request import RequestContext
from connectrpc.server import Endpoint
from google.protobuf.message import Message
from google.rpc import status_pb2
from protobuf.wkt import Any as PackedDetail

from server.gate.connect.admitted import admitted_caller
from server.gate.connect.codecs import Body
from server.gate.connect.codes import CODES
from server.gate.lanes import Lanes
from server.gate.methods import messages_of
from server.gate.port import Answer, Method, Refusal

AnyEndpoint: TypeAlias = Any
"""One of connectrpc's endpoints; they have no common public type."""

_Context: TypeAlias = RequestContext[Body, Body]
_Info: TypeAlias = MethodInfo[Any, Any]
_INLINE_JSON_BYTES = 2048
"""Longer JSON is parsed by a thread, so that the event loop goes on with other calls."""


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


def call_endpoint(lanes: Lanes, method: Method) -> AnyEndpoint:
    """Return the endpoint of an RPC of the contract."""
    info = info_of(method.path, *messages_of(method))

    async def serve(request: Body, context: _Context) -> Body:
        payload = await _serialised(request)
        timeout_ms = context.timeout_ms
        deadline_s = math.inf if timeout_ms is None else time.monotonic() + timeout_ms / 1000
        answer = await lanes.serve(method, payload, deadline_s, admitted_caller())
        return Body(info.output, _accepted(answer))

    return Endpoint.unary(info, serve)


def unary_endpoint(info: _Info, answer_to: Callable[[bytes], Awaitable[Answer]]) -> AnyEndpoint:
    """Return the endpoint of a unary RPC."""

    async def serve(request: Body, _: _Context) -> Body:
        return Body(info.output, _accepted(await answer_to(request.serialised())))

    return Endpoint.unary(info, serve)


def stream_endpoint(info: _Info, answers_to: Callable[[bytes], AsyncIterator[Answer]]) -> AnyEndpoint:
    """Return the endpoint of an RPC that answers with a stream."""

    async def serve(request: Body, _: _Context) -> AsyncIterator[Body]:
        async for answer in answers_to(request.serialised()):
            yield Body(info.output, _accepted(answer))

    return Endpoint.server_stream(info, serve)


def stream_stream_endpoint(
    info: _Info, answers_to: Callable[[AsyncIterator[bytes]], AsyncIterator[Answer]]
) -> AnyEndpoint:
    """Return the endpoint of an RPC with streams both ways."""

    async def serve(requests: AsyncIterator[Body], _: _Context) -> AsyncIterator[Body]:
        async for answer in answers_to(request.serialised() async for request in requests):
            yield Body(info.output, _accepted(answer))

    return Endpoint.bidi_stream(info, serve)


async def _serialised(request: Body) -> bytes:
    if request.is_json and len(request.data) > _INLINE_JSON_BYTES:
        return await asyncio.to_thread(request.serialised)
    return request.serialised()


def _accepted(answer: Answer) -> bytes:
    """Return an answer's bytes; raise a refusal as connectrpc has it."""
    if not isinstance(answer, Refusal):
        return answer
    details = status_pb2.Status.FromString(answer.status).details
    packed = [ErrorDetail(PackedDetail(type_url=each.type_url, value=each.value)) for each in details]
    raise ConnectError(CODES[answer.code], answer.message, packed)
