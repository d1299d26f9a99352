"""Section 5 of a GPP string, the Canadian TCF: which purposes and vendors have which consent.

IAB "GPPExtension: IAB Canada TCF". The fixed fields are undisputed. The vendor lists after them were written
in three ways: the specification puts the flag of an OptimizedRange first; the official library puts a 16-bit
highest id before the flag; before its version 3.2.0 it also wrote ranges with 16-bit ids instead of Fibonacci
codes. A string does not say which it is, so each way is tried; one fits if it ends where the string ends.

Invariant: a segment that no way fits is ``Unreadable``. Knows nothing of who asks.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeVar

from targeting.signals.gpp.fibonacci import UNLIMITED, Digits, Groups
from targeting.signals.segments import split
from targeting.signals.unreadable import Unreadable

VERSION = 1
MAX_PADDING = 23
"""Bits that fill a segment up to whole bytes and characters, whoever wrote it."""

MAX_CHECKED_CHARACTERS = 1024
MAX_CHECKED_ENTRIES = 160
"""A section that is longer, or with more entries in its lists, is given up when only a decision is wanted. There
are some hundred vendors, and lists of more entries than this would have been bit fields."""

_COST_OF_RESTRICTION = 4
"""What it takes to read a restriction, in entries, apart from its own."""

_MAX_SEGMENTS = 3
_FIXED_BITS = 199
_VERSION_BITS = slice(0, 6)
_FEATURE_BITS = slice(139, 151)
_EXPRESS_BITS = slice(151, 175)


class Consent(NamedTuple):
    """A bit for each of 24 purposes and 12 special features, the first in the highest."""

    purposes: int
    special_features: int

    def is_express(self, purpose: int) -> bool:
        """Tell whether there is express consent for the purpose."""
        return self.purposes >> (24 - purpose) & 1 == 1

    def has_feature(self, feature: int) -> bool:
        """Tell whether there is express consent for the special feature."""
        return self.special_features >> (12 - feature) & 1 == 1


class Vendors(NamedTuple):
    """A digit for each vendor from 1 on, or groups of vendors; and the highest id announced, if one was."""

    members: str | Groups
    announced: int | None = None

    @property
    def is_tight(self) -> bool:
        """Whether the list ends with the id that was announced, as every encoder's would."""
        return self.announced in {None, self._highest()}

    def number(self) -> int:
        """Count the vendors, those twice that are listed twice, without listing them."""
        if isinstance(self.members, str):
            return self.members.count("1")
        return sum(max(0, last - first + 1) for first, last in self.members)

    def ids(self) -> list[int]:
        """List the vendors in ascending order."""
        if isinstance(self.members, str):
            return [vendor for vendor, digit in enumerate(self.members, 1) if digit == "1"]
        return sorted({vendor for first, last in self.members for vendor in range(first, last + 1)})

    def _highest(self) -> int:
        if isinstance(self.members, str):
            return self.members.rfind("1") + 1
        return max((last for _, last in self.members), default=0)


class Restriction(NamedTuple):
    """A restriction by the publisher: its purpose, its type, and the vendors that it is for."""

    purpose: int
    kind: int
    vendors: Vendors


class Lists(NamedTuple):
    """The fields of the core that may be written in several ways."""

    express: Vendors
    implied: Vendors
    restrictions: list[Restriction]

    @property
    def is_tight(self) -> bool:
        """Whether every list is."""
        return all(one.is_tight for one in (self.express, self.implied, *(one.vendors for one in self.restrictions)))


class Publisher(NamedTuple):
    """The publisher purposes sub-section, each field as digits."""

    express: str
    implied: str
    custom_express: str
    custom_implied: str


class Section(NamedTuple):
    """All sub-sections: the digits of the core's fixed fields, its lists, and the two optional ones."""

    fixed: str
    lists: Lists
    publisher: Publisher | None
    disclosed: Vendors | None


