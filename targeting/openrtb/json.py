"""Strict JSON for bid requests; members that are passed on keep their original bytes (``Raw``).

Accepted: an RFC 8259 object in UTF-8 without duplicate names or numbers beyond a double's range, with at most
``MAX_DEPTH`` levels, ``MAX_BRACKETS`` objects and arrays, ``MAX_DIGITS`` consecutive digits and ``MAX_BYTES`` bytes.
``repair`` makes two common faults acceptable: a byte order mark, and half a surrogate pair.

Invariant: a refusal names the path and the problem, never a value. This module knows no OpenRTB field.
"""

import re
from collections.abc import Callable
from typing import Any, Final

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
    "members",
    "read_json",
    "reader_of",
    "repair",
    "value_of",
    "write_json",
]

MAX_BYTES: Final = 256 * 1024
MAX_BRACKETS: Final = 25_000
"""Opening brackets of a text: each may allocate an object while other requests wait. A usual request has a few
hundred."""

_ANY: Final = msgspec.json.Decoder()
_MEMBERS: Final = msgspec.json.Decoder(dict[str, Raw])
_WRITER: Final = msgspec.json.Encoder()
_NO_MARKS: Final = bytes(code for code in range(256) if code not in b'{}[]"')
_TEXT: Final = re.compile(rb'"[^"]*"')
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_ESCAPE: Final = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
_SURROGATE: Final = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")
_REPLACEMENT: Final = "\ufffd".encode()
_CONTAINERS: Final = frozenset({dict, list})


def repair(text: bytes) -> bytes:
    """Remove a byte order mark, and replace half surrogate pairs by U+FFFD (RFC 8259, sections 8.1 and 8.2)."""
    text = text.removeprefix(_BYTE_ORDER_MARK)
    # Most texts have no backslash, which is found faster than an escape.
    if b"\\" in text and (b"\\ud" in text or b"\\uD" in text):
        text = _ESCAPE.sub(_without_half_pair, text)
    return _SURROGATE.sub(_REPLACEMENT, text) if b"\xed" in text else text


def _without_half_pair(escape: re.Match[bytes]) -> bytes:
    return b"\\ufffd" if escape.lastgroup == "half" else escape[0]


def read_json(text: bytes) -> dict[str, Any]:
    """Parse an object. Raises ``BidRequestRefused``."""
    if len(text) > MAX_BYTES:
        raise BidRequestRefused("$", f"must not exceed {MAX_BYTES} bytes")
    if len(text) > MAX_BRACKETS and text.count(b"[") + text.count(b"{") > MAX_BRACKETS:
        raise BidRequestRefused("$", f"must not contain more than {MAX_BRACKETS} opening brackets")
    if has_long_number(text):
        raise diagnose(text, f"must not contain more than {MAX_DIGITS} consecutive digits")
    try:
        value = _ANY.decode(text)
    except (ValueError, RecursionError):
        raise diagnose(text, "must be valid JSON") from None
    if type(value) is not dict:
        raise BidRequestRefused("$", "must be an object")
    if not _is_surely_shallow(text) and _is_too_deep(value):
        raise diagnose(text, f"must not be nested deeper than {MAX_DEPTH} levels")
    if _repeats_a_name(text, value):
        raise diagnose(text, "must not contain a name twice in one object")
    return value


def members(text: bytes | Raw) -> dict[str, Raw]:
    """Return the members of an object that ``read_json`` has accepted, each as its original bytes."""
    return _MEMBERS.decode(text)


def value_of(text: bytes | Raw) -> Any:
    """Return the value of a text that ``read_json`` has accepted."""
    return _ANY.decode(text)


def reader_of(form: Any) -> Callable[[bytes | Raw], Any]:
    """Return a reader of accepted texts that keeps only the members that a type names."""
    return msgspec.json.Decoder(form).decode


def write_json(value: Any) -> bytes:
    """Serialise a value; ``Raw`` members are copied byte for byte."""
    return _WRITER.encode(value)


def _is_surely_shallow(text: bytes) -> bool:
    """Whether a cheap test shows that a text is not too deep; False means that the depth is still unknown."""
    if b"\\" in text:
        # Pairs of backslashes first: the remaining backslash of an odd run escapes the next character.
        text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    marks = text.translate(None, _NO_MARKS)
    # Two adjacent quotes are a text without brackets, or the border of two texts, which may be merged.
    brackets = _TEXT.sub(b"", marks.replace(b'""', b""))
    for taken in range(0, MAX_DEPTH, 2):
        # Each round removes one or two levels; the remainder has no more levels than pairs of brackets.
        if taken + len(brackets) // 2 <= MAX_DEPTH:
            return True
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    return False


def _is_too_deep(value: dict[str, Any]) -> bool:
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        children: list[Any] = []
        for container in level:
            children += container.values() if type(container) is dict else container
        level = [child for child in children if type(child) in _CONTAINERS]
        if not level:
            return False
    return True


def _repeats_a_name(text: bytes, value: dict[str, Any]) -> bool:
    """Whether parsing dropped a member: of two members with one name only the last is kept.

    Each member has one colon, and a colon within a text is serialised as it was parsed unless it was escaped. So the
    serialised value has fewer colons than the text exactly when a member was dropped.
    """
    again = _WRITER.encode(value)
    if again == text:
        return False
    colons = text.count(b":")
    if b"\\u003" in text:
        colons += text.replace(b"\\\\", b"").lower().count(b"\\u003a")
    return colons != again.count(b":")
