"""The publisher restrictions of a TC string: which vendors a publisher restricts in which purpose.

IAB "Consent string and vendor list formats v2", Publisher Restrictions Section. The restrictions are consecutive lists
of entries of 17 or 33 bits, so only a walk over all of them shows that the last one ends inside the segment. A few
entries are read one by one. For many, numpy reads and checks all ids at once; a list whose entries all have the same
width, such as one that names vendor by vendor, needs no walk.

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
from targeting.signals.unreadable import GivenUp, Unreadable

MAX_RESTRICTIONS = 128
"""Restrictions of one string. There are 24 purposes and three types, but some writers repeat a pair."""

MAX_WALKED = 4_096
"""Entries of one string in lists that mix both widths, which are walked one by one."""

_HEAD_BITS = 20
_SINGLE_BITS, _RANGE_BITS = 17, 33
_MANY = 16
_LONG_BITS = 5000
"""From this many restrictions, or bits that may hold some, numpy reads them: below, it takes longer than it saves."""

_MIN_UNIFORM = 32
"""Entries from which a check for a common width is faster than a walk."""


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


def read_restrictions(characters: bytes, offset: int, number: int) -> Restrictions:
    """Read the ``number`` restrictions that begin at ``offset`` of a segment. Raises ``Unreadable``."""
    if number > MAX_RESTRICTIONS:
        raise GivenUp("more publisher restrictions than any encoder writes")
    if number >= _MANY or len(characters) * 6 - offset >= _LONG_BITS:
        return _read_many(characters, offset, number)
    return _read_few(characters, offset, number)


def _read_few(characters: bytes, offset: int, number: int) -> FewRestrictions:
    restrictions = []
    for _ in range(number):
        purpose, kind, count = _split_head(read_field(characters, offset, _HEAD_BITS))
        entries, offset = read_entries(characters, offset + _HEAD_BITS, count)
        if not all(0 < entry >> 16 <= entry & 0xFFFF for entry in entries):
            raise _impossible()
        restrictions.append((purpose, kind, RangeEntries(entries)))
    return FewRestrictions(restrictions)


def _read_many(characters: bytes, offset: int, number: int) -> ManyRestrictions:
    data, position, end = _decode_rest(characters, offset)
    flags = np.unpackbits(np.frombuffer(data, np.uint8)).tobytes()
    # The heads of lists that were walked come first, as their entries do.
    heads: list[tuple[int, int, int]] = []
    uniform_heads: list[tuple[int, int, int]] = []
    walked: list[int] = []
    uniform: list[NDArray[np.intp]] = []
    for _ in range(number):
        octet = position >> 3
        word = int.from_bytes(data[octet : octet + 4], "big")
        head = _split_head(word >> 12 - (position & 7) & (1 << _HEAD_BITS) - 1)
        count = head[2]
        position += _HEAD_BITS
        if position + _SINGLE_BITS * count > end:
            raise Unreadable("fewer entries than announced")
        width = _common_width(flags, position, count) if count >= _MIN_UNIFORM else 0
        if width:
            uniform_heads.append(head)
            uniform.append(np.arange(position, position + width * count, width))
            position += width * count
            continue
        heads.append(head)
        if len(walked) + count > MAX_WALKED:
            raise GivenUp("more entries of mixed widths than any encoder writes")
        for _ in range(count):
            walked.append(position)
            position += _RANGE_BITS if flags[position] else _SINGLE_BITS
    if position > end:
        raise Unreadable("fewer entries than announced")
    first, last = _read_ids(data, flags, np.concatenate([np.array(walked, np.intp), *uniform]))
    purposes, kinds, counts = np.array(heads + uniform_heads, np.uint16).T
    return ManyRestrictions(purposes=purposes.repeat(counts), types=kinds.repeat(counts), first=first, last=last)


def _common_width(flags: bytes, position: int, count: int) -> int:
    """Return the width that all entries of a list have, or 0 if it mixes both or ends too early."""
    for is_range, width in enumerate((_SINGLE_BITS, _RANGE_BITS)):
        if flags[position : position + width * count : width].count(is_range) == count:
            return width
    return 0


def _decode_rest(characters: bytes, offset: int) -> tuple[bytes, int, int]:
    """Decode a segment from ``offset`` on, with zero bits after it; return where it begins and where it ends."""
    quads = characters[offset // 24 * 4 :]
    data = a2b_base64(quads + b"A" * (-len(quads) & 3))
    return data + bytes(_RANGE_BITS), offset % 24, len(quads) * 6


def _read_ids(data: bytes, flags: bytes, starts: NDArray[np.intp]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the first and last ids of the entries at ``starts``. Raises ``Unreadable`` for an impossible range."""
    octets = np.frombuffer(data, np.uint8).astype(np.int32)

    def ids(offsets: NDArray[np.intp]) -> NDArray[np.int32]:
        index = offsets >> 3
        triples = octets[index] << 16 | octets[index + 1] << 8 | octets[index + 2]
        found: NDArray[np.int32] = triples >> (8 - (offsets & 7)).astype(np.int32) & 0xFFFF
        return found

    first = ids(starts + 1)
    last = first.copy()
    ranges = np.frombuffer(flags, np.bool_)[starts]
    last[ranges] = ids(starts[ranges] + _SINGLE_BITS)
    if not (first.all() and (first <= last).all()):
        raise _impossible()
    return first, last


def _split_head(head: int) -> tuple[int, int, int]:
    """Return purpose, type and number of entries."""
    purpose, kind, count = head >> 14, head >> 12 & 3, head & 0xFFF
    if purpose == 0 or kind == 3:
        raise Unreadable("an undefined publisher restriction")
    return purpose, kind, count


def _impossible() -> Unreadable:
    """A restriction of no vendor: it is unknown which vendors it was meant for."""
    return Unreadable("a publisher restriction of an impossible range of vendors")
