"""The segments of a dotted string: every character checked, and only those decoded that a reader comes to.

Invariant: offsets count bits from the left, and what lies beyond the end of a segment reads as zero. Nothing here
compares an offset with ``size``: readers do, once for each structure, where they know what it means.
"""

from binascii import a2b_base64

from targeting.signals.bits import to_standard
from targeting.signals.unreadable import Unreadable

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_WINDOW = 1024
_TAILS = tuple(b"A" * (12 + missing) for missing in range(4))

VALUES = bytes(max(_ALPHABET.find(code), 0) for code in range(128))
"""The six bits of each character of a segment."""


class Segment:
    """A segment with a window of decoded bits: the number ``bits``, whose last bit is the one before ``top``.

    The window begins with the segment and holds all of it, with zero bits after its end, if it is not very long.
    """

    __slots__ = ("bits", "characters", "size", "top")

    def __init__(self, characters: bytes) -> None:
        self.characters = characters
        self.size = len(characters) * 6
        if len(characters) > _WINDOW:
            self.slide(0, 0)
        else:
            quads = characters + _TAILS[-len(characters) & 3]
            self.bits = int.from_bytes(a2b_base64(quads), "big")
            self.top = len(quads) * 6

    def slide(self, offset: int, width: int) -> None:
        """Let the window begin at ``offset`` or a little before, and hold ``width`` bits or all that are left."""
        first = offset // 24 * 4
        last = first + max(_WINDOW, width // 24 * 4 + 8)
        quads = self.characters[first:last]
        if last >= len(self.characters):
            quads += _TAILS[-len(quads) & 3]
        self.bits = int.from_bytes(a2b_base64(quads), "big")
        self.top = (first + len(quads)) * 6


def split(text: str, limit: int) -> list[bytes]:
    """Split ``text`` at its dots into the characters of at most ``limit`` segments, none of them empty.

    They are in the alphabet of RFC 4648 section 4.
    """
    segments = to_standard(text).split(b".", limit)
    if len(segments) > limit:
        raise Unreadable("too many segments")
    if b"" in segments:
        raise Unreadable("an empty segment")
    return segments


def field(characters: bytes, offset: int, width: int) -> int:
    """Read the unsigned number in ``width`` bits from ``offset`` on, apart from any window."""
    first = offset // 24
    last = (offset + width + 23) // 24
    quads = characters[first * 4 : last * 4].ljust((last - first) * 4, b"A")
    return int.from_bytes(a2b_base64(quads), "big") >> (last * 24 - offset - width) & ((1 << width) - 1)
