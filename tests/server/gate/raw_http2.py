"""One gRPC call by hand, over HTTP/2, with exactly the headers and bytes that a test wants."""

import socket
import struct
from typing import NamedTuple, Self

from hpack import Decoder, Encoder

_DATA, _HEADERS, _RST_STREAM, _SETTINGS, _PING, _GOAWAY = 0, 1, 3, 4, 6, 7
_END_STREAM, _END_HEADERS = 1, 4
_CANCEL = (8).to_bytes(4)


class Answer(NamedTuple):
    """Headers and trailers together, and the body."""

    headers: dict[str, str]
    body: bytes


def call_grpc(address: str, path: str, body: bytes, headers: dict[str, str] | None = None) -> Answer:
    """Send one request; a header that is "" is left out."""
    with Upload(address, path, headers) as upload:
        return upload.end(body)


class Upload:
    """One request on a connection of its own, whose headers are sent, and whose body is sent in pieces."""

    def __init__(self, address: str, path: str, headers: dict[str, str] | None = None) -> None:
        host, _, port = address.rpartition(":")
        given = {
            ":method": "POST",
            ":scheme": "http",
            ":path": path,
            ":authority": address,
            "content-type": "application/grpc",
            "te": "trailers",
            **(headers or {}),
        }
        block = Encoder().encode([(name, value) for name, value in given.items() if value])
        self._connection = socket.create_connection((host, int(port)), timeout=10)
        self._connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _frame(_SETTINGS, 0, 0, b""))
        self._connection.sendall(_frame(_HEADERS, _END_HEADERS, 1, block))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        self._connection.close()

    def send(self, piece: bytes) -> None:
        self._connection.sendall(_frame(_DATA, 0, 1, piece))

    def end(self, piece: bytes = b"") -> Answer:
        """Send the last piece, and read the answer."""
        self.send_last(piece)
        return self.answer()

    def send_last(self, piece: bytes) -> None:
        self._connection.sendall(_frame(_DATA, _END_STREAM, 1, piece))

    def answer(self) -> Answer:
        """Read the answer, which may come before the last piece is sent."""
        return _read(self._connection)


def reset_streams(address: str, path: str, body: bytes, resets: int) -> int | None:
    """Call and cancel so often on one connection; return the error that ends the connection, if one does."""
    host, _, port = address.rpartition(":")
    names = {":method": "POST", ":scheme": "http", ":path": path, ":authority": address}
    given = [*names.items(), ("content-type", "application/grpc"), ("te", "trailers")]
    # Not indexed, so that the same bytes say the same on each stream.
    block = Encoder().encode([(*field, True) for field in given])
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _frame(_SETTINGS, 0, 0, b""))
        for stream in range(1, 2 * resets, 2):
            called = _frame(_HEADERS, _END_HEADERS, stream, block) + _frame(_DATA, _END_STREAM, stream, body)
            connection.sendall(called + _frame(_RST_STREAM, 0, stream, _CANCEL))
        connection.sendall(_frame(_PING, 0, 0, bytes(8)))
        return _end_of(connection)


def _end_of(connection: socket.socket) -> int | None:
    """Return the error code of GOAWAY; None if a ping is answered instead."""
    with connection.makefile("rb") as stream:
        while True:
            head = stream.read(9)
            payload = stream.read(int.from_bytes(head[:3]))
            if head[3] == _GOAWAY:
                return int.from_bytes(payload[4:8])
            if head[3] == _PING:
                return None


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3) + struct.pack(">BBI", kind, flags, stream) + payload


def _read(connection: socket.socket) -> Answer:
    headers: dict[str, str] = {}
    decoder, body = Decoder(), b""
    with connection.makefile("rb") as stream:
        while True:
            head = stream.read(9)
            size, kind, flags = int.from_bytes(head[:3]), head[3], head[4]
            payload = stream.read(size)
            if kind == _HEADERS:
                headers |= {_text(name): _text(value) for name, value in decoder.decode(payload)}
            elif kind == _DATA:
                body += payload
            elif kind in (_RST_STREAM, _GOAWAY):
                raise ConnectionError(f"frame {kind}: {payload!r}")
            if kind in (_HEADERS, _DATA) and flags & _END_STREAM:
                return Answer(headers, body)


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
