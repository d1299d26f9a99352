"""The outer form of a GPP string: a header that lists section ids, and the sections, joined by tildes.

IAB Global Privacy Platform, "Consent String Specification", section "GPP String Format".

Invariant: a header that does not match the sections after it is ``Unreadable``, and nothing is expanded before its
size is known. Knows nothing of the content of a section.
"""

from functools import lru_cache

from targeting.signals.bits import MAX_LENGTH
from targeting.signals.gpp.fibonacci import DigitReader
from targeting.signals.segments import split_segments
from targeting.signals.unreadable import Unreadable

HEADER, TCF, CANADA, US_PRIVACY = 3, 2, 5, 6
"""Section ids. The header's is also the type that begins it."""

MAX_SECTIONS = 127
"""Ids that a header may list: the specification has 27 today, and a few characters can announce thousands."""

_MAX_HEADER = 128
_VERSION = 1


def split_sections(text: str) -> tuple[tuple[int, ...], list[str]]:
    """Return the ids in the header, ascending, and the header and the sections as text. Raises ``Unreadable``."""
    if len(text) > MAX_LENGTH:
        raise Unreadable("too long")
    if not text.isascii():
        raise Unreadable("a character that no section may have")
    ids = read_header_ids(text[: _MAX_HEADER + 1].partition("~")[0], HEADER)
    parts = text.split("~", len(ids) + 1)
    if len(parts) != len(ids) + 1:
        raise Unreadable("more or fewer sections than its header lists")
    if "" in parts:
        raise Unreadable("an empty section")
    return ids, parts


@lru_cache(maxsize=1024)
def read_header_ids(header: str, kind: int) -> tuple[int, ...]:
    """Read a header: two numbers of six bits, type and version, and a Range (Fibonacci) of ids.

    Few different headers exist and they say nothing about a person, so the latest results are cached.
    """
    if len(header) > _MAX_HEADER:
        raise Unreadable("a header that is too long")
    digits = DigitReader(split_segments(header, 1)[0])
    if digits.uint(6) != kind or digits.uint(6) != _VERSION:
        raise Unreadable("an unknown type or version")
    ranges = digits.fibonacci_range()
    if sum(last - first + 1 for first, last in ranges) > MAX_SECTIONS:
        raise Unreadable("more sections than can exist")
    if not digits.only_zeros_left(len(digits.text)):
        raise Unreadable("trailing data after its list")
    return tuple(section_id for first, last in ranges for section_id in range(first, last + 1))
