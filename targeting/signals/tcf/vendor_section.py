"""The vendor sections of a TC string: whether a vendor is in one, without expanding the section.

A section is a bit field or a list of ranges (IAB "Consent string and vendor list formats v2", Vendor Consent
Section). A list has no index, and its entries are 17 or 33 bits wide, so finding its end takes a walk. It usually
consists of a few runs of entries of one width, and all entries of a run are compared at once, as one number.

Invariant: nothing past the end of the segment counts, and the cost is bounded whatever a section announces.
Knows nothing of purposes, nor of what membership means.
"""

from collections.abc import Sequence
from typing import NamedTuple

from targeting.signals.segments import SIX_BITS, decode_window, read_field
from targeting.signals.unreadable import GivenUp, Unreadable

MAX_UNEVEN = 96
"""Entries of a list of more than eight runs, which are read one by one. An encoder writes a list where it is shorter
than the bit field: with 1,500 vendors, for up to 88 single ids."""

_MAX_RUNS = 8
_MAX_ENTRIES = 4095
_MAX_LIST = 17 * _MAX_ENTRIES
_FEW = 4
_BLOCK = 32
_SINGLE, _RANGE = 17, 33
_ID = 0xFFFF
_IS_RANGE = 1 << 32
_HEAD = (1 << 29) - 1
_ENTRY = (1 << 33) - 1
_FIRST_BITS = {
    width: ((1 << width * _MAX_ENTRIES) - 1) // ((1 << width) - 1) << (width - 1) for width in (_SINGLE, _RANGE)
}
_USUAL = 128
_FIRST_BITS_OF = {
    width: [bits >> width * (_MAX_ENTRIES - count) for count in range(_USUAL)] for width, bits in _FIRST_BITS.items()
}
"""The first bits of fewer than ``_USUAL`` entries: the lookup makes most lists a tenth faster to read."""


