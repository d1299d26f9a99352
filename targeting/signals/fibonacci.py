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


class Digits:
    """A walk over a segment, as ``segments.split`` gives it, that may read so many ``ids`` in lists."""

    __slots__ = ("ids", "position", "text")

    def __init__(self, segment: bytes, ids: int = UNLIMITED) -> None:
        width = len(segment) * 6
        self.text = f"{field(segment, 0, width):0{width}b}"
        self.position = 0
        self.ids = ids

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

    def fibonacci(self) -> int:
        """Read an Integer (Fibonacci)."""
        start = self.position
        end = self.text.find("11", start, start + _MOST_DIGITS + 1)
        if end < 0:
            raise Unreadable("a Fibonacci code without its end, or of too high a number")
        self.position = end + 2
        code = self.text[start : end + 1]
        return _SHORT.get(code) or _value(code)

    def fibonacci_range(self, highest: int = MAX_ID) -> Groups:
        """Read a Range (Fibonacci) of ids up to ``highest``: groups in ascending order, none overlapping."""
        last, groups = 0, []
        for _ in range(self.uint(_COUNT_BITS)):
            self.spend(1)
            is_group = self.text.startswith("1", self.position)
            self.position += 1
            first = last = last + self.fibonacci()
            if is_group:
                self.spend(1)
                last += self.fibonacci()
            if last > highest:
                raise Unreadable("an id that is too high")
            groups.append((first, last))
        return groups

    def int_range(self) -> Groups:
        """Read a Range (Int): groups in any order, perhaps overlapping, or empty."""
        groups = []
        for _ in range(self.uint(_COUNT_BITS)):
            self.spend(1)
            first = last = self.uint(17)
            if first > MAX_ID:
                self.spend(1)
                first, last = first - MAX_ID - 1, self.uint(16)
            groups.append((first, last))
        return groups

    def spend(self, ids: int) -> None:
        """Account for ids that are about to be read, or for what takes as long."""
        self.ids -= ids
        if self.ids < 0:
            raise Unreadable("given up: long lists")

    def only_zeros_left(self, most: int) -> bool:
        """Tell whether no more than ``most`` digits are left, all of them zero."""
        return len(self.text) - self.position <= most and "1" not in self.text[self.position :]
