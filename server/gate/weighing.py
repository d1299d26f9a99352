"""How much work a request is, from its bytes: about how many decisions it takes, counting each network as one more.

A bound for shedding, found at little cost before anything is parsed. For example a Decide for 3 networks weighs 4, and
a batch of 256 requests for 64 networks each weighs 16,640. In a batch, text that looks like a network's tag counts too.
Invariant: a message that can be parsed weighs no less than what is in it. So a form that no client library writes, but
that parsers take (groups, tags longer than need be, unknown fields in great number), weighs as much as a call may.
"""

from collections.abc import Callable

MAX_ITEMS = 256
MAX_NETWORKS = 64
_MAX_FIELDS = 256
"""Fields of one message that are looked at; no request that is served has more."""
_LEN, _VARINT, _I64, _I32 = 2, 0, 1, 5


def single(network_tag: bytes) -> Callable[[bytes], int]:
    """Return the weigher of a message that is one request; ``network_tag`` precedes each of its networks."""
    long_tag = _long_form(network_tag)

    def weigh(payload: bytes) -> int:
        if network_tag not in payload and long_tag not in payload:
            return 1
        return 1 + _occurrences(payload, network_tag[0], MAX_NETWORKS)

    return weigh


def batch(item_tag: bytes, network_tag: bytes = b"") -> Callable[[bytes], int]:
    """Return the weigher of a message whose only field, repeated, holds the requests."""
    long_tag = _long_form(network_tag) if network_tag else b""

    def weigh(payload: bytes) -> int:
        items = max(_occurrences(payload, item_tag[0], MAX_ITEMS), 1)
        networks = payload.count(network_tag) if network_tag else 0
        if network_tag and long_tag in payload:
            networks += payload.count(long_tag + b"\x00") + payload.count(long_tag + b"\x80")
        return items + min(networks, items * MAX_NETWORKS)

    return weigh


def _long_form(tag: bytes) -> bytes:
    """Return the first byte of a tag that is written longer than need be: zeros follow, as a varint may have them."""
    return bytes((tag[0] | 0x80,))


def _occurrences(payload: bytes, wanted: int, most: int) -> int:
    """Count the fields with this tag at the top of a message, up to ``most``, as far as its bytes are well formed.

    A group, or too many fields, count as ``most``: what comes behind is not looked at.
    """
    position, end, found, fields = 0, len(payload), 0, 0
    while position < end:
        fields += 1
        tag, position = _varint(payload, position)
        found += tag == wanted
        kind = tag & 7
        if fields > _MAX_FIELDS or kind not in (_LEN, _VARINT, _I64, _I32):
            return most
        if kind == _LEN:
            size, position = _varint(payload, position)
            position += size
        elif kind == _VARINT:
            _, position = _varint(payload, position)
        else:
            position += 8 if kind == _I64 else 4
    return min(found, most)


def _varint(payload: bytes, position: int) -> tuple[int, int]:
    """Return the number at a position and the position after it; what is cut short counts as zero."""
    number = shift = 0
    for byte in payload[position : position + 10]:
        position += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, position
        shift += 7
    return 0, len(payload)
