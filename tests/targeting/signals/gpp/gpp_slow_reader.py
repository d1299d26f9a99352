"""A reader of GPP strings that is slow and obviously right: it takes one bit after the other from a list.

It knows the layouts of the US sections from the official library, and nothing of the code that it is compared with.
Of section 2, whose fields have a slow reader of their own, it reads nothing.
"""

from typing import Any

from tests.targeting.signals.gpp.gpp_encoder import ALPHABET
from tests.targeting.signals.gpp.gpp_vectors import LibrarySection, section

MOST_CHARACTERS = 32_768
MOST_HEADER_CHARACTERS = 128
MOST_US_CHARACTERS = 512
HIGHEST_ID = 65_535
MOST_SECTIONS = 127


class Refused(Exception):
    """The string is not well formed."""


def refuse_unless(condition: object) -> None:
    """Refuse the string if the condition does not hold."""
    if not condition:
        raise Refused


class Reader:
    """Takes bits from the left."""

    def __init__(self, text: str) -> None:
        refuse_unless(text)
        self.bits: list[int] = []
        for character in text:
            refuse_unless(character in ALPHABET)
            value = ALPHABET.index(character)
            self.bits += [value >> shift & 1 for shift in (5, 4, 3, 2, 1, 0)]

    def bit(self) -> int:
        """Take one bit."""
        refuse_unless(self.bits)
        return self.bits.pop(0)

    def uint(self, width: int) -> int:
        """Take an Integer (fixed length)."""
        value = 0
        for _ in range(width):
            value = value * 2 + self.bit()
        return value

    def fibonacci(self) -> int:
        """Take an Integer (Fibonacci)."""
        value, number, following, previous = 0, 1, 2, 0
        while True:
            digit = self.bit()
            if digit and previous:
                return value
            refuse_unless(number <= 46_368)
            value += digit * number
            number, following, previous = following, number + following, digit

    def fibonacci_range(self, highest: int) -> list[int]:
        """Take a Range (Fibonacci)."""
        ids: list[int] = []
        last = 0
        for _ in range(self.uint(12)):
            is_group = self.bit()
            first = last + self.fibonacci()
            last = first + self.fibonacci() if is_group else first
            refuse_unless(last <= highest)
            ids += range(first, last + 1)
        return ids


def read_header(text: str, kind: int) -> list[int]:
    """Return the ids in a header of the given type."""
    refuse_unless(len(text) <= MOST_HEADER_CHARACTERS)
    reader = Reader(text)
    refuse_unless(reader.uint(6) == kind)
    refuse_unless(reader.uint(6) == 1)
    ids = reader.fibonacci_range(HIGHEST_ID)
    refuse_unless(len(ids) <= MOST_SECTIONS)
    refuse_unless(not any(reader.bits))
    return ids


def layout_of(section_id: int, core: str) -> LibrarySection:
    """Find the layout by the version at the start of the core, and for the national section by its length."""
    version = Reader(core).uint(6)
    if section_id >= 24:
        refuse_unless(version < 24)
        return section(section_id)
    refuse_unless(version == 1 or (section_id, version) == (7, 2))
    if section_id == 7 and len(core) * 6 >= 70:
        return section(7, 2)
    return section(section_id, version)


def read_us(section_id: int, text: str) -> dict[str, Any]:
    """Return the fields of a US section."""
    refuse_unless(len(text) <= MOST_US_CHARACTERS)
    core, *extras = text.split(".")
    fields: dict[str, Any] = {}
    if section_id >= 24 and Reader(core).uint(6) == section_id:
        ids = read_header(core, section_id)
        # The core stands before the sub-sections; a list of several counts it.
        refuse_unless(len(extras) == (len(ids) if len(ids) > 1 else len(ids) + 1))
        fields |= {"SectionID": section_id, "Version": 1, "SubSections": ids}
        core, *extras = extras
    refuse_unless(len(extras) <= 1)
    layout, reader = layout_of(section_id, core), Reader(core)
    for field in layout.core:
        values = [reader.uint(field.width) for _ in range(field.size or 1)]
        fields[field.name] = values if field.size else values[0]
    if section_id == 7 and fields["Version"] == 1:
        fields["SensitiveDataProcessing"] = fields["SensitiveDataProcessing"][:12]
        fields["KnownChildSensitiveDataConsents"] = fields["KnownChildSensitiveDataConsents"][:2]
    refuse_unless(layout.extra or not extras)
    if layout.extra:
        fields[f"{layout.extra}SegmentIncluded"] = bool(extras)
    if extras and layout.extra == "Gpc":
        reader = Reader(extras[0])
        fields["GpcSegmentType"], fields["Gpc"] = reader.uint(2), reader.bit() == 1
        refuse_unless(fields["GpcSegmentType"] in {0, 1})
    elif extras:
        reader = Reader(extras[0])
        fields["SensitiveDataProcessing"] = [reader.uint(2) for _ in range(8)]
    return fields


def read_us_privacy(text: str) -> dict[str, Any]:
    """Return the fields of section 6."""
    refuse_unless(len(text) == 4 and text[0] == "1")
    refuse_unless(all(character in "YNyn-" for character in text[1:]))
    names = ("Notice", "OptOutSale", "LspaCovered")
    return {"Version": 1, **{name: answer.upper() for name, answer in zip(names, text[1:], strict=True)}}


def read(text: str) -> dict[int, dict[str, Any] | None]:
    """Return the fields of the US sections and of section 6, and None for the others."""
    refuse_unless(len(text) <= MOST_CHARACTERS)
    refuse_unless(all(ord(character) < 128 for character in text))
    first, *parts = text.split("~")
    ids = read_header(first, 3)
    refuse_unless(len(ids) == len(parts) and all(parts))
    sections: dict[int, dict[str, Any] | None] = {}
    for section_id, part in zip(ids, parts, strict=True):
        if section_id == 6:
            sections[section_id] = read_us_privacy(part)
        else:
            sections[section_id] = read_us(section_id, part) if 7 <= section_id <= 27 else None
    return sections
