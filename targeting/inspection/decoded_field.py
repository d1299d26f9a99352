"""One field of a consent string in words, and the fields whose place is fixed.

Invariant: bits are those of the string, and a value is what these bits say. Knows nothing of the effect of a value.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_MOST_IDS: Final = 12
_TYPE_BITS: Final = 3
_PURPOSES: Final = 24
_COUNT_BITS: Final = 6


class DecodedField(NamedTuple):
    """One field. ``bits`` is empty for a list whose place varies, and for texts."""

    name: str
    bits: str
    value: str
    words: str


class FixedField(NamedTuple):
    """A field at a fixed place: its name, first bit and width, its key in the decoded form, and its meaning."""

    name: str
    first: int
    width: int
    key: str
    words: str


class PublisherNames(NamedTuple):
    """The names of the publisher's own purposes in one format, and of the two things asked for them."""

    first: str
    second: str
    custom_first: str
    custom_second: str
    kinds: tuple[str, str]


def fixed_fields(layout: Iterable[FixedField], bits: str, decoded: Mapping[str, Any]) -> Iterator[DecodedField]:
    """Yield the fields of a layout, with their bits and their decoded values."""
    for field in layout:
        yield DecodedField(
            field.name, bits[field.first : field.first + field.width], shown(decoded[field.key]), field.words
        )


def publisher_fields(bits: str, names: PublisherNames) -> Iterator[DecodedField]:
    """Yield the fields of the segment of publisher purposes (type 3), which two formats write in the same way."""
    first, second = names.kinds
    start = _TYPE_BITS + 2 * _PURPOSES
    count = int(bits[start : start + _COUNT_BITS], 2)
    customs = start + _COUNT_BITS
    yield _segment_type(bits, "the purposes of the publisher")
    yield _purposes(names.first, bits[_TYPE_BITS : _TYPE_BITS + _PURPOSES], f"{first} for the publisher")
    yield _purposes(names.second, bits[_TYPE_BITS + _PURPOSES : start], f"{second} for the publisher")
    yield DecodedField("NumCustomPurposes", bits[start:customs], str(count), "purposes of the publisher's own")
    yield _purposes(names.custom_first, bits[customs : customs + count], f"{first} for its own purposes")
    yield _purposes(names.custom_second, bits[customs + count : customs + 2 * count], f"{second} for its own purposes")


def vendor_segment(bits: str, name: str, vendors: list[int], words: str) -> Iterator[DecodedField]:
    """Yield the fields of a segment that lists vendors."""
    yield _segment_type(bits, words)
    yield DecodedField(name, "", shown(vendors), words)


def segment_type(bits: str) -> int:
    """Return the type of an optional segment: 1 vendors disclosed, 2 vendors allowed, 3 publisher purposes."""
    return int(bits[:_TYPE_BITS], 2)


def bits_of(text: str) -> str:
    """Return the bits of a text in base64url (RFC 4648, section 5); none where it is another text."""
    digits = text.rstrip("=")
    return "".join(f"{_ALPHABET.index(each):06b}" for each in digits) if set(digits) <= set(_ALPHABET) else ""


def numbers_of(flags: Iterable[bool]) -> list[int]:
    """Return the numbers, from 1 on, of the flags that are set."""
    return [number for number, is_set in enumerate(flags, 1) if is_set]


def shown(value: object) -> str:
    """Return a value as people read it; a long list is cut."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        more = f" and {len(value) - _MOST_IDS} more" if len(value) > _MOST_IDS else ""
        return ", ".join(map(shown, value[:_MOST_IDS])) + more or "none"
    return str(value)


def _segment_type(bits: str, words: str) -> DecodedField:
    return DecodedField("SegmentType", bits[:_TYPE_BITS], str(segment_type(bits)), words)


def _purposes(name: str, bits: str, words: str) -> DecodedField:
    return DecodedField(name, bits, shown(numbers_of(each == "1" for each in bits)), words)
