"""Section 5 of a GPP string, the Canadian TCF: the consent to each purpose and vendor.

IAB "GPPExtension: IAB Canada TCF". The fixed fields are undisputed. The vendor lists after them exist in three
encodings: the specification puts the flag of an OptimizedRange first; the official library puts a 16-bit highest
id before the flag; before its version 3.2.0 it also wrote ranges with 16-bit ids instead of Fibonacci codes. A
string does not say which encoding it uses, so each is tried; one fits if it ends where the string ends.

Invariant: a segment that fits no encoding is ``Unreadable``. Knows nothing of who asks.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeVar

from targeting.signals.gpp.fibonacci import UNLIMITED, DigitReader, IdRanges
from targeting.signals.segments import split_segments
from targeting.signals.unreadable import GivenUp, Unreadable

VERSION = 1
MAX_PADDING = 23
"""The most bits that any encoder adds to fill a segment up to whole bytes and characters."""

MAX_CHECKED_CHARACTERS = 1024
MAX_CHECKED_ENTRIES = 160
"""A decision gives up a section that is longer than this, or whose lists have more entries. There are some hundred
vendors, and an encoder would write a longer list as a bit field."""

_COST_OF_RESTRICTION = 4
"""The cost of reading a restriction, in entries, besides the entries of its own list."""

_MAX_SEGMENTS = 3
_FIXED_BITS = 199
_VERSION_BITS = slice(0, 6)
_FEATURE_BITS = slice(139, 151)
_EXPRESS_BITS = slice(151, 175)


class CanadianConsent(NamedTuple):
    """One bit for each of 24 purposes and 12 special features; the first is the highest bit."""

    purposes: int
    special_features: int

    def is_express(self, purpose: int) -> bool:
        """Return whether there is express consent to the purpose."""
        return self.purposes >> (24 - purpose) & 1 == 1

    def has_feature(self, feature: int) -> bool:
        """Return whether there is express consent to the special feature."""
        return self.special_features >> (12 - feature) & 1 == 1


class CanadianVendors(NamedTuple):
    """A digit for each vendor from 1 on, or ranges of vendors; and the highest id, if the string announced one."""

    members: str | IdRanges
    announced: int | None = None

    @property
    def matches_announced_id(self) -> bool:
        """Whether the list ends with the announced id, as that of every encoder does."""
        return self.announced in {None, self._highest()}

    def number(self) -> int:
        """Return the number of vendors without listing them; a vendor that is listed twice counts twice."""
        if isinstance(self.members, str):
            return self.members.count("1")
        return sum(max(0, last - first + 1) for first, last in self.members)

    def ids(self) -> list[int]:
        """Return the vendors in ascending order."""
        if isinstance(self.members, str):
            return [vendor for vendor, digit in enumerate(self.members, 1) if digit == "1"]
        return sorted({vendor for first, last in self.members for vendor in range(first, last + 1)})

    def _highest(self) -> int:
        if isinstance(self.members, str):
            return self.members.rfind("1") + 1
        return max((last for _, last in self.members), default=0)


class CanadianRestriction(NamedTuple):
    """A publisher restriction: its purpose, its type, and the vendors that it applies to."""

    purpose: int
    kind: int
    vendors: CanadianVendors


class CoreLists(NamedTuple):
    """The fields of the core that differ between the encodings."""

    express: CanadianVendors
    implied: CanadianVendors
    restrictions: list[CanadianRestriction]

    @property
    def matches_announced_id(self) -> bool:
        """Whether every list ends with its announced id."""
        restricted = (restriction.vendors for restriction in self.restrictions)
        return all(vendors.matches_announced_id for vendors in (self.express, self.implied, *restricted))


class PublisherPurposes(NamedTuple):
    """The publisher purposes sub-section, each field as digits."""

    express: str
    implied: str
    custom_express: str
    custom_implied: str


class CanadianSubSections(NamedTuple):
    """All sub-sections: the digits of the core's fixed fields, its lists, and the two optional sub-sections."""

    fixed: str
    lists: CoreLists
    publisher: PublisherPurposes | None
    disclosed: CanadianVendors | None


def read_canadian_consent(text: str) -> CanadianConsent:
    """Read the express consents, and check the form of everything else.

    Raises ``Unreadable``, also for a section that would take long to check.
    """
    if len(text) > MAX_CHECKED_CHARACTERS:
        raise GivenUp("long")
    fixed = read_sub_sections(text, MAX_CHECKED_ENTRIES).fixed
    return CanadianConsent(purposes=int(fixed[_EXPRESS_BITS], 2), special_features=int(fixed[_FEATURE_BITS], 2))


