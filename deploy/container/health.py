"""Exit with 0 while the service decides: ``health.py``. Asks ``grpc.health.v1`` at ``ADTARGETING_GRPC_ADDRESS``."""

import os
import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

SERVICE = "adtargeting.v1.TargetingService"
TIMEOUT_S = 2.0


def main() -> int:
    """Return 0 if the service reports SERVING, else 1."""
    address = os.environ.get("ADTARGETING_GRPC_ADDRESS", "127.0.0.1:50051").replace("0.0.0.0:", "127.0.0.1:")
    with grpc.insecure_channel(address, [("grpc.enable_http_proxy", 0)]) as channel:
        request = health_pb2.HealthCheckRequest(service=SERVICE)
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(request, timeout=TIMEOUT_S)
        except grpc.RpcError as problem:
            sys.stderr.write(f"{address}: {problem.code().name}\n")
            return 1
    return 0 if answer.status == health_pb2.HealthCheckResponse.SERVING else 1


if __name__ == "__main__":
    sys.exit(main())
