"""The JSON of bid requests: read strictly, and what is not looked into kept as the bytes that came (``Raw``).

Strictly: RFC 8259 in UTF-8, an object, no name twice in one object, no number beyond a double's range, at most
``MAX_DEPTH`` levels, ``MAX_BRACKETS`` objects and arrays, ``MAX_DIGITS`` digits in a row and ``MAX_BYTES`` bytes. A
number or a text that is kept comes out as it went in.

Invariant: a refusal names the place and what is wrong, never a value. Knows nothing of OpenRTB's fields.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Raw

from targeting.openrtb.json_errors import MAX_DEPTH, MAX_DIGITS, BidRequestRefused, diagnose, has_long_number

__all__ = [
    "MAX_BRACKETS",
    "MAX_BYTES",
    "MAX_DEPTH",
    "MAX_DIGITS",
    "BidRequestRefused",
    "Raw",
    "array_members",
    "members",
    "read_json",
    "reader_of",
    "write_json",
]

T = TypeVar("T")

MAX_BYTES: Final = 256 * 1024
MAX_BRACKETS: Final = 25_000
"""Opening brackets of a text: each may cost an object, whose making everybody else waits for. A usual request has some
hundred."""

_ANY: Final = msgspec.json.Decoder()
_MEMBERS: Final = msgspec.json.Decoder(dict[str, Raw])
_EACH: Final = msgspec.json.Decoder(list[dict[str, Raw]])
_WRITER: Final = msgspec.json.Encoder()
_NO_MARKS: Final = bytes(code for code in range(256) if code not in b'{}[]"')
_TEXT: Final = re.compile(rb'"[^"]*"')
_CONTAINERS: Final = frozenset({dict, list})


def read_json(text: bytes) -> dict[str, Any]:
    """Read an object. Raises ``BidRequestRefused``."""
    if len(text) > MAX_BYTES:
        raise BidRequestRefused("$", f"at most {MAX_BYTES} bytes are taken")
    if len(text) > MAX_BRACKETS and text.count(b"[") + text.count(b"{") > MAX_BRACKETS:
        raise BidRequestRefused("$", f"at most {MAX_BRACKETS} opening brackets are taken")
    if has_long_number(text):
        raise diagnose(text, f"holds more than {MAX_DIGITS} digits in a row")
    try:
        value = _ANY.decode(text)
    except (ValueError, RecursionError):
        raise diagnose(text, "is not JSON") from None
    if type(value) is not dict:
        raise BidRequestRefused("$", "must be an object")
    if not _is_surely_shallow(text) and _is_too_deep(value):
        raise diagnose(text, f"is nested deeper than {MAX_DEPTH} levels")
    if _repeats_a_name(text, value):
        raise diagnose(text, "has a name twice in one object")
    return value


def members(text: bytes | Raw) -> dict[str, Raw]:
    """Give the members of an object that ``read_json`` has checked, each as the bytes that came."""
    return _MEMBERS.decode(text)


def array_members(text: bytes | Raw) -> list[dict[str, Raw]]:
    """Give the members of every object of an array that ``read_json`` has checked."""
    return _EACH.decode(text)


def reader_of(form: type[T]) -> Callable[[bytes | Raw], T]:
    """Give a reader of checked objects that reads the members that a type names, and leaves out others."""
    return msgspec.json.Decoder(form).decode


def write_json(value: Mapping[str, Any]) -> bytes:
    """Write an object; what is ``Raw`` in it stands there byte for byte."""
    return _WRITER.encode(value)


def _is_surely_shallow(text: bytes) -> bool:
    """Tell at a glance that a text is not too deep; False says that one has to look closer."""
    if b"\\" in text:
        # Pairs of backslashes first: what is left of a run of them escapes what follows.
        text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    marks = text.translate(None, _NO_MARKS)
    # Two quotes in a row are a text without brackets, or the border of two texts, which may as well be one.
    brackets = _TEXT.sub(b"", marks.replace(b'""', b""))
    for taken in range(0, MAX_DEPTH, 2):
        # Each round takes away one level, or two; what is left has no more levels than pairs.
        if taken + len(brackets) // 2 <= MAX_DEPTH:
            return True
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    return False


def _is_too_deep(value: dict[str, Any]) -> bool:
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        within: list[Any] = []
        for each in level:
            within += each.values() if type(each) is dict else each
        level = [each for each in within if type(each) in _CONTAINERS]
        if not level:
            return False
    return True


def _repeats_a_name(text: bytes, value: dict[str, Any]) -> bool:
    """Tell whether a member got lost in reading: of two with one name only the last is kept.

    Every member has a colon, and a colon inside of a text is written as it is read, unless it was escaped. So colons
    are missing when the value is written again exactly if a member is.
    """
    again = _WRITER.encode(value)
    if again == text:
        return False
    colons = text.count(b":")
    if b"\\u003" in text:
        colons += text.replace(b"\\\\", b"").lower().count(b"\\u003a")
    return colons != again.count(b":")
