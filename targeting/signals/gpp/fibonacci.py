"""Fields of a GPP segment, read one after the other from its bits as text ("0" and "1"), Fibonacci codes included.

IAB Global Privacy Platform, "Consent String Specification", sections "About Fibonacci Encoding" and "Section
Encoding". A Fibonacci code ends at its first "11", which a text search finds quickly.

Invariant: a field that runs past the end, a code without its "11" and an id above the caller's limit are
``Unreadable`` before anything is expanded. Knows nothing of what the fields stand for.
"""

from targeting.signals.segments import read_field
from targeting.signals.unreadable import GivenUp, Unreadable

MAX_ID = 65_535
"""The highest vendor id, and the highest number that a code may stand for."""

UNLIMITED = 1 << 32

_COUNT_BITS = 12
_MOST_DIGITS = 23
"""Digits of the code of ``MAX_ID``, without the "1" that ends it."""

IdRanges = list[tuple[int, int]]
"""Ranges of ids, each as its first and last id."""


def _values(count: int) -> list[int]:
    """Return the values of the first ``count`` digits of a code."""
    values = [1, 2]
    while len(values) < count:
        values.append(values[-2] + values[-1])
    return values


_VALUES = _values(_MOST_DIGITS)


def _value(code: str) -> int:
    """Return the sum of a code's digits, without the "1" that ends it."""
    return sum(value for value, digit in zip(_VALUES, code, strict=False) if digit == "1")


def _short_codes(length: int) -> dict[str, int]:
    """Return the numbers of all codes of up to ``length`` digits, without the "1" that ends them."""
    codes, longest = ["1"], ["1"]
    for _ in range(1, length):
        longest = ["0" + code for code in longest] + ["1" + code for code in longest if code[0] == "0"]
        codes += longest
    return {code: _value(code) for code in codes}


_SHORT = _short_codes(14)
"""The numbers below 987, which covers nearly every code: a lookup takes a third of the time of a sum."""


def _read_code(digits: str, start: int) -> tuple[int, int]:
    """Return the number of the code at ``start``, and the end of the code."""
    end = digits.find("11", start, start + _MOST_DIGITS + 1)
    if end < 0:
        raise Unreadable("a Fibonacci code that has no end, or too high a number")
    code = digits[start : end + 1]
    return _SHORT.get(code) or _value(code), end + 2


class DigitReader:
    """Reads a segment from ``split_segments``, field by field, up to ``entry_budget`` entries of lists."""

    __slots__ = ("entry_budget", "position", "text")

    def __init__(self, segment: bytes, entry_budget: int = UNLIMITED) -> None:
        width = len(segment) * 6
        self.text = f"{read_field(segment, 0, width):0{width}b}"
        self.position = 0
        self.entry_budget = entry_budget

    def take(self, width: int) -> str:
        """Return the next ``width`` digits as text."""
        start = self.position
        self.position = end = start + width
        if end > len(self.text):
            raise Unreadable("ends inside a field")
        return self.text[start:end]

    def uint(self, width: int) -> int:
        """Read the next ``width`` digits, at least one, as a number."""
        return int(self.take(width), 2)

    def fibonacci_range(self, highest: int = MAX_ID) -> IdRanges:
        """Read a Range (Fibonacci) of ids up to ``highest``: ascending ranges without overlap."""
        count = self._count()
        text, position, last = self.text, self.position, 0
        ranges: IdRanges = []
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
                ranges.append((first, last))
        finally:
            self.position = position
            self.entry_budget -= len(ranges)
        return ranges

    def int_range(self) -> IdRanges:
        """Read a Range (Int): ranges in any order, which may overlap or be empty."""
        ranges: IdRanges = []
        try:
            for _ in range(self._count()):
                first = last = self.uint(17)
                if first > MAX_ID:
                    first, last = first - MAX_ID - 1, self.uint(16)
                ranges.append((first, last))
        finally:
            self.entry_budget -= len(ranges)
        return ranges

    def charge(self, entries: int) -> None:
        """Deduct the cost of a field that takes as long to read as ``entries`` entries."""
        self.entry_budget -= entries
        if self.entry_budget < 0:
            raise GivenUp("long lists")

    def _count(self) -> int:
        count = self.uint(_COUNT_BITS)
        if count > self.entry_budget:
            raise GivenUp("long lists")
        return count

    def only_zeros_left(self, most: int) -> bool:
        """Return whether at most ``most`` digits are left, all of them zero."""
        return len(self.text) - self.position <= most and "1" not in self.text[self.position :]
