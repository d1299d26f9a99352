"""The few HTTP/2 frames of a client that repeats one gRPC call (RFC 9113, RFC 7541). No I/O.

Every call has the same header block, made once without a dynamic table, so a call costs the client one ``bytes.join``.
"""

from collections.abc import Iterator
from struct import Struct
from typing import Final, NamedTuple

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM, ACK, END_HEADERS = 1, 1, 4
MAX_STREAMS_SETTING, INITIAL_WINDOW_SETTING, FRAME_SIZE_SETTING = 3, 4, 5

_HEAD: Final = Struct(">HBBBL")
"""Length in 16 + 8 bits, type, flags, stream."""
_SETTING: Final = Struct(">HL")
_LARGEST_WINDOW: Final = (1 << 31) - 1
_DEFAULT_WINDOW: Final = 65_535
_FRAME_BYTES: Final = 16_384

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


class Frame(NamedTuple):
    """One frame."""

    kind: int
    flags: int
    stream: int
    payload: bytes


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """Return the bytes of a frame (RFC 9113, section 4.1)."""
    length = len(payload)
    return _HEAD.pack(length >> 8, length & 0xFF, kind, flags, stream) + payload


def opening() -> bytes:
    """Return what a client sends first: its preface, and windows that never close (section 6.9)."""
    settings = frame(SETTINGS, 0, 0, _SETTING.pack(INITIAL_WINDOW_SETTING, _LARGEST_WINDOW))
    return PREFACE + settings + window_update(_LARGEST_WINDOW - _DEFAULT_WINDOW)


def window_update(octets: int) -> bytes:
    """Return a frame that opens the connection's receive window by a number of octets."""
    return frame(WINDOW_UPDATE, 0, 0, octets.to_bytes(4, "big"))


def settings_of(payload: bytes) -> dict[int, int]:
    """Return the settings of a frame (section 6.5.1)."""
    return dict(_SETTING.iter_unpack(payload))


class CallTemplate:
    """One call, whose bytes differ from stream to stream in the stream's number alone."""

    def __init__(self, authority: str, path: str, message: bytes, timeout_ms: int = 0) -> None:
        """``message`` is the request with its gRPC prefix; ``timeout_ms`` 0 sends no deadline."""
        block = _header_block(authority, path, timeout_ms)
        self._before = _head(HEADERS, END_HEADERS, len(block))
        pieces = [message[start : start + _FRAME_BYTES] for start in range(0, len(message), _FRAME_BYTES)]
        flags = [0] * (len(pieces) - 1) + [END_STREAM]
        data = [_head(DATA, flag, len(piece)) for flag, piece in zip(flags, pieces, strict=True)]
        self._parts = list(zip([block, *pieces], [*data, b""], strict=True))
        self.octets = len(message)
        """What it takes of the send windows."""

    def on(self, stream: int) -> bytes:
        """Return the call's frames on a stream."""
        number = stream.to_bytes(4, "big")
        return self._before + b"".join(number + payload + (head or b"") for payload, head in self._parts)


class FrameReader:
    """Cuts what is received into frames."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, received: bytes) -> Iterator[Frame]:
        """Return the frames that are whole; the rest is kept."""
        buffer, start = self._rest + received, 0
        while len(buffer) - start >= _HEAD.size:
            high, low, kind, flags, stream = _HEAD.unpack_from(buffer, start)
            end = start + _HEAD.size + (high << 8) + low
            if end > len(buffer):
                break
            yield Frame(kind, flags, stream, buffer[start + _HEAD.size : end])
            start = end
        self._rest = buffer[start:]


def _head(kind: int, flags: int, length: int) -> bytes:
    """Return a frame's head without its stream."""
    return _HEAD.pack(length >> 8, length & 0xFF, kind, flags, 0)[:5]


def _header_block(authority: str, path: str, timeout_ms: int) -> bytes:
    """Return the headers of a gRPC call: static table, literals without indexing, no Huffman code (RFC 7541)."""
    headers = [
        b"\x83\x86",  # :method POST, :scheme http
        b"\x04" + _text(path),
        b"\x01" + _text(authority),
        b"\x0f\x10" + _text("application/grpc"),
        b"\x00" + _text("te") + _text("trailers"),
    ]
    if timeout_ms:
        headers.append(b"\x00" + _text("grpc-timeout") + _text(f"{timeout_ms}m"))
    return b"".join(headers)


def _text(value: str) -> bytes:
    encoded = value.encode("ascii")
    if len(encoded) >= 0x7F:
        raise ValueError("a header of 127 bytes or more needs a longer form of its length")
    return bytes([len(encoded)]) + encoded
