"""One section of US law of a GPP string: the numbers it holds, and what they withhold.

Invariant: a section of an unknown version, with too few bits or with a sub-section it should not have is
``Unreadable``. Knows nothing of the string around it.
"""

from typing import NamedTuple

from targeting.signals.gpp.layouts import LAYOUTS, SENSITIVE_EXTRA, VERSION_BITS, Extra, Layout
from targeting.signals.gpp.rules import Finding, Judge, Withholds
from targeting.signals.gpp.string import read_ids
from targeting.signals.segments import field, split
from targeting.signals.unreadable import Unreadable

_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MAX_CHARACTERS = 512
"""A longer section is given up. Twenty characters are usual; the rest could only be padding."""

_LOWEST_HEADED = 24
"""The lowest section that may begin with its id. The MSPA's version, which begins it otherwise, is lower."""


class Arrangement(NamedTuple):
    """A layout, made ready: how many bits its core has, and the judge of their numbers."""

    layout: Layout
    width: int
    judge: Judge


class UsSection(NamedTuple):
    """What a section holds. ``numbers`` ends with the core's last field; ``header`` lists sub-sections."""

    arrangement: Arrangement
    numbers: int
    gpc: int | None
    sensitive: int | None
    header: tuple[int, ...] | None

    def withholds(self) -> int:
        """Return what the section withholds, as the number of a ``Withholds``."""
        if self.gpc is not None and self.gpc & 1:
            return 7
        withheld = self.arrangement.judge.withholds(self.numbers)
        if self.sensitive is not None:
            withheld |= _SENSITIVE_JUDGE.withholds(self.sensitive)
        return withheld

    def findings(self) -> list[Finding]:
        """Name the fields that withhold something."""
        section_id = self.arrangement.layout.section_id
        found = self.arrangement.judge.findings(section_id, self.numbers)
        if self.sensitive is not None:
            found += _SENSITIVE_JUDGE.findings(section_id, self.sensitive)
        if self.gpc is not None and self.gpc & 1:
            found.append(Finding(section_id, "Gpc", 1, Withholds.EVERYTHING))
        return found


def _arrange(layout: Layout) -> Arrangement:
    numbers = sum(len(field.means) for field in layout.fields)
    return Arrangement(layout, VERSION_BITS + 2 * numbers, Judge(layout.fields))


def _by_first_character() -> dict[tuple[int, str], Arrangement]:
    """Return the arrangements by section and first character, which holds the version."""
    arrangements = {}
    for layouts in LAYOUTS.values():
        for layout in layouts:
            arrangement = _arrange(layout)
            versions = range(_LOWEST_HEADED) if layout.version is None else (layout.version,)
            for version in versions:
                arrangements[layout.section_id, _CHARACTERS[version]] = arrangement
    return arrangements


_ARRANGEMENTS = _by_first_character()
_NATIONAL_2 = _ARRANGEMENTS[7, "C"]
_SENSITIVE_JUDGE = Judge(SENSITIVE_EXTRA)
_SENSITIVE_WIDTH = 2 * sum(len(field.means) for field in SENSITIVE_EXTRA)


def read_us_section(section_id: int, text: str) -> UsSection:
    """Read the section ``section_id``, which is one of ``LAYOUTS``. Raises ``Unreadable``."""
    if len(text) > MAX_CHARACTERS:
        raise Unreadable("given up: long")
    arrangement = _ARRANGEMENTS.get((section_id, text[0]))
    header = None
    if arrangement is None:
        header, text = _take_header(section_id, text)
        arrangement = _ARRANGEMENTS.get((section_id, text[0]))
        if arrangement is None:
            raise Unreadable("a section of an unknown version")
    segments = split(text, 2)
    core = segments[0]
    # Libraries between the releases wrote the longer layout with the version still 1.
    if section_id == 7 and len(core) * 6 >= _NATIONAL_2.width:
        arrangement = _NATIONAL_2
    numbers = _read_bits(core, arrangement.width)
    if len(segments) == 1:
        return UsSection(arrangement, numbers, None, None, header)
    gpc, sensitive = _read_extra(arrangement.layout.extra, segments[1])
    return UsSection(arrangement, numbers, gpc, sensitive, header)


def _read_bits(segment: bytes, width: int) -> int:
    if len(segment) * 6 < width:
        raise Unreadable("ends inside a field")
    return field(segment, 0, width)


def _read_extra(extra: Extra, segment: bytes) -> tuple[int | None, int | None]:
    """Read the optional sub-section: the three bits of GPC, type and answer, or the sensitive categories."""
    if extra is Extra.GPC:
        gpc = _read_bits(segment, 3)
        # The type is 1. Libraries do not check it, and 0, the core's, is seen; any other is something else.
        if gpc >> 1 > 1:
            raise Unreadable("a sub-section of an unknown type")
        return gpc, None
    if extra is Extra.SENSITIVE:
        return None, _read_bits(segment, _SENSITIVE_WIDTH)
    raise Unreadable("a sub-section that this section does not have")


def _take_header(section_id: int, text: str) -> tuple[tuple[int, ...], str]:
    """Take off the header that sections 24 to 27 have by their specification, but not from the library.

    It lists the sub-sections that follow. The core's id is 0, which Fibonacci coding cannot express; a list that
    counts it, as 1, is told by its second id, so that a sub-section that was cut off is always missed.
    """
    header, _, rest = text.partition(".")
    if LAYOUTS[section_id][0].version is not None or not rest:
        raise Unreadable("a section of an unknown version")
    ids = read_ids(header, section_id)
    if rest.count(".") != len(ids) - (len(ids) > 1):
        raise Unreadable("more or fewer sub-sections than its header lists")
    return ids, rest
