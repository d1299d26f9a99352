"""Bits of a base64url text, six per character: TC strings and GPP sections.

Both standards write their fields big-endian, without byte boundaries, in the URL-safe alphabet of RFC 4648
section 5 and without padding characters, so the text holds exactly ``6 * len(text)`` bits.

Invariant: a character outside the alphabet and a read past the last bit are ``Unreadable``, never ignored and never
read as zeros. Knows nothing of the fields that its callers read.
"""

from binascii import a2b_base64

from targeting.signals.unreadable import Unreadable

MAX_LENGTH = 32_768
"""Characters of the longest text that is read. A longer one is unreadable."""

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_ILLEGAL = 0xFF
_TO_STANDARD = bytes(
    {ord("-"): ord("+"), ord("_"): ord("/")}.get(code, code) if code in _ALPHABET + b"." else _ILLEGAL
    for code in range(256)
)
_PADDING = (b"", b"AAA", b"AA", b"A")
"""Fills up a group of four characters. Zero bits keep the bits of the last characters, which "=" would drop."""


def to_standard_alphabet(text: str) -> bytes:
    """Return ``text`` in the alphabet of RFC 4648 section 4; dots, the separators, stay.

    Raises ``Unreadable`` for an empty or too long text and for any other character.
    """
    if not 0 < len(text) <= MAX_LENGTH:
        raise Unreadable("too long" if text else "empty")
    try:
        standard = text.encode("ascii").translate(_TO_STANDARD)
    except UnicodeEncodeError:
        raise Unreadable("a character outside the base64url alphabet") from None
    if not standard.isascii():
        raise Unreadable("a character outside the base64url alphabet")
    return standard


def to_bytes(text: str) -> bytes:
    """Return the bits of ``text``, padded with zero bits to a multiple of 24."""
    standard = to_standard_alphabet(text)
    try:
        return a2b_base64(standard + _PADDING[len(standard) & 3], strict_mode=True)
    except ValueError:
        raise Unreadable("a dot inside a segment") from None


class Bits:
    """Random access to the bits of one text.

    ``length`` is the number of bits; ``data`` holds them from the highest bit of the first byte on, padded with zero
    bits. Offsets count from 0 at the left.
    """

    __slots__ = ("data", "length")

    def __init__(self, text: str) -> None:
        self.data = to_bytes(text)
        self.length = len(text) * 6

    def uint(self, offset: int, width: int) -> int:
        """Read the unsigned big-endian number in ``width`` bits from ``offset`` on, in O(width)."""
        end = offset + width
        if offset < 0 or width < 0 or end > self.length:
            raise Unreadable("ends inside a field")
        window = int.from_bytes(self.data[offset >> 3 : (end + 7) >> 3], "big")
        return (window >> (-end & 7)) & ((1 << width) - 1)

    def bit(self, offset: int) -> bool:
        """Read the one bit at ``offset``."""
        if not 0 <= offset < self.length:
            raise Unreadable("ends inside a field")
        return self.data[offset >> 3] & (0x80 >> (offset & 7)) != 0

    def reader(self, offset: int = 0) -> "BitReader":
        """Return a reader that starts at ``offset``."""
        return BitReader(self, offset)


class BitReader:
    """Reads the fields of ``bits`` in sequence; ``position`` is the offset of the next one."""

    __slots__ = ("bits", "position")

    def __init__(self, bits: Bits, position: int = 0) -> None:
        self.bits = bits
        self.position = position

    @property
    def remaining(self) -> int:
        """The number of bits not yet read."""
        return self.bits.length - self.position

    def uint(self, width: int) -> int:
        """Read the next ``width`` bits as an unsigned number."""
        value = self.bits.uint(self.position, width)
        self.position += width
        return value

    def bit(self) -> bool:
        """Read the next bit."""
        value = self.bits.bit(self.position)
        self.position += 1
        return value

    def skip(self, width: int) -> None:
        """Skip ``width`` bits, which must exist."""
        if not 0 <= width <= self.remaining:
            raise Unreadable("ends inside a field")
        self.position += width