def read(text: str) -> Consent:
    """Read which purposes and special features have express consent, and check the form of all the rest.

    Raises ``Unreadable``, also for a section that would take long to check.
    """
    if len(text) > MAX_CHECKED_CHARACTERS:
        raise Unreadable("given up: long")
    fixed = read_section(text, MAX_CHECKED_ENTRIES).fixed
    return Consent(int(fixed[_EXPRESS_BITS], 2), int(fixed[_FEATURE_BITS], 2))


def read_section(text: str, entries: int = UNLIMITED) -> Section:
    """Read all sub-sections, as far as that takes no more than so many ``entries`` of lists."""
    segments = split(text, _MAX_SEGMENTS)
    digits = Digits(segments[0], entries)
    fixed = digits.take(_FIXED_BITS)
    if int(fixed[_VERSION_BITS], 2) != VERSION:
        raise Unreadable("an unknown version")
    lists, publisher, disclosed = _what_fits(digits, _read_lists), None, None
    for segment in segments[1:]:
        digits = Digits(segment, digits.entries)
        kind = digits.uint(3)
        if kind == 3 and publisher is None:
            publisher = _read_publisher(digits)
        elif kind == 1 and disclosed is None:
            disclosed = _what_fits(digits, _read_vendors)
        else:
            raise Unreadable("a sub-section that is unknown or there twice")
    return Section(fixed, lists, publisher, disclosed)


def _by_library(digits: Digits) -> Vendors:
    head = digits.uint(17)
    return Vendors(digits.fibonacci_range() if head & 1 else digits.take(head >> 1), head >> 1)


def _by_old_library(digits: Digits) -> Vendors:
    head = digits.uint(17)
    return Vendors(digits.int_range() if head & 1 else digits.take(head >> 1), head >> 1)


def _restricted_by_old_library(digits: Digits) -> Vendors:
    return Vendors(digits.int_range())


def _by_specification(digits: Digits) -> Vendors:
    if digits.uint(1):
        return Vendors(digits.fibonacci_range())
    width = digits.uint(16)
    return Vendors(digits.take(width), width)


class Way(NamedTuple):
    """A way of writing: how it writes vendors, and how those of a restriction."""

    vendors: Callable[[Digits], Vendors]
    restricted: Callable[[Digits], Vendors]


WAYS = (
    Way(_by_library, _by_library),
    Way(_by_old_library, _restricted_by_old_library),
    Way(_by_specification, _by_specification),
)


def _read_lists(digits: Digits, way: Way) -> Lists:
    express, implied = way.vendors(digits), way.vendors(digits)
    restrictions = []
    # Encoders leave out the number of restrictions if there are none.
    if not digits.only_zeros_left(11):
        for _ in range(digits.uint(12)):
            digits.spend(_COST_OF_RESTRICTION)
            head = digits.uint(8)
            restrictions.append(Restriction(head >> 2, head & 3, way.restricted(digits)))
    return Lists(express, implied, restrictions)


def _read_vendors(digits: Digits, way: Way) -> Vendors:
    return way.vendors(digits)


def _read_publisher(digits: Digits) -> Publisher:
    express, implied = digits.take(24), digits.take(24)
    customs = digits.uint(6)
    publisher = Publisher(express, implied, digits.take(customs), digits.take(customs))
    if not digits.only_zeros_left(MAX_PADDING):
        raise Unreadable("more than the fields that are announced")
    return publisher


class _Fitting(Protocol):
    @property
    def is_tight(self) -> bool: ...


_Read = TypeVar("_Read", bound=_Fitting)


def _what_fits(digits: Digits, reading: Callable[[Digits, Way], _Read]) -> _Read:
    """Return what the first way gives that ends at the padding: a tight one, if there is one."""
    start, fitting = digits.position, []
    for way in WAYS:
        digits.position = start
        try:
            result = reading(digits, way)
        except Unreadable:
            continue
        if digits.only_zeros_left(MAX_PADDING):
            if result.is_tight:
                return result
            fitting.append(result)
    if not fitting:
        raise Unreadable("no way to read its lists of vendors to the end")
    return fitting[0]