def read_sub_sections(text: str, entry_budget: int = UNLIMITED) -> CanadianSubSections:
    """Read all sub-sections, with at most ``entry_budget`` entries of lists. Raises ``Unreadable``."""
    segments = split_segments(text, _MAX_SEGMENTS)
    digits = DigitReader(segments[0], entry_budget)
    fixed = digits.take(_FIXED_BITS)
    if int(fixed[_VERSION_BITS], 2) != VERSION:
        raise Unreadable("an unknown version")
    lists, publisher, disclosed = _read_fitting(digits, _read_lists), None, None
    for segment in segments[1:]:
        digits = DigitReader(segment, digits.entry_budget)
        kind = digits.uint(3)
        if kind == 3 and publisher is None:
            publisher = _read_publisher(digits)
        elif kind == 1 and disclosed is None:
            disclosed = _read_fitting(digits, _read_vendors)
        else:
            raise Unreadable("a sub-section that is unknown or repeated")
    return CanadianSubSections(fixed, lists, publisher, disclosed)


def _library_vendors(digits: DigitReader) -> CanadianVendors:
    head = digits.uint(17)
    return CanadianVendors(digits.fibonacci_range() if head & 1 else digits.take(head >> 1), head >> 1)


def _old_library_vendors(digits: DigitReader) -> CanadianVendors:
    head = digits.uint(17)
    return CanadianVendors(digits.int_range() if head & 1 else digits.take(head >> 1), head >> 1)


def _old_library_restricted(digits: DigitReader) -> CanadianVendors:
    return CanadianVendors(digits.int_range())


def _specified_vendors(digits: DigitReader) -> CanadianVendors:
    if digits.uint(1):
        return CanadianVendors(digits.fibonacci_range())
    width = digits.uint(16)
    return CanadianVendors(digits.take(width), width)


class VendorEncoding(NamedTuple):
    """How an encoder writes vendors, and the vendors of a restriction."""

    vendors: Callable[[DigitReader], CanadianVendors]
    restricted: Callable[[DigitReader], CanadianVendors]


VENDOR_ENCODINGS = (
    VendorEncoding(_library_vendors, _library_vendors),
    VendorEncoding(_old_library_vendors, _old_library_restricted),
    VendorEncoding(_specified_vendors, _specified_vendors),
)


def _read_lists(digits: DigitReader, encoding: VendorEncoding) -> CoreLists:
    express, implied = encoding.vendors(digits), encoding.vendors(digits)
    restrictions = []
    # Encoders leave out the number of restrictions if there are none.
    if not digits.only_zeros_left(11):
        for _ in range(digits.uint(12)):
            digits.charge(_COST_OF_RESTRICTION)
            head = digits.uint(8)
            restrictions.append(CanadianRestriction(head >> 2, head & 3, encoding.restricted(digits)))
    return CoreLists(express, implied, restrictions)


def _read_vendors(digits: DigitReader, encoding: VendorEncoding) -> CanadianVendors:
    return encoding.vendors(digits)


def _read_publisher(digits: DigitReader) -> PublisherPurposes:
    express, implied = digits.take(24), digits.take(24)
    customs = digits.uint(6)
    publisher = PublisherPurposes(
        express=express, implied=implied, custom_express=digits.take(customs), custom_implied=digits.take(customs)
    )
    if not digits.only_zeros_left(MAX_PADDING):
        raise Unreadable("more than the announced fields")
    return publisher


class _Fitting(Protocol):
    @property
    def matches_announced_id(self) -> bool: ...


_Read = TypeVar("_Read", bound=_Fitting)


def _read_fitting(digits: DigitReader, read: Callable[[DigitReader, VendorEncoding], _Read]) -> _Read:
    """Return the result of the first encoding that ends at the padding, preferably at its announced ids too."""
    start, fitting = digits.position, []
    for encoding in VENDOR_ENCODINGS:
        digits.position = start
        try:
            result = read(digits, encoding)
        except Unreadable:
            continue
        if digits.only_zeros_left(MAX_PADDING):
            if result.matches_announced_id:
                return result
            fitting.append(result)
    if not fitting:
        raise Unreadable("lists of vendors that fit no encoding")
    return fitting[0]