class BitField:
    """A section with one bit for each vendor, from vendor 1 at ``offset`` up to ``max_id``."""

    __slots__ = ("characters", "max_id", "offset")

    entry_cost = 0

    def __init__(self, characters: bytes, offset: int, max_id: int) -> None:
        self.characters = characters
        self.offset = offset
        self.max_id = max_id

    def has(self, vendor: int) -> bool:
        """Return whether the vendor's bit is set."""
        if vendor > self.max_id:
            return False
        offset = self.offset + vendor - 1
        return SIX_BITS[self.characters[offset // 6]] >> (5 - offset % 6) & 1 == 1


class RangeEntries:
    """A list of ranges, each as 65,536 times its first id plus its last id; ``entry_cost`` is their count."""

    __slots__ = ("entries", "entry_cost")

    def __init__(self, entries: list[int]) -> None:
        self.entries = entries
        self.entry_cost = len(entries)

    def has(self, vendor: int) -> bool:
        """Return whether an entry holds the vendor. An entry that ends before it starts is empty."""
        highest = vendor << 16 | _ID
        for entry in self.entries:  # noqa: SIM110 - a generator takes longer than most lists
            if entry <= highest and entry & _ID >= vendor:
                return True
        return False


class EntryRuns:
    """A list of ranges as a few runs, each with the width and count of its entries and the number of bits after it.

    ``entry_cost`` is the cost of reading the list, in entries read one by one.
    """

    __slots__ = ("bits", "entry_cost", "runs")

    def __init__(self, bits: int, runs: list[tuple[int, int, int]], count: int) -> None:
        self.bits = bits
        self.runs = runs
        self.entry_cost = count >> 4

    def has(self, vendor: int) -> bool:
        """Return whether an entry of one of the runs holds the vendor."""
        bits = self.bits
        for width, count, right in self.runs:
            entries = bits >> right & ((1 << width * count) - 1)
            if count < _USUAL:
                first_bits = _FIRST_BITS_OF[width][count]
            else:
                first_bits = _FIRST_BITS[width] >> width * (_MAX_ENTRIES - count)
            if width == _SINGLE:
                if _singles_have(entries, first_bits, vendor):
                    return True
            elif _ranges_have(entries, first_bits, vendor):
                return True
        return False


VendorSection = BitField | RangeEntries | EntryRuns


class Intersection(NamedTuple):
    """The vendors that are in every one of several sections."""

    sections: Sequence[VendorSection]

    def has(self, vendor: int) -> bool:
        """Return whether every section holds the vendor."""
        return all(section.has(vendor) for section in self.sections)


VendorSet = VendorSection | Intersection
NO_VENDORS = RangeEntries([])


def read_section(characters: bytes, bits: int, top: int, offset: int) -> tuple[VendorSection, int]:
    """Read the section at ``offset`` of a segment; return it and the offset of its end, possibly past the segment.

    ``bits`` and ``top`` are a decoded window of the segment; the section may extend beyond it.
    """
    end = offset + 29
    head = bits >> (top - end) & _HEAD if end <= top else read_field(characters, offset, 29)
    if head & 0x1000:
        return _read_list(characters, bits, top, end, head & 0xFFF)
    max_id = head >> 13
    return BitField(characters, offset + 17, max_id), offset + 17 + max_id


def read_entries(characters: bytes, offset: int, count: int) -> tuple[list[int], int]:
    """Read ``count`` entries in the form of ``RangeEntries``; return them and the offset of their end."""
    size = len(characters) * 6
    entries: list[int] = []
    while count and offset < size:
        block = min(count, _BLOCK)
        width = _RANGE * block
        some, left = _walk(read_field(characters, offset, width), width, block)
        entries += some
        offset += width - left
        count -= block
    if count or offset > size:
        raise Unreadable("fewer entries than announced")
    return entries, offset


def _read_list(characters: bytes, bits: int, top: int, offset: int, count: int) -> tuple[VendorSection, int]:
    """Read a list of ``count`` entries; return it and the offset of its end."""
    size = len(characters) * 6
    if offset + _SINGLE * count > size:
        raise Unreadable("fewer entries than announced")
    if offset + _RANGE * count > top < size:
        bits, top = decode_window(characters, offset, min(_RANGE * count, _MAX_LIST))
    if count <= _FEW:
        entries, left = _walk(bits, top - offset, count)
        return RangeEntries(entries), top - left
    runs, left = _find_runs(bits, top - offset, count)
    if runs:
        return EntryRuns(bits, runs, count), top - left
    if count > MAX_UNEVEN:
        raise GivenUp("a list that is too long or too uneven")
    entries, end = read_entries(characters, offset, count)
    return RangeEntries(entries), end


def _walk(bits: int, left: int, count: int) -> tuple[list[int], int]:
    """Read ``count`` entries that begin ``left`` bits from the right; return them and the number of bits left."""
    entries = []
    for _ in range(count):
        entry = bits >> (left - _RANGE) & _ENTRY
        if entry < _IS_RANGE:
            entries.append((entry >> 16) * 0x10001)
            left -= _SINGLE
        else:
            entries.append(entry - _IS_RANGE)
            left -= _RANGE
    return entries, left


def _find_runs(bits: int, left: int, count: int) -> tuple[list[tuple[int, int, int]], int]:
    """Split the list that begins ``left`` bits from the right into runs; return them and the number of bits left.

    Returns no runs if there are more than ``_MAX_RUNS``, or if the list extends beyond the bits.
    """
    runs = []
    width = _RANGE if bits >> (left - 1) & 1 else _SINGLE
    for _ in range(_MAX_RUNS):
        fit = left // width
        if fit > count:
            fit = count
        elif fit == 0:
            break
        first_bits = _FIRST_BITS_OF[width][fit] if fit < _USUAL else _FIRST_BITS[width] >> width * (_MAX_ENTRIES - fit)
        others = bits >> (left - width * fit) & first_bits
        if width == _RANGE:
            others ^= first_bits
        # The leftmost entry of the other width ends the run.
        length = fit - others.bit_length() // width
        left -= width * length
        runs.append((width, length, left))
        count -= length
        if not count:
            return runs, left
        width = _SINGLE + _RANGE - width
    return [], left


def _singles_have(entries: int, first_bits: int, vendor: int) -> bool:
    """Compare all ids at once: a first bit survives the subtraction where the difference is zero."""
    return (first_bits - (entries ^ (first_bits >> 16) * vendor)) & first_bits != 0


def _ranges_have(entries: int, first_bits: int, vendor: int) -> bool:
    """Compare all ranges at once: bits are carried where first id <= vendor and where vendor <= last id."""
    ones = first_bits >> 32
    reached = (first_bits << 1) + ones * (vendor << 16 | _ID) - entries
    not_passed = (entries & ones * _ID) + ones * (0x10000 - vendor)
    return reached >> 16 & not_passed & ones << 16 != 0
