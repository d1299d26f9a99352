"""The publisher restrictions of a TC string: which vendors a publisher restricts in which purpose.

IAB "Consent string and vendor list formats v2", Publisher Restrictions Section. The restrictions are consecutive lists
of entries of 17 or 33 bits, so only a walk over all of them shows that the last one ends inside the segment. A few
entries are read one by one; for many, the walk only finds where entries begin, and numpy reads and checks them at once.

Invariant: a restriction that cannot be understood makes the string unreadable, and the cost is bounded whatever a
string announces. Knows nothing of the effect of a restriction on a legal basis.
"""

from binascii import a2b_base64
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from targeting.signals.segments import read_field
from targeting.signals.tcf.vendor_section import RangeEntries, read_entries
from targeting.signals.unreadable import Unreadable

COST = 10
"""The cost of reading a restriction besides its entries, in entries read one by one."""

_HEAD_BITS = 20
_SINGLE_BITS, _RANGE_BITS = 17, 33
_MANY = 16
_LONG_BITS = 5000
"""From this many restrictions, or bits that may hold some, numpy reads them: below, it takes longer than it saves."""


class FewRestrictions(NamedTuple):
    """A few restrictions, each as PurposeId, RestrictionType and vendors."""

    restrictions: Sequence[tuple[int, int, RangeEntries]]

    def kinds(self, purpose: int, vendor: int) -> list[int]:
        """Return the types of the vendor's restrictions in the purpose."""
        return [
            kind for restricted, kind, vendors in self.restrictions if restricted == purpose and vendors.has(vendor)
        ]


class ManyRestrictions(NamedTuple):
    """Many restrictions: the purpose, the type, and the first and last vendor of each entry."""

    purposes: NDArray[np.uint16]
    types: NDArray[np.uint16]
    first: NDArray[np.int32]
    last: NDArray[np.int32]

    def kinds(self, purpose: int, vendor: int) -> list[int]:
        """Return the types of the vendor's restrictions in the purpose."""
        matches = (self.purposes == purpose) & (self.first <= vendor) & (vendor <= self.last)
        found: list[int] = self.types[matches].tolist()
        return found


Restrictions = FewRestrictions | ManyRestrictions
NO_RESTRICTIONS = FewRestrictions(())


def read_restrictions(characters: bytes, offset: int, number: int, allowance: int) -> Restrictions:
    """Read the ``number`` restrictions that begin at ``offset`` of a segment, within a cost allowance.

    Raises ``Unreadable``.
    """
    if number * COST > allowance:
        raise _given_up()
    if number >= _MANY or len(characters) * 6 - offset >= _LONG_BITS:
        return _at_once(characters, offset, number, allowance - number * COST)
    return _one_by_one(characters, offset, number, allowance - number * COST)


def _one_by_one(characters: bytes, offset: int, number: int, allowance: int) -> Restrictions:
    restrictions = []
    for _ in range(number):
        purpose, kind, count = _head(read_field(characters, offset, _HEAD_BITS))
        allowance -= count
        if allowance < 0:
            raise _given_up()
        entries, offset = read_entries(characters, offset + _HEAD_BITS, count)
        if not all(0 < entry >> 16 <= entry & 0xFFFF for entry in entries):
            raise _impossible()
        restrictions.append((purpose, kind, RangeEntries(entries)))
    return FewRestrictions(restrictions)


def _at_once(characters: bytes, offset: int, number: int, allowance: int) -> Restrictions:
    data, position, end = _octets(characters, offset, number * _HEAD_BITS + allowance * _RANGE_BITS)
    is_range = np.unpackbits(np.frombuffer(data, np.uint8))
    widths = (is_range * np.uint8(_RANGE_BITS - _SINGLE_BITS) + np.uint8(_SINGLE_BITS)).tobytes()
    heads: list[tuple[int, int, int]] = []
    starts: list[int] = []
    for _ in range(number):
        octet = position >> 3
        head = int.from_bytes(data[octet : octet + 4], "big") >> 12 - (position & 7) & (1 << _HEAD_BITS) - 1
        purpose, kind, count = _head(head)
        allowance -= count
        if allowance < 0:
            raise _given_up()
        position += _HEAD_BITS
        if position + count * _SINGLE_BITS > end:
            raise Unreadable("fewer entries than announced")
        for _ in range(count):
            starts.append(position)
            position += widths[position]
        heads.append((purpose, kind, count))
    if position > end:
        raise Unreadable("fewer entries than announced")
    first, last = _ids(data, is_range, np.array(starts, np.intp))
    if not (first.all() and (first <= last).all()):
        raise _impossible()
    purposes, kinds, counts = np.array(heads, np.uint16).T
    return ManyRestrictions(purposes.repeat(counts), kinds.repeat(counts), first, last)


def _octets(characters: bytes, offset: int, width: int) -> tuple[bytes, int, int]:
    """Decode ``width`` bits and append as many zero bits; return where they begin, and where the segment ends."""
    first = offset // 24 * 4
    quads = characters[first : first + (offset % 24 + width) // 6 + 4]
    data = a2b_base64(quads + b"A" * (-len(quads) & 3))
    return data + bytes((width >> 3) + 8), offset % 24, (len(characters) - first) * 6


def _ids(
    data: bytes, is_range: NDArray[np.uint8], starts: NDArray[np.intp]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the first and last ids of the entries at ``starts``."""
    octets = np.frombuffer(data, np.uint8).astype(np.int32)
    triples = octets[:-2] << 16 | octets[1:-1] << 8 | octets[2:]

    def ids(offsets: NDArray[np.intp]) -> NDArray[np.int32]:
        found: NDArray[np.int32] = triples[offsets >> 3] >> (8 - (offsets & 7)).astype(np.int32) & 0xFFFF
        return found

    first = ids(starts + 1)
    return first, np.where(is_range[starts], ids(starts + _SINGLE_BITS), first)


def _head(head: int) -> tuple[int, int, int]:
    purpose, kind, count = head >> 14, head >> 12 & 3, head & 0xFFF
    if purpose == 0 or kind == 3:
        raise Unreadable("an undefined publisher restriction")
    return purpose, kind, count


def _given_up() -> Unreadable:
    return Unreadable("given up: more publisher restrictions than any encoder writes")


def _impossible() -> Unreadable:
    """A restriction of no vendor: it is unknown which vendors it was meant for."""
    return Unreadable("a publisher restriction of an impossible range of vendors")
