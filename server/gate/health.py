"""The health of the services, as grpc.health.v1 asks for it: Check, List and Watch, bytes in and bytes out.

Every gate mounts it. Used on the thread of the gate's event loop. Follows the gRPC health checking protocol: an unknown
service is NOT_FOUND to Check and SERVICE_UNKNOWN to Watch.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass
from google.rpc import code_pb2
from grpc_health.v1 import health_pb2

from server.gate.port import HEALTH_CHECKED, Answer, Refusal

CHECK = "/grpc.health.v1.Health/Check"
LIST = "/grpc.health.v1.Health/List"
WATCH = "/grpc.health.v1.Health/Watch"
SERVICE = "grpc.health.v1.Health"

_Response = health_pb2.HealthCheckResponse
_TYPES: Mapping[str, Any] = health_pb2.DESCRIPTOR.message_types_by_name
ListRequest: type[Any] = GetMessageClass(_TYPES["HealthListRequest"])
ListResponse: type[Any] = GetMessageClass(_TYPES["HealthListResponse"])
"""Types that the published stubs do not know yet."""

_UNKNOWN = Refusal(code_pb2.NOT_FOUND, "unknown service")
_UNPARSABLE = Refusal(code_pb2.INVALID_ARGUMENT, "not a valid grpc.health.v1.HealthCheckRequest message")


class HealthBoard:
    """The status of each service, and its watchers."""

    def __init__(self) -> None:
        self._serving = dict.fromkeys(HEALTH_CHECKED, False)
        self._changed = asyncio.Event()
        self._is_final = False

    def set(self, service: str, *, serving: bool) -> None:
        """Report a service as SERVING or NOT_SERVING."""
        if not self._is_final:
            self._serving[service] = serving
            self._announce()

    def close(self) -> None:
        """Report every service as NOT_SERVING, for good."""
        self._serving = dict.fromkeys(self._serving, False)
        self._is_final = True
        self._announce()

    async def check(self, payload: bytes) -> Answer:
        """Answer Check."""
        try:
            service = health_pb2.HealthCheckRequest.FromString(payload).service
        except DecodeError:
            return _UNPARSABLE
        if service not in self._serving:
            return _UNKNOWN
        return _Response(status=self._status(service)).SerializeToString()

    async def list(self, _: bytes) -> Answer:
        """Answer List."""
        statuses = {service: _Response(status=self._status(service)) for service in self._serving}
        listed: bytes = ListResponse(statuses=statuses).SerializeToString()
        return listed

    async def watch(self, payload: bytes) -> AsyncIterator[Answer]:
        """Answer Watch: the status now, and each time it changes."""
        try:
            service = health_pb2.HealthCheckRequest.FromString(payload).service
        except DecodeError:
            yield _UNPARSABLE
            return
        told = None
        while True:
            changed, status = self._changed, self._status(service)
            if status != told:
                told = status
                yield _Response(status=status).SerializeToString()
            await changed.wait()

    def _status(self, service: str) -> int:
        if service not in self._serving:
            return _Response.SERVICE_UNKNOWN
        return _Response.SERVING if self._serving[service] else _Response.NOT_SERVING

    def _announce(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
