"""connectrpc's ASGI application, with the codecs, the compression and the checks of this gate."""

from collections.abc import Mapping

from connectrpc.server import ConnectASGIApplication

from server.gate.connect.admitted import Ends
from server.gate.connect.codecs import JsonCodec, ProtoCodec
from server.gate.connect.compression import GZIP
from server.gate.connect.endpoints import AnyEndpoint


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

    @property
    def path(self) -> str:
        """Return the prefix of paths: none."""
        return ""
