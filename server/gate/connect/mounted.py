"""connectrpc's ASGI application, with the codecs, the compression and the checks of this gate."""

from collections.abc import Mapping
from typing import Final

from connectrpc.server import ConnectASGIApplication

from server.gate.connect.admitted import Ends
from server.gate.connect.codecs import JsonCodec, ProtoCodec
from server.gate.connect.compression import GZIP
from server.gate.connect.endpoints import AnyEndpoint
from server.gate.http2.asgi import PLAIN_TEXT, Message, Receive, Scope, Send

_UNSUPPORTED: Final = 415
_CONTENT_TYPES: Final = b"send content-type: application/json, or application/proto\n"


class Mounted(ConnectASGIApplication[None]):
    """RPCs whose uncompressed requests have one limit in bytes."""

    def __init__(self, endpoints: Mapping[str, AnyEndpoint], most_bytes: int) -> None:
        super().__init__(
            service=None,
            endpoints=lambda _: endpoints,
            read_max_bytes=most_bytes,
            compressions=[GZIP],
            codecs=[ProtoCodec(), JsonCodec()],
            interceptors=[Ends()],
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        await super().__call__(scope, receive, _explaining(send))

    @property
    def path(self) -> str:
        """Return the prefix of paths: none."""
        return ""


def _explaining(send: Send) -> Send:
    """Return a ``send`` that says what is expected where the content type is none that is taken."""
    is_unsupported = False

    async def explaining(message: Message) -> None:
        nonlocal is_unsupported
        if message["type"] == "http.response.start" and message["status"] == _UNSUPPORTED:
            is_unsupported = True
            message = {**message, "headers": [*message["headers"], PLAIN_TEXT]}
        elif is_unsupported:
            message = {**message, "body": _CONTENT_TYPES}
        await send(message)

    return explaining
