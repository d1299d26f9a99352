"""Fields of GPP one after the other, from a text of the digits "0" and "1", among them Fibonacci coding.

IAB Global Privacy Platform, "Consent String Specification", sections "About Fibonacci Encoding" and "Section
Encoding". A Fibonacci code ends at its first "11", which is found fast in a text.

Invariant: a field that does not end inside, a code without its "11" and an id above the caller's limit are
``Unreadable`` before anything is expanded. Knows nothing of what the fields stand for.
"""

from targeting.signals.segments import field
from targeting.signals.unreadable import Unreadable

MAX_ID = 65_535
"""The highest id of any vendor, and the highest number that a code may stand for."""

UNLIMITED = 1 << 32

_COUNT_BITS = 12
_MOST_DIGITS = 23
"""Digits of the code of ``MAX_ID``, without the "1" that ends it."""

Groups = list[tuple[int, int]]
"""The first and last ids of groups."""


def _values(count: int) -> list[int]:
    """Return the values of the first ``count`` digits of a code."""
    values = [1, 2]
    while len(values) < count:
        values.append(values[-2] + values[-1])
    return values


_VALUES = _values(_MOST_DIGITS)


def _value(code: str) -> int:
    """Add up the digits of a code, without the "1" that ends it."""
    return sum(value for value, digit in zip(_VALUES, code, strict=False) if digit == "1")


def _short_codes(length: int) -> dict[str, int]:
    """Return the numbers of all codes of up to ``length`` digits, without the "1" that ends them."""
    codes, longest = ["1"], ["1"]
    for _ in range(1, length):
        longest = ["0" + code for code in longest] + ["1" + code for code in longest if code[0] == "0"]
        codes += longest
    return {code: _value(code) for code in codes}


_SHORT = _short_codes(14)
"""The numbers below 987, which are nearly all: a lookup takes a third of the time of adding up."""


def _read_code(digits: str, start: int) -> tuple[int, int]:
    """Return the number of the code at ``start``, and the end of the code."""
    end = digits.find("11", start, start + _MOST_DIGITS + 1)
    if end < 0:
        raise Unreadable("a Fibonacci code without its end, or of too high a number")
    code = digits[start : end + 1]
    return _SHORT.get(code) or _value(code), end + 2


class Digits:
    """A walk over a segment, as ``segments.split`` gives it, that may read so many ``entries`` of lists."""

    __slots__ = ("entries", "position", "text")

    def __init__(self, segment: bytes, entries: int = UNLIMITED) -> None:
        width = len(segment) * 6
        self.text = f"{field(segment, 0, width):0{width}b}"
        self.position = 0
        self.entries = entries

    def take(self, width: int) -> str:
        """Take the next ``width`` digits as they are."""
        start = self.position
        self.position = end = start + width
        if end > len(self.text):
            raise Unreadable("ends inside a field")
        return self.text[start:end]

    def uint(self, width: int) -> int:
        """Read the next ``width`` digits, at least one, as a number."""
        return int(self.take(width), 2)

    def fibonacci_range(self, highest: int = MAX_ID) -> Groups:
        """Read a Range (Fibonacci) of ids up to ``highest``: groups in ascending order, none overlapping."""
        count = self._count()
        text, position, last = self.text, self.position, 0
        groups: Groups = []
        try:
            for _ in range(count):
                is_group = text.startswith("1", position)
                offset, position = _read_code(text, position + 1)
                first = last = last + offset
                if is_group:
                    offset, position = _read_code(text, position)
                    last += offset
                if last > highest:
                    raise Unreadable("an id that is too high")
                groups.append((first, last))
        finally:
            self.position = position
            self.entries -= len(groups)
        return groups

    def int_range(self) -> Groups:
        """Read a Range (Int): groups in any order, perhaps overlapping, or empty."""
        groups: Groups = []
        try:
            for _ in range(self._count()):
                first = last = self.uint(17)
                if first > MAX_ID:
                    first, last = first - MAX_ID - 1, self.uint(16)
                groups.append((first, last))
        finally:
            self.entries -= len(groups)
        return groups

    def spend(self, entries: int) -> None:
        """Account for what takes as long to read as so many entries."""
        self.entries -= entries
        if self.entries < 0:
            raise Unreadable("given up: long lists")

    def _count(self) -> int:
        count = self.uint(_COUNT_BITS)
        if count > self.entries:
            raise Unreadable("given up: long lists")
        return count

    def only_zeros_left(self, most: int) -> bool:
        """Tell whether no more than ``most`` digits are left, all of them zero."""
        return len(self.text) - self.position <= most and "1" not in self.text[self.position :]
