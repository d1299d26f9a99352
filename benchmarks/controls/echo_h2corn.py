"""The second control: a bare ASGI application on h2corn that answers any gRPC call with zero bytes.

It is as much as Python behind an HTTP/2 server in Rust can do. ``python -m benchmarks.controls.echo_h2corn 420 13000``
prints its address and serves the methods of ``benchmarks.controls.echo`` until it is told to stop.
"""

import asyncio
import signal
import socket
import sys
from collections.abc import Mapping, Sequence

import uvloop
from h2corn import Config, Server, _lib

from benchmarks.controls.echo import path
from server.gate.http2.asgi import Receive, Scope, Send

_HEADERS = [(b"content-type", b"application/grpc")]
_TRAILERS = [(b"grpc-status", b"0")]
_BACKLOG = 1024

# As in the gate: its announcement would stand where the address does.
_lib.emit_banner = lambda *_: None


class EchoApplication:
    """Answers each path with its bytes."""

    def __init__(self, sizes: Sequence[int]) -> None:
        self._answers: Mapping[str, bytes] = {
            path(size): b"\0" + size.to_bytes(4, "big") + bytes(size) for size in sizes
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the request and answer it."""
        while (await receive()).get("more_body"):
            continue
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS, "trailers": True})
        await send({"type": "http.response.body", "body": self._answers[scope["path"]], "more_body": False})
        await send({"type": "http.response.trailers", "headers": _TRAILERS, "more_trailers": False})


async def serve(sizes: Sequence[int]) -> None:
    """Serve on a free port of the loopback until SIGTERM."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(_BACKLOG)
        listener.settimeout(0)
        config = Config(bind=(f"fd://{listener.fileno()}",), grpc=True, access_log=False, lifespan="off")
        server = Server(EchoApplication(sizes), config)
        serving = asyncio.ensure_future(server.serve())
        await server.wait_started()
        print(f"h2corn's echo serves gRPC on 127.0.0.1:{listener.getsockname()[1]} ", flush=True)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.shutdown)
        await serving


if __name__ == "__main__":
    uvloop.run(serve([int(size) for size in sys.argv[1:]]))
