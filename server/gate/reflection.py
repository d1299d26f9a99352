"""Server reflection for grpcurl, buf and the like: versions v1 and v1alpha, which are the same bytes on the wire."""

from collections.abc import AsyncIterator
from functools import cached_property
from typing import Any

from google.protobuf.message import DecodeError
from google.rpc import code_pb2
from grpc_reflection.v1alpha import reflection_pb2

from server.gate import health
from server.gate.methods import SERVICES
from server.gate.port import Answer, Refusal

REFLECTION_SERVICES = ("grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection")
REFLECT = tuple(f"/{service}/ServerReflectionInfo" for service in REFLECTION_SERVICES)

_UNPARSABLE = Refusal(code_pb2.INVALID_ARGUMENT, "not a valid ServerReflectionRequest message")


class Reflection:
    """Answers for the services of the contract, health and itself."""

    @cached_property
    def _servicer(self) -> Any:
        """Its answers are an asynchronous generator, whatever the published stubs say."""
        # It imports grpcio, 10 MiB, which the http2 gate does without until someone asks.
        from grpc_reflection.v1alpha import reflection  # noqa: PLC0415  # as above

        return reflection.aio.ReflectionServicer((*SERVICES, health.SERVICE, *REFLECTION_SERVICES))

    async def reflect(self, payloads: AsyncIterator[bytes]) -> AsyncIterator[Answer]:
        """Answer each question of a stream."""
        async for payload in payloads:
            try:
                question = reflection_pb2.ServerReflectionRequest.FromString(payload)
            except DecodeError:
                yield _UNPARSABLE
                return
            async for answer in self._servicer.ServerReflectionInfo(_once(question), None):
                yield answer.SerializeToString()


async def _once(
    question: reflection_pb2.ServerReflectionRequest,
) -> AsyncIterator[reflection_pb2.ServerReflectionRequest]:
    yield question
