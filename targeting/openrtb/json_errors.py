"""What is wrong with the JSON of a bid request, and where.

A plain reader, token by token, for texts that ``targeting.openrtb.json`` has found fault with: slow, and exact. Other
requests wait meanwhile, so it looks at a bounded number of values, and then says how far it came.

Invariant: the names of a path are those of the specification; any other name, which the sender chose and which may
itself say something of a person, is shown as ``*``.
"""

import json
import re
from math import isfinite
from typing import Final

from targeting.openrtb.schema import NAMES

MAX_DEPTH: Final = 32
MAX_DIGITS: Final = 1000
"""Digits in a row: of a longer number the reading and the writing would cost the square of its length."""

_SPACE: Final = re.compile(rb"[ \t\n\r]*+")
_STRING: Final = re.compile(rb'"[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+"')
_NUMBER: Final = re.compile(rb"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?(?![0-9A-Za-z.+-])")
_WORD: Final = re.compile(rb"true|false|null")
_LONG: Final = re.compile(rb"(?<![0-9])[0-9]{%d}" % (MAX_DIGITS + 1))
_BLOCK: Final = MAX_DIGITS // 2
_MAX_VALUES: Final = 1000
"""Values that are looked at in search of the fault, in a few milliseconds; a usual request has a few hundred."""


class BidRequestRefused(ValueError):
    """A bid request that cannot be taken: where (a JSON path), and why; never a value."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


def diagnose(text: bytes, problem: str) -> BidRequestRefused:
    """Give the first thing that is wrong with a text; ``problem`` is what is known of it already.

    Where the search is given up the path is that of the object or array that it had come to.
    """
    try:
        _Reader(text, problem).read_document()
    except BidRequestRefused as refused:
        return refused
    return BidRequestRefused("$", problem)


def has_long_number(text: bytes) -> bool:
    """Tell whether more than ``MAX_DIGITS`` digits stand in a row, be it within a string."""
    # So many digits fill at least one block, and few other texts do: most blocks end at their first character.
    blocks = range(0, len(text), _BLOCK)
    return any(text[at : at + _BLOCK].isdigit() for at in blocks) and _LONG.search(text) is not None


class _Reader:
    """Reads one text; raises ``BidRequestRefused`` at the first fault."""

    def __init__(self, text: bytes, problem: str) -> None:
        self._text = text
        self._problem = problem
        self._at = 0
        self._values = 0

    def read_document(self) -> None:
        """Read the whole text."""
        self._value("$", 1)
        if self._peek():
            raise BidRequestRefused("$", "is followed by something else")

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
            at = f"{path}.{name if name in NAMES else '*'}"
            if name in names:
                raise BidRequestRefused(at, "is there twice")
            names.add(name)
            self._punctuation(b":", at)
            self._value(at, depth + 1)

    def _array(self, path: str, depth: int) -> None:
        self._enter(path, depth)
        index = 0
        while self._another(b"]", path, first=not index):
            self._value(f"{path}[{index}]", depth + 1)
            index += 1

    def _enter(self, path: str, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise BidRequestRefused(path, f"is nested deeper than {MAX_DEPTH} levels")
        self._at += 1

    def _another(self, end: bytes, path: str, *, first: bool) -> bool:
        """Step over the end of an object or array, or to its next item, unless there were too many."""
        if self._peek() == end:
            self._at += 1
            return False
        self._values += 1
        if self._values > _MAX_VALUES:
            raise BidRequestRefused(path, f"{self._problem}, here or further on")
        if not first:
            self._punctuation(b",", path)
        return True

    def _punctuation(self, wanted: bytes, path: str) -> None:
        if self._peek() != wanted:
            raise BidRequestRefused(path, "is not JSON")
        self._at += 1

    def _string(self, path: str) -> str:
        token = self._match(_STRING, path)
        try:
            text = token.decode()
        except UnicodeDecodeError:
            raise BidRequestRefused(path, "is not UTF-8") from None
        return _unescaped(text, path)

    def _number(self, path: str) -> None:
        token = self._match(_NUMBER, path)
        whole = token.lstrip(b"-").isdigit()
        if has_long_number(token) or not (whole or isfinite(float(token))):
            raise BidRequestRefused(path, "is out of the range of numbers")

    def _match(self, token: re.Pattern[bytes], path: str) -> bytes:
        self._peek()
        found = token.match(self._text, self._at)
        if found is None:
            raise BidRequestRefused(path, "is not JSON")
        self._at = found.end()
        return found[0]

    def _peek(self) -> bytes:
        """Step over white space and give the next character; nothing at the end."""
        space = _SPACE.match(self._text, self._at)
        self._at = space.end() if space else self._at
        return self._text[self._at : self._at + 1]


def _unescaped(text: str, path: str) -> str:
    unescaped = str(json.loads(text))
    try:
        unescaped.encode()
    except UnicodeEncodeError:
        raise BidRequestRefused(path, "holds half a surrogate pair") from None
    return unescaped
