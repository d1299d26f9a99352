"""The ASGI application for everything that is not plain gRPC: the RPCs of the contract, health and reflection."""

from collections.abc import Mapping
from typing import Final

from google.rpc import code_pb2
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from server.gate import health, reflection
from server.gate.connect.admitted import ADMITTED, AdmittedRequest
from server.gate.connect.contract_calls import ContractCalls
from server.gate.connect.endpoints import AnyEndpoint, info_of, stream_endpoint, stream_stream_endpoint, unary_endpoint
from server.gate.connect.guard import guarded
from server.gate.connect.mounted import Mounted
from server.gate.entrance import Entrance
from server.gate.health import HealthBoard
from server.gate.http2.asgi import PLAIN_TEXT, Application, Receive, Scope, Send, respond
from server.gate.http2.grpc_wire import send_refusal
from server.gate.http2.intake import Intake
from server.gate.http2.limits import AllowedNames
from server.gate.methods import METHODS
from server.gate.port import Method, Refusal
from server.security.caller import ANONYMOUS
from server.security.http_credentials import presented_in

_METHODS: Final[Mapping[str, Method]] = {method.path: method for method in METHODS}
_STANDARD_BYTES: Final = 16 * 1024
_UNIMPLEMENTED: Final = Refusal(code_pb2.UNIMPLEMENTED, "unknown RPC")
_NO_PATH: Final = b"no RPC has this path; one is /adtargeting.v1.TargetingService/Decide\n"
_KEPT_OUT: Final = {
    status: Refusal(code, "")
    for status, code in (
        (421, code_pb2.PERMISSION_DENIED),
        (403, code_pb2.PERMISSION_DENIED),
        (405, code_pb2.UNIMPLEMENTED),
    )
}
"""How a call counts that the checks for browsers keep out, by HTTP status."""


class ConnectApplication:
    """Serves what is not on the fast path, behind the checks for browsers."""

    def __init__(self, intake: Intake, entrance: Entrance, board: HealthBoard, allowed: AllowedNames) -> None:
        self._lanes = intake.lanes
        self._entrance = entrance
        self._calls = ContractCalls(intake)
        endpoints = _standard_endpoints(board)
        self._standard: Mapping[str, Application] = dict.fromkeys(endpoints, Mounted(endpoints, _STANDARD_BYTES))
        self._guarded = guarded(self._dispatch, allowed, self._count_kept_out)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            await self._guarded(scope, receive, send)

    async def _dispatch(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        admitted = await self._entrance.admit_to(path, presented_in(scope))
        if (method := _METHODS.get(path)) is not None:
            await self._calls.serve(method, admitted, scope, receive, send)
            return
        ADMITTED.set(AdmittedRequest(admitted))
        await self._standard.get(path, _unknown)(scope, receive, send)

    def _count_kept_out(self, path: str, status: int) -> None:
        if (method := _METHODS.get(path)) is not None:
            self._lanes.end(method, _KEPT_OUT[status], ANONYMOUS)


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
        await respond(send, 404, [PLAIN_TEXT], _NO_PATH)
