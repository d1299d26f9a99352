"""Exact error messages for the JSON of a bid request: what is wrong, and where.

A token-by-token reader for texts that ``targeting.openrtb.json`` has refused. It is slow, and other requests wait, so
it examines a bounded number of values and then reports how far it got.

Invariant: a path shows only names of the specification. Any other name was chosen by the sender and may itself
identify a person; it is shown as ``*``.
"""

import json
import re
from math import isfinite
from typing import Final

from targeting.openrtb.schema import NAMES

MAX_DEPTH: Final = 32
MAX_DIGITS: Final = 1000
"""Consecutive digits: parsing and serialising a longer number would take time quadratic in its length."""

_SPACE: Final = re.compile(rb"[ \t\n\r]*+")
_STRING: Final = re.compile(rb'"[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+"')
_NUMBER: Final = re.compile(rb"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?(?![0-9A-Za-z.+-])")
_WORD: Final = re.compile(rb"true|false|null")
_LONG: Final = re.compile(rb"(?<![0-9])[0-9]{%d}" % (MAX_DIGITS + 1))
_BLOCK: Final = MAX_DIGITS // 2
_MAX_VALUES: Final = 1000
"""Values examined in search of a fault, which takes a few milliseconds; a usual request has a few hundred."""


class BidRequestRefused(ValueError):
    """An invalid bid request: the JSON path and the problem, never a value."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


def diagnose(text: bytes, problem: str) -> BidRequestRefused:
    """Return the first fault of a text; ``problem`` is what is already known about it.

    When the search ends early the path is that of the object or array that it had reached.
    """
    try:
        _Reader(text, problem).read_document()
    except BidRequestRefused as refused:
        return refused
    return BidRequestRefused("$", problem)


def has_long_number(text: bytes) -> bool:
    """Whether a text has more than ``MAX_DIGITS`` consecutive digits, within strings too."""
    # That many digits fill at least one block. Few other texts do: isdigit() fails at the first character of most.
    starts = range(0, len(text), _BLOCK)
    return any(text[start : start + _BLOCK].isdigit() for start in starts) and _LONG.search(text) is not None


class _Reader:
    """Reads one text and raises ``BidRequestRefused`` at the first fault."""

    def __init__(self, text: bytes, problem: str) -> None:
        self._text = text
        self._problem = problem
        self._position = 0
        self._values = 0

    def read_document(self) -> None:
        """Read the whole text. Raises ``BidRequestRefused``."""
        self._value("$", 1)
        if self._peek():
            raise BidRequestRefused("$", "must not be followed by anything else")

    def _value(self, path: str, depth: int) -> None:
        first = self._peek()
        if first == b"{":
            self._object(path, depth)
        elif first == b"[":
            self._array(path, depth)
        elif first == b'"':
            self._string(path)
        elif first.isdigit() or first == b"-":
            self._number(path)
        else:
            self._match(_WORD, path)

    def _object(self, path: str, depth: int) -> None:
        self._enter(path, depth)
        names: set[str] = set()
        while self._another(b"}", path, first=not names):
            name = self._string(path)
            member = f"{path}.{name if name in NAMES else '*'}"
            if name in names:
                raise BidRequestRefused(member, "must not occur twice")
            names.add(name)
            self._punctuation(b":", member)
            self._value(member, depth + 1)

    def _array(self, path: str, depth: int) -> None:
        self._enter(path, depth)
        index = 0
        while self._another(b"]", path, first=not index):
            self._value(f"{path}[{index}]", depth + 1)
            index += 1

    def _enter(self, path: str, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise BidRequestRefused(path, f"must not be nested deeper than {MAX_DEPTH} levels")
        self._position += 1

    def _another(self, end: bytes, path: str, *, first: bool) -> bool:
        """Advance past the end of an object or array, or to its next item; raise after too many values."""
        if self._peek() == end:
            self._position += 1
            return False
        self._values += 1
        if self._values > _MAX_VALUES:
            raise BidRequestRefused(path, f"{self._problem}, here or further on")
        if not first:
            self._punctuation(b",", path)
        return True

    def _punctuation(self, wanted: bytes, path: str) -> None:
        if self._peek() != wanted:
            raise BidRequestRefused(path, "must be valid JSON")
        self._position += 1

    def _string(self, path: str) -> str:
        token = self._match(_STRING, path)
        try:
            text = token.decode()
        except UnicodeDecodeError:
            raise BidRequestRefused(path, "must be UTF-8") from None
        return str(json.loads(text))

    def _number(self, path: str) -> None:
        token = self._match(_NUMBER, path)
        whole = token.lstrip(b"-").isdigit()
        if has_long_number(token) or not (whole or isfinite(float(token))):
            raise BidRequestRefused(path, "must be a number within the range of a double")

    def _match(self, token: re.Pattern[bytes], path: str) -> bytes:
        self._peek()
        found = token.match(self._text, self._position)
        if found is None:
            raise BidRequestRefused(path, "must be valid JSON")
        self._position = found.end()
        return found[0]

    def _peek(self) -> bytes:
        """Skip white space and return the next character, empty at the end."""
        space = _SPACE.match(self._text, self._position)
        self._position = space.end() if space else self._position
        return self._text[self._position : self._position + 1]
