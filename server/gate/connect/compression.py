"""gzip for requests and answers, whose errors are ours: those of zlib would reach the caller."""

from connectrpc.code import Code
from connectrpc.compression.gzip import GzipCompression
from connectrpc.errors import ConnectError


class Gzip(GzipCompression):
    """connectrpc's gzip, bounded by the size that an RPC takes."""

    def decompress(self, data: "bytes | bytearray | memoryview[int]", read_max_bytes: int | None = None) -> bytes:
        """Return the bytes. Raises ``ConnectError``."""
        try:
            return super().decompress(data, read_max_bytes)
        except ConnectError:
            raise ConnectError(Code.RESOURCE_EXHAUSTED, "the request is larger than this RPC takes") from None
        except Exception:  # noqa: BLE001  # whatever it is, it is about the caller's bytes
            raise ConnectError(Code.INVALID_ARGUMENT, "the request is not valid gzip") from None
