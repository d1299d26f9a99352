"""A connection of one's own to the gate: unary gRPC over HTTP/2 (RFC 9113), one call after the other.

grpcio's client would take 7.5 MiB and eight threads in every process for thirty calls a second. This one sends its
headers as literals (RFC 7541, section 6.2.2), and of an answer's headers it needs to know only where they end: a call
that succeeds has a message, any other has none.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_DATA, _HEADERS, _RST_STREAM, _SETTINGS, _PING, _GOAWAY, _WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
_END_STREAM, _ACK, _END_HEADERS = 1, 1, 4
_INITIAL_WINDOW: Final = 4
_WINDOW: Final = 65_535
_LARGEST_WINDOW: Final = (1 << 31) - 1
_FRAME_BYTES: Final = 16_384
_PREFIX_BYTES: Final = 5


class Unanswered(Exception):
    """A call that got no message. The text says why, in words of ours."""


class GateConnection:
    """Calls over an open socket. Used on one thread."""

    def __init__(self, opened: socket.socket, header: tuple[str, str]) -> None:
        """``header`` goes with every call."""
        self._socket = opened
        self._frames = opened.makefile("rb")
        self._header = _literal(*header)
        self._next_stream = 1
        # What may still be sent: of the connection, and of a stream when it begins (RFC 9113, section 6.9).
        self._window = self._stream_window = _WINDOW
        largest = _INITIAL_WINDOW.to_bytes(2) + _LARGEST_WINDOW.to_bytes(4)
        opened.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _frame(_SETTINGS, 0, 0, largest))
        self._send(_WINDOW_UPDATE, 0, 0, (_LARGEST_WINDOW - _WINDOW).to_bytes(4))
        # The other side begins with its settings.
        while self._read()[0] != _SETTINGS:
            pass

    def call(self, path: str, message: bytes) -> bytes:
        """Return the answer's message. Raises ``Unanswered``, ``OSError``."""
        stream = self._next_stream
        self._next_stream += 2
        # In the static table: :method POST, :scheme http, and the names of :path and :authority.
        block = b"\x83\x86\x04" + _text(path) + b"\x01" + _text("localhost") + _GRPC + self._header
        self._send(_HEADERS, _END_HEADERS, stream, block)
        self._send_body(stream, b"\0" + len(message).to_bytes(4) + message)
        body = self._body(stream)
        if len(body) < _PREFIX_BYTES:
            raise Unanswered("refused")
        return body[_PREFIX_BYTES:]

    def close(self) -> None:
        """Close the reading side; the socket is its maker's."""
        self._frames.close()

    def _send_body(self, stream: int, body: bytes) -> None:
        left, window = memoryview(body), self._stream_window
        while left:
            size = min(len(left), _FRAME_BYTES, self._window, window)
            if size <= 0:
                window += self._take_in(stream)
                continue
            piece, left = left[:size], left[size:]
            self._send(_DATA, 0 if left else _END_STREAM, stream, bytes(piece))
            self._window -= size
            window -= size

    def _take_in(self, stream: int) -> int:
        """Read one frame while sending; return by how much it opens the stream's window."""
        kind, _, number, payload = self._read()
        return int.from_bytes(payload) if (kind, number) == (_WINDOW_UPDATE, stream) else 0

    def _body(self, stream: int) -> bytes:
        body = b""
        while True:
            kind, flags, number, payload = self._read()
            if number == stream:
                if kind == _DATA:
                    body += payload
                if kind in {_DATA, _HEADERS} and flags & _END_STREAM:
                    return body

    def _read(self) -> tuple[int, int, int, bytes]:
        """Read a frame, and do what it asks of the connection."""
        head = self._frames.read(9)
        if len(head) < 9:
            raise Unanswered("the connection was closed")
        kind, flags, number = head[3], head[4], int.from_bytes(head[5:])
        payload = self._frames.read(int.from_bytes(head[:3]))
        if kind in {_RST_STREAM, _GOAWAY}:
            raise Unanswered("the call was cut off")
        if kind in {_SETTINGS, _PING} and not flags & _ACK:
            self._send(kind, _ACK, 0, payload if kind == _PING else b"")
        if kind == _SETTINGS and not flags & _ACK:
            settings = {payload[at : at + 2]: payload[at + 2 : at + 6] for at in range(0, len(payload), 6)}
            self._stream_window = int.from_bytes(settings.get(_INITIAL_WINDOW.to_bytes(2), _WINDOW.to_bytes(4)))
        if (kind, number) == (_WINDOW_UPDATE, 0):
            self._window += int.from_bytes(payload)
        return kind, flags, number, payload

    def _send(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        self._socket.sendall(_frame(kind, flags, stream, payload))


@contextmanager
def connected(path: str, header: tuple[str, str], timeout_s: float) -> Iterator[GateConnection]:
    """Connect to the Unix socket at ``path``; each wait lasts ``timeout_s`` at most. Raises ``OSError``."""
    with socket.socket(socket.AF_UNIX) as opened:
        opened.settimeout(timeout_s)
        opened.connect(path)
        connection = GateConnection(opened, header)
        try:
            yield connection
        finally:
            connection.close()


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3) + bytes((kind, flags)) + stream.to_bytes(4) + payload


def _literal(name: str, value: str) -> bytes:
    return b"\0" + _text(name) + _text(value)


def _text(value: str) -> bytes:
    """Return a string without Huffman code, of at most 126 bytes."""
    encoded = value.encode("ascii")
    if len(encoded) >= 0x7F:
        raise ValueError("a header of 127 bytes or more needs a longer form of its length")
    return bytes((len(encoded),)) + encoded


_GRPC: Final = _literal("content-type", "application/grpc") + _literal("te", "trailers")
