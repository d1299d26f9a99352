"""gzip whose work connectrpc does not do: it packs and unpacks on the event loop.

It is handed a request's packed bytes as they are, and an answer that was packed before. Errors are ours: those of zlib
would reach the caller.
"""

from collections.abc import Mapping
from typing import Final, TypeAlias

from connectrpc.compression.gzip import GzipCompression
from connectrpc.errors import ConnectError
from google.rpc import code_pb2

from server.gate.port import Answer, Refusal

_Bytes: TypeAlias = "bytes | bytearray | memoryview[int]"
_NAMES: Final = ("gzip", "identity")
_TOO_LARGE: Final = Refusal(code_pb2.RESOURCE_EXHAUSTED, "the request is larger than this RPC takes")
_NO_GZIP: Final = Refusal(code_pb2.INVALID_ARGUMENT, "the request is not valid gzip")


class Packed(bytes):
    """A request's bytes, still compressed."""

    most_bytes: int | None = None
    """How many the message may have."""


class Prepacked(bytes):
    """An answer's bytes, with the compressed ones."""

    packed: bytes


class Gzip(GzipCompression):
    """connectrpc's gzip, bounded by the size that an RPC takes."""

    def decompress(self, data: _Bytes, read_max_bytes: int | None = None) -> Packed:
        """Return the bytes as they are, for ``unpack``."""
        packed = Packed(data)
        packed.most_bytes = read_max_bytes
        return packed

    def unpack(self, packed: Packed) -> Answer:
        """Return the message's bytes, or a refusal."""
        try:
            return super().decompress(packed, packed.most_bytes)
        except ConnectError:
            return _TOO_LARGE
        except Exception:  # noqa: BLE001  # whatever it is, it is about the caller's bytes
            return _NO_GZIP

    def compress(self, data: _Bytes) -> bytes:
        """Return an answer's compressed bytes."""
        return data.packed if isinstance(data, Prepacked) else super().compress(data)

    def prepack(self, data: bytes) -> Prepacked:
        """Return an answer with its compressed bytes."""
        prepacked = Prepacked(data)
        prepacked.packed = super().compress(data)
        return prepacked


GZIP: Final = Gzip()


def wants_gzip(headers: Mapping[str, str]) -> bool:
    """Whether connectrpc will compress the answer: it takes the first name that the caller lists and it knows."""
    is_grpc = headers.get("content-type", "").startswith("application/grpc")
    listed = headers.get("grpc-accept-encoding" if is_grpc else "accept-encoding", "").split(",")
    return next((name for name in map(str.strip, listed) if name in _NAMES), "") == GZIP.name()
