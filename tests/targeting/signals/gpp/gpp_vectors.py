"""The vectors of ``tests/data/vectors``, and the layouts of the official library that came with them."""

import json
from pathlib import Path
from typing import Any, NamedTuple

_DATA = Path(__file__).parents[3] / "data" / "vectors"


def load(name: str) -> dict[str, Any]:
    """Read one file of vectors."""
    content: dict[str, Any] = json.loads((_DATA / name).read_text(encoding="utf-8"))
    return content


GPP = load("gpp.json")
MORE = load("gpp-more.json")


class LibraryField(NamedTuple):
    """A field of a US section in the library's terms: its width, and how many numbers its list has, or 0."""

    name: str
    width: int
    size: int


def _library_fields(segment: dict[str, Any]) -> list[LibraryField]:
    fields = []
    for field in segment["fields"]:
        listed = str(field["w"]).startswith("2x")
        fields.append(LibraryField(field["name"], 2 if listed else field["w"], int(field["w"][2:]) if listed else 0))
    return fields


def _national_1(fields: list[LibraryField]) -> list[LibraryField]:
    """Version 1, which the library writes by cutting the lists of version 2."""
    sizes = {"SensitiveDataProcessing": 12, "KnownChildSensitiveDataConsents": 2}
    return [field._replace(size=sizes.get(field.name, field.size)) for field in fields]


class LibrarySection(NamedTuple):
    """A US section in the library's terms."""

    section_id: int
    name: str
    version: int
    core: list[LibraryField]
    extra: str

    @property
    def label(self) -> str:
        """Its name in a table of tests."""
        return f"{self.name}-v{self.version}"

    @property
    def fields(self) -> dict[str, LibraryField]:
        """Its fields by name."""
        return {field.name: field for field in self.core}


def _extra_name(segments: list[dict[str, Any]]) -> str:
    if len(segments) == 1:
        return ""
    return "Gpc" if "Gpc" in segments[1]["cls"] else "SensitiveDataConsent"


def _library_sections() -> list[LibrarySection]:
    sections = []
    for key, layout in GPP["layout"].items():
        if int(key) >= 7:
            core = _library_fields(layout["segs"][0])
            extra = _extra_name(layout["segs"])
            if key == "7":
                sections.append(LibrarySection(7, layout["name"], 1, _national_1(core), extra))
            sections.append(LibrarySection(int(key), layout["name"], layout["version"], core, extra))
    return sections


SECTIONS = _library_sections()
"""All US sections, the national one in both versions."""


def section(section_id: int, version: int | None = None) -> LibrarySection:
    """Return the newest version of a section, or the one that is asked for."""
    return next(
        section
        for section in reversed(SECTIONS)
        if section.section_id == section_id and version in {None, section.version}
    )
