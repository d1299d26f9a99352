"""GPP strings: what the sections that apply withhold.

IAB Global Privacy Platform. ``read`` looks at the sections that the caller names as applicable, and at no
other, and at no more of them than a decision needs; ``gpp_full`` lists everything, for people to read.

Invariant: a section that is named and is missing, unknown or unreadable withholds everything. Knows nothing
of the rest of the request: the TC string and the US Privacy string inside are handed on to whoever judges
those.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from targeting.signals import gpp_canada, us_privacy
from targeting.signals.gpp_judgement import Finding, Withholds
from targeting.signals.gpp_layouts import LAYOUTS
from targeting.signals.gpp_string import CANADA, HEADER, TCF, US_PRIVACY, split_sections
from targeting.signals.gpp_us import UsSection, read_us_section
from targeting.signals.unreadable import Unreadable

__all__ = ["NONE_APPLIES", "Finding", "Reading", "Withholds", "read"]

NONE_APPLIES = -1
"""The id by which a caller says that no section applies (GPP "CMP API Specification", applicableSections)."""

_FLAGS = tuple(Withholds(number) for number in range(8))
_CANADIAN_PURPOSES = (3, 4)
_POSITION_FEATURE = 1

Section = str | gpp_canada.Consent | UsSection


class Reading(NamedTuple):
    """What a string says in the sections that apply.

    ``unreadable`` has the ids of those that are missing or cannot be read; 3, the header's, stands for the
    whole string. ``withholds`` is without what the TC string and the US Privacy string inside lead to.
    """

    withholds: Withholds
    unreadable: tuple[int, ...]
    sections: Mapping[int, Section]

    @property
    def tc_string(self) -> str | None:
        """The text of section 2, if it applies; whether it can be read has not been looked at."""
        section = self.sections.get(TCF)
        return section if isinstance(section, str) else None

    @property
    def canada(self) -> gpp_canada.Consent | None:
        """The consent of section 5, if it applies."""
        section = self.sections.get(CANADA)
        return section if isinstance(section, gpp_canada.Consent) else None

    @property
    def us_privacy(self) -> str | None:
        """The text of section 6, if it applies."""
        section = self.sections.get(US_PRIVACY)
        return section if isinstance(section, str) else None

    @property
    def findings(self) -> list[Finding]:
        """The fields that withhold something, in the order in which their sections were named."""
        found = []
        for section in self.sections.values():
            if isinstance(section, UsSection):
                found += section.findings()
            elif isinstance(section, gpp_canada.Consent):
                found += _canadian_findings(section)
        return found


_NOT_THERE = Reading(Withholds.NOTHING, (), {})
_NOT_READABLE = Reading(Withholds.EVERYTHING, (HEADER,), {})


def read(text: str, section_ids: Sequence[int]) -> Reading:
    """Read the sections named in ``section_ids``.

    Never raises: what is missing or cannot be read is in ``Reading.unreadable`` and withholds everything. A
    string that cannot be read at all does so even if no section of it is named; an empty one only if one
    is.
    """
    try:
        ids, parts = split_sections(text)
    except Unreadable:
        return _NOT_THERE if not text and set(section_ids) <= {NONE_APPLIES} else _NOT_READABLE
    withheld, unreadable = 0, []
    sections: dict[int, Section] = {}
    for section_id in dict.fromkeys(section_ids):
        if section_id in ids:
            try:
                section = _read_section(section_id, parts[ids.index(section_id) + 1])
            except Unreadable:
                unreadable.append(section_id)
            else:
                sections[section_id] = section
                withheld |= _withheld_by(section)
        elif section_id != NONE_APPLIES:
            unreadable.append(section_id)
    return Reading(Withholds.EVERYTHING if unreadable else _FLAGS[withheld], tuple(unreadable), sections)


def _read_section(section_id: int, text: str) -> Section:
    if section_id in LAYOUTS:
        return read_us_section(section_id, text)
    if section_id == CANADA:
        return gpp_canada.read(text)
    if section_id == US_PRIVACY:
        us_privacy.read(text)
        return text
    if section_id == TCF:
        return text
    raise Unreadable("an unknown section")


def _withheld_by(section: Section) -> int:
    if isinstance(section, UsSection):
        return section.withholds()
    if isinstance(section, str):
        return 0
    withheld = 0
    for finding in _canadian_findings(section):
        withheld |= finding.withholds
    return withheld


def _canadian_findings(consent: gpp_canada.Consent) -> list[Finding]:
    """Express consent is needed for purposes 3 and 4, and for special feature 1, the precise position."""
    found = [
        Finding(CANADA, f"PurposesExpressConsent[{purpose}]", 0, Withholds.PROFILE_AND_IDS)
        for purpose in _CANADIAN_PURPOSES
        if not consent.is_express(purpose)
    ]
    if not consent.has_feature(_POSITION_FEATURE):
        name = f"SpecialFeatureExpressConsent[{_POSITION_FEATURE}]"
        found.append(Finding(CANADA, name, 0, Withholds.PRECISE_POSITION))
    return found
