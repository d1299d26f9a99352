"""The segments of a dotted string: all characters are checked, and only the parts that a reader asks for are decoded.

Invariant: offsets count bits from the left, and bits beyond the end of a segment read as zero. Nothing here compares
an offset with the size of the segment: readers do that once per structure, where they know what it means.
"""

from binascii import a2b_base64

from targeting.signals.bits import to_standard_alphabet
from targeting.signals.unreadable import Unreadable

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_SHORT = 256
_TAILS = tuple(b"A" * (12 + missing) for missing in range(4))

SIX_BITS = bytes(max(_ALPHABET.find(code), 0) for code in range(128))
"""The six bits of each character."""


def split_segments(text: str, limit: int) -> list[bytes]:
    """Split ``text`` at its dots into at most ``limit`` segments, in the alphabet of RFC 4648 section 4.

    Raises ``Unreadable`` for an empty segment, too many segments, and other characters.
    """
    segments = to_standard_alphabet(text).split(b".", limit)
    if len(segments) > limit:
        raise Unreadable("too many segments")
    if b"" in segments:
        raise Unreadable("an empty segment")
    return segments


def decode_window(characters: bytes, offset: int, width: int) -> tuple[int, int]:
    """Decode at least ``width`` bits from ``offset`` on; return them as a number, and the offset of its end.

    A short segment is decoded whole. Zero bits are appended past the end of a segment.
    """
    if len(characters) <= _SHORT:
        quads = characters + _TAILS[-len(characters) & 3]
        return int.from_bytes(a2b_base64(quads), "big"), len(quads) * 6
    first = offset // 24 * 4
    last = first + width // 24 * 4 + 8
    quads = characters[first:last]
    if last >= len(characters):
        quads += _TAILS[-len(quads) & 3]
    return int.from_bytes(a2b_base64(quads), "big"), (first + len(quads)) * 6


def read_field(characters: bytes, offset: int, width: int) -> int:
    """Read the unsigned number in ``width`` bits from ``offset`` on."""
    first = offset // 24
    last = (offset + width + 23) // 24
    quads = characters[first * 4 : last * 4].ljust((last - first) * 4, b"A")
    return int.from_bytes(a2b_base64(quads), "big") >> (last * 24 - offset - width) & ((1 << width) - 1)
