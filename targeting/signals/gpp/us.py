"""One section of US law in a GPP string: its numbers, and what they withhold.

Invariant: a section of an unknown version, with too few bits or with an unexpected sub-section is ``Unreadable``.
 Knows nothing of the string around it.
"""

from typing import NamedTuple

from targeting.signals.gpp.layouts import LAYOUTS, SENSITIVE_SEGMENT_FIELDS, VERSION_BITS, Layout, OptionalSegment
from targeting.signals.gpp.rules import LayoutRules, WithholdingField, Withholds
from targeting.signals.gpp.string import read_header_ids
from targeting.signals.segments import read_field, split_segments
from targeting.signals.unreadable import GivenUp, Unreadable

_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MAX_CHARACTERS = 512
"""A longer section is given up: twenty characters are usual, and more could only be padding."""

_LOWEST_HEADED = 24
"""The lowest section that may begin with its own id; otherwise it begins with the MSPA's version, which is lower."""


class PreparedLayout(NamedTuple):
    """A layout with the number of bits of its core, and the rules for its numbers."""

    layout: Layout
    width: int
    rules: LayoutRules


class UsSection(NamedTuple):
    """The content of a section.

    ``numbers`` ends with the last field of the core in its layout; ``other`` is the same core in the other layout that
    it fits, if there is one; ``header`` lists sub-sections.
    """

    prepared: PreparedLayout
    numbers: int
    gpc: int | None = None
    sensitive: int | None = None
    header: tuple[int, ...] | None = None
    other: tuple[PreparedLayout, int] | None = None

    def withholds(self) -> int:
        """Return what the section withholds, as the number of a ``Withholds``; of two layouts, all that either does."""
        if self.gpc is not None and self.gpc & 1:
            return 7
        withheld = self.prepared.rules.withholds(self.numbers)
        if self.other is not None:
            prepared, numbers = self.other
            withheld |= prepared.rules.withholds(numbers)
        if self.sensitive is not None:
            withheld |= _SENSITIVE_RULES.withholds(self.sensitive)
        return withheld

    def withholding_fields(self) -> list[WithholdingField]:
        """Return the fields that withhold something."""
        section_id = self.prepared.layout.section_id
        found = self.prepared.rules.withholding_fields(section_id, self.numbers)
        if self.other is not None:
            prepared, numbers = self.other
            found += [field for field in prepared.rules.withholding_fields(section_id, numbers) if field not in found]
        if self.sensitive is not None:
            found += _SENSITIVE_RULES.withholding_fields(section_id, self.sensitive)
        if self.gpc is not None and self.gpc & 1:
            found.append(WithholdingField(section_id, "Gpc", value=1, withholds=Withholds.EVERYTHING))
        return found


def _prepare_layout(layout: Layout) -> PreparedLayout:
    numbers = sum(len(field.national_names) for field in layout.fields)
    return PreparedLayout(layout, VERSION_BITS + 2 * numbers, LayoutRules(layout.fields))


def _by_first_character() -> dict[tuple[int, str], PreparedLayout]:
    """Return the layouts by section and first character, which encodes the version."""
    prepared_layouts = {}
    for layouts in LAYOUTS.values():
        for layout in layouts:
            prepared = _prepare_layout(layout)
            versions = range(_LOWEST_HEADED) if layout.version is None else (layout.version,)
            for version in versions:
                prepared_layouts[layout.section_id, _CHARACTERS[version]] = prepared
    return prepared_layouts


_PREPARED_LAYOUTS = _by_first_character()
_NATIONAL_1, _NATIONAL_2 = _PREPARED_LAYOUTS[7, "B"], _PREPARED_LAYOUTS[7, "C"]
_SENSITIVE_RULES = LayoutRules(SENSITIVE_SEGMENT_FIELDS)
_SENSITIVE_WIDTH = 2 * sum(len(field.national_names) for field in SENSITIVE_SEGMENT_FIELDS)


def read_us_section(section_id: int, text: str) -> UsSection:
    """Read the section ``section_id``, which is one of ``LAYOUTS``. Raises ``Unreadable``."""
    if len(text) > MAX_CHARACTERS:
        raise GivenUp("long")
    prepared = _PREPARED_LAYOUTS.get((section_id, text[0]))
    header = None
    if prepared is None:
        header, text = _take_header(section_id, text)
        prepared = _PREPARED_LAYOUTS.get((section_id, text[0]))
        if prepared is None:
            raise Unreadable("a section of an unknown version")
    segments = split_segments(text, 2)
    core = segments[0]
    other = None
    if prepared is _NATIONAL_1 and len(core) * 6 >= _NATIONAL_2.width:
        # Unreleased libraries wrote the longer layout as version 1; others may have padded the shorter one.
        prepared, other = _NATIONAL_2, (_NATIONAL_1, _read_bits(core, _NATIONAL_1.width))
    numbers = _read_bits(core, prepared.width)
    if len(segments) == 1:
        return UsSection(prepared, numbers, header=header, other=other)
    gpc, sensitive = _read_optional(prepared.layout.optional_segment, segments[1])
    return UsSection(prepared, numbers, gpc=gpc, sensitive=sensitive, header=header, other=other)


def _read_bits(segment: bytes, width: int) -> int:
    if len(segment) * 6 < width:
        raise Unreadable("ends inside a field")
    return read_field(segment, 0, width)


def _read_optional(kind: OptionalSegment, segment: bytes) -> tuple[int | None, int | None]:
    """Read the optional sub-section: GPC (two bits of type, one of answer) or the sensitive categories."""
    if kind is OptionalSegment.GPC:
        gpc = _read_bits(segment, 3)
        # The type is 1, but some writers leave the core's 0, which no library checks.
        if gpc >> 1 > 1:
            raise Unreadable("a sub-section of an unknown type")
        return gpc, None
    if kind is OptionalSegment.SENSITIVE:
        return None, _read_bits(segment, _SENSITIVE_WIDTH)
    raise Unreadable("a sub-section that this section cannot have")


def _take_header(section_id: int, text: str) -> tuple[tuple[int, ...], str]:
    """Remove the header, which sections 24 to 27 have by their specification, but not when the library wrote them.

    It lists the sub-sections that follow. Fibonacci coding cannot express the core's id 0, so some lists count the
    core as 1; such a list has a second id, so a sub-section that was cut off is always noticed.
    """
    header, _, rest = text.partition(".")
    if LAYOUTS[section_id][0].version is not None or not rest:
        raise Unreadable("a section of an unknown version")
    ids = read_header_ids(header, section_id)
    if rest.count(".") != len(ids) - (len(ids) > 1):
        raise Unreadable("more or fewer sub-sections than its header lists")
    return ids, rest
