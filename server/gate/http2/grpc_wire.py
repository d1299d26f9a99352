"""gRPC over HTTP/2, as far as a plain unary call needs it (the protocol's PROTOCOL-HTTP2.md).

One message, prefixed by a flag and its length; the deadline in a header; the status in trailers, or in the headers
of a response that has no body ("Trailers-Only").
"""

import math
import re
from base64 import b64encode
from functools import lru_cache
from typing import Final

from server.gate.http2.asgi import Headers, Send, respond
from server.gate.port import Refusal

CONTENT_TYPES: Final = frozenset((b"application/grpc", b"application/grpc+proto"))
PREFIX_BYTES: Final = 5

_TIMEOUT: Final = re.compile(rb"([0-9]{1,8})([HMSmun])")
_UNITS_S: Final = {b"H": 3600.0, b"M": 60.0, b"S": 1.0, b"m": 1e-3, b"u": 1e-6, b"n": 1e-9}
_UNESCAPED: Final = frozenset(range(0x20, 0x7F)) - {0x25}
_START: Final = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/grpc")],
    "trailers": True,
}
_END: Final = {"type": "http.response.trailers", "headers": [(b"grpc-status", b"0")], "more_trailers": False}


def seconds_of(timeout: bytes | None) -> float:
    """Return the seconds of a ``grpc-timeout`` (such as ``25m``), infinity without one. Raises ``ValueError``."""
    if timeout is None:
        return math.inf
    match = _TIMEOUT.fullmatch(timeout)
    if match is None:
        raise ValueError("not a grpc-timeout")
    return int(match[1]) * _UNITS_S[match[2]]


def message_of(body: bytes) -> bytes:
    """Return the one uncompressed message in a body. Raises ``ValueError`` for anything else, such as a second one."""
    if len(body) < PREFIX_BYTES or int.from_bytes(body[1:PREFIX_BYTES]) != len(body) - PREFIX_BYTES or body[0]:
        raise ValueError("not one gRPC message")
    return body[PREFIX_BYTES:]


async def send_message(send: Send, message: bytes) -> None:
    """Send the answer to a unary call."""
    await send(_START)
    prefixed = b"\0" + len(message).to_bytes(4) + message
    await send({"type": "http.response.body", "body": prefixed, "more_body": False})
    await send(_END)


async def send_refusal(send: Send, refusal: Refusal) -> None:
    """Send an error: a response without a body, the status in its headers."""
    await respond(send, 200, _headers_of(refusal))


# Under overload the same few refusals are sent over and over.
@lru_cache(maxsize=256)
def _headers_of(refusal: Refusal) -> Headers:
    headers = [
        (b"content-type", b"application/grpc"),
        (b"grpc-status", b"%d" % refusal.code),
        (b"grpc-message", percent_encoded(refusal.message)),
    ]
    if refusal.status:
        headers.append((b"grpc-status-details-bin", b64encode(refusal.status).rstrip(b"=")))
    return headers


def percent_encoded(text: str) -> bytes:
    """Return a message as ``grpc-message`` carries it: UTF-8, everything but printable ASCII escaped, and ``%``."""
    return b"".join(bytes((byte,)) if byte in _UNESCAPED else b"%%%02X" % byte for byte in text.encode())
