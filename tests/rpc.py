"""The standard services of gRPC, typed: health (grpc.health.v1) and reflection (grpc.reflection.v1alpha, v1)."""

import grpc
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2


def health(channel: grpc.Channel, service: str = "") -> str:
    """The name of a service's status."""
    check: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary("/grpc.health.v1.Health/Check")
    answer = check(health_pb2.HealthCheckRequest(service=service).SerializeToString(), timeout=5)
    status = health_pb2.HealthCheckResponse.FromString(answer).status
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(status))


def reflected_services(
    channel: grpc.Channel,
    path: str = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    metadata: tuple[tuple[str, str], ...] = (),
) -> set[str]:
    """The names that reflection lists."""
    call: grpc.StreamStreamMultiCallable[bytes, bytes] = channel.stream_stream(path)
    request = reflection_pb2.ServerReflectionRequest(list_services="").SerializeToString()
    (answer,) = call(iter([request]), timeout=5, metadata=metadata)
    listed = reflection_pb2.ServerReflectionResponse.FromString(answer).list_services_response.service
    return {service.name for service in listed}
