"""How much work a request is, from its bytes: about how many decisions it takes, counting each network as one more.

A bound for shedding, found at little cost before anything is parsed. For example a Decide for 3 networks weighs 4, and
a batch of 256 requests for 64 networks each weighs 16,640. In a batch, text that looks like a network's tag counts too.
"""

from collections.abc import Callable

MAX_ITEMS = 256
MAX_NETWORKS = 64
_MAX_FIELDS = 256
"""Fields of one message that are looked at; no request that is served has more."""
_LEN, _VARINT, _I64, _I32 = 2, 0, 1, 5


def single(network_tag: bytes) -> Callable[[bytes], int]:
    """Return the weigher of a message that is one request; ``network_tag`` precedes each of its networks."""

    def weigh(payload: bytes) -> int:
        if network_tag not in payload:
            return 1
        return 1 + min(_occurrences(payload, network_tag[0]), MAX_NETWORKS)

    return weigh


def batch(item_tag: bytes, network_tag: bytes = b"") -> Callable[[bytes], int]:
    """Return the weigher of a message whose only field, repeated, holds the requests."""

    def weigh(payload: bytes) -> int:
        items = min(max(_occurrences(payload, item_tag[0]), 1), MAX_ITEMS)
        networks = payload.count(network_tag) if network_tag else 0
        return items + min(networks, items * MAX_NETWORKS)

    return weigh


def _occurrences(payload: bytes, wanted: int) -> int:
    """Count the fields with this tag at the top of a message, as far as its bytes are well formed."""
    position, end, found, fields = 0, len(payload), 0, 0
    while position < end and fields < _MAX_FIELDS:
        fields += 1
        tag = payload[position]
        found += tag == wanted
        number, position = _varint(payload, position)
        kind = number & 7
        if kind == _LEN:
            size, position = _varint(payload, position)
            position += size
        elif kind == _VARINT:
            _, position = _varint(payload, position)
        elif kind in (_I64, _I32):
            position += 8 if kind == _I64 else 4
        else:
            break
    return found


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
