"""The control: a bare ``grpc.aio`` server on uvloop that answers any request with a fixed number of zero bytes.

It is as much as a Python gRPC server can do: no parsing, no threads, no store.
``python -m benchmarks.controls.echo 420 13000`` prints its address and serves ``/benchmarks.Echo/420`` and
``/benchmarks.Echo/13000`` until it is told to stop.
"""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence

import grpc
import uvloop

SERVICE = "benchmarks.Echo"

Handler = Callable[[bytes, "grpc.aio.ServicerContext[bytes, bytes]"], Awaitable[bytes]]


def path(answer_bytes: int) -> str:
    """Return the method whose answer has this many bytes."""
    return f"/{SERVICE}/{answer_bytes}"


async def serve(sizes: Sequence[int]) -> None:
    """Serve one method a size of answer, on a free port of the loopback."""
    server = grpc.aio.server()
    methods: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
        str(size): grpc.unary_unary_rpc_method_handler(_answering(size)) for size in sizes
    }
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(SERVICE, methods)])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(f"echo serves gRPC on 127.0.0.1:{port} ", flush=True)
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    await told.wait()
    await server.stop(None)


def _answering(size: int) -> Handler:
    answer = bytes(size)

    async def handle(_: bytes, __: "grpc.aio.ServicerContext[bytes, bytes]") -> bytes:
        return answer

    return handle


if __name__ == "__main__":
    uvloop.run(serve([int(each) for each in sys.argv[1:]]))
