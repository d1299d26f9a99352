"""connectrpc's ASGI applications for the RPCs of the contract, health and reflection, all on the lanes of the gate."""

from collections.abc import Mapping
from itertools import groupby

from connectrpc.server import ConnectASGIApplication
from google.rpc import code_pb2
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from server.gate import health, reflection
from server.gate.connect.admitted import ADMITTED, RefuseDenied
from server.gate.connect.codecs import JsonCodec, ProtoCodec
from server.gate.connect.compression import Gzip
from server.gate.connect.endpoints import (
    AnyEndpoint,
    call_endpoint,
    info_of,
    stream_endpoint,
    stream_stream_endpoint,
    unary_endpoint,
)
from server.gate.connect.guard import guarded
from server.gate.entrance import Entrance
from server.gate.health import HealthBoard
from server.gate.http2.asgi import Application, Receive, Scope, Send, respond
from server.gate.http2.grpc_wire import send_refusal
from server.gate.http2.limits import AllowedNames
from server.gate.lanes import Lanes
from server.gate.methods import METHODS
from server.gate.port import Method, Refusal
from server.security.http_credentials import presented_in

_STANDARD_BYTES = 16 * 1024
_UNIMPLEMENTED = Refusal(code_pb2.UNIMPLEMENTED, "unknown RPC")


class _Mounted(ConnectASGIApplication[None]):
    """RPCs whose uncompressed requests have one limit in bytes."""

    def __init__(self, endpoints: Mapping[str, AnyEndpoint], most_bytes: int) -> None:
        super().__init__(
            service=None,
            endpoints=lambda _: endpoints,
            read_max_bytes=most_bytes,
            compressions=[Gzip()],
            codecs=[ProtoCodec(), JsonCodec()],
            interceptors=[RefuseDenied()],
        )

    @property
    def path(self) -> str:
        """Return the prefix of paths: none."""
        return ""


class ConnectApplication:
    """Serves what is not on the fast path, behind the checks for browsers."""

    def __init__(self, lanes: Lanes, entrance: Entrance, board: HealthBoard, allowed: AllowedNames) -> None:
        self._entrance = entrance
        self._by_path: dict[str, Application] = {}
        for most_bytes, methods in groupby(sorted(METHODS, key=_most_bytes), _most_bytes):
            self._mount({method.path: call_endpoint(lanes, method) for method in methods}, most_bytes)
        self._mount(_standard_endpoints(board), _STANDARD_BYTES)
        self._guarded = guarded(self._dispatch, allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            await self._guarded(scope, receive, send)

    async def _dispatch(self, scope: Scope, receive: Receive, send: Send) -> None:
        application = self._by_path.get(scope["path"], _unknown)
        ADMITTED.set(await self._entrance.admit_to(scope["path"], presented_in(scope)))
        await application(scope, receive, send)

    def _mount(self, endpoints: Mapping[str, AnyEndpoint], most_bytes: int) -> None:
        self._by_path |= dict.fromkeys(endpoints, _Mounted(endpoints, most_bytes))


def _most_bytes(method: Method) -> int:
    return method.max_bytes


def _standard_endpoints(board: HealthBoard) -> dict[str, AnyEndpoint]:
    check, status = health_pb2.HealthCheckRequest, health_pb2.HealthCheckResponse
    listing = health.ListRequest, health.ListResponse
    asked, told = reflection_pb2.ServerReflectionRequest, reflection_pb2.ServerReflectionResponse
    reflect = reflection.Reflection().reflect
    return {
        health.CHECK: unary_endpoint(info_of(health.CHECK, check, status), board.check),
        health.LIST: unary_endpoint(info_of(health.LIST, *listing), board.list),
        health.WATCH: stream_endpoint(info_of(health.WATCH, check, status), board.watch),
        **{path: stream_stream_endpoint(info_of(path, asked, told), reflect) for path in reflection.REFLECT},
    }


async def _unknown(scope: Scope, _: Receive, send: Send) -> None:
    """Answer for a path that is not there: UNIMPLEMENTED to gRPC, 404 to others."""
    content_type = dict(scope["headers"]).get(b"content-type", b"")
    if content_type.startswith(b"application/grpc") and not content_type.startswith(b"application/grpc-web"):
        await send_refusal(send, _UNIMPLEMENTED)
    else:
        await respond(send, 404, [(b"content-type", b"text/plain; charset=utf-8")])
