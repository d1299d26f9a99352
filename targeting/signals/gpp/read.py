"""GPP strings: what the sections that apply withhold.

IAB Global Privacy Platform. ``read`` looks at the sections that the caller names as applicable, and at no
other, and at no more of them than a decision needs; ``gpp_full`` lists everything, for people to read.

Invariant: a section that is named and is missing, unknown or unreadable withholds everything. Knows nothing
of the rest of the request: the TC string and the US Privacy string inside are handed on to whoever judges
those.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from targeting.signals import us_privacy
from targeting.signals.gpp import canada as gpp_canada
from targeting.signals.gpp.layouts import LAYOUTS
from targeting.signals.gpp.rules import Finding, Withholds
from targeting.signals.gpp.string import CANADA, HEADER, TCF, US_PRIVACY, split_sections
from targeting.signals.gpp.us import read_us_section
from targeting.signals.unreadable import Unreadable

__all__ = ["NONE_APPLIES", "Finding", "Reading", "Withholds", "read"]

NONE_APPLIES = -1
"""The id by which a caller says that no section applies (GPP "CMP API Specification", applicableSections)."""

_FLAGS = tuple(Withholds(number) for number in range(8))
_CANADIAN_PURPOSES = (3, 4)
_POSITION_FEATURE = 1


class Section(Protocol):
    """What was read of a section."""

    def withholds(self) -> int:
        """Return what the section withholds, as the number of a ``Withholds``."""

    def findings(self) -> list[Finding]:
        """Name the fields that withhold something."""


class HandedOn(NamedTuple):
    """A section that somebody else judges."""

    text: str

    def withholds(self) -> int:
        """Withhold nothing."""
        return 0

    def findings(self) -> list[Finding]:
        """Find nothing."""
        return []


class Canadian(NamedTuple):
    """Section 5. Purposes 3 and 4 need express consent; so does special feature 1, the precise position."""

    consent: gpp_canada.Consent

    def withholds(self) -> int:
        """Return what the section withholds, as the number of a ``Withholds``."""
        withheld = 0
        for finding in self.findings():
            withheld |= finding.withholds
        return withheld

    def findings(self) -> list[Finding]:
        """Name the consents that are missing."""
        found = [
            Finding(CANADA, f"PurposesExpressConsent[{purpose}]", 0, Withholds.PROFILE_AND_IDS)
            for purpose in _CANADIAN_PURPOSES
            if not self.consent.is_express(purpose)
        ]
        if not self.consent.has_feature(_POSITION_FEATURE):
            name = f"SpecialFeatureExpressConsent[{_POSITION_FEATURE}]"
            found.append(Finding(CANADA, name, 0, Withholds.PRECISE_POSITION))
        return found


class Reading(NamedTuple):
    """What a string says in the sections that apply.

    ``unreadable`` has the ids of those that are missing or cannot be read; 3, the header's, stands for the whole
    string. ``withholds`` is without what the TC string and the US Privacy string inside lead to.
    """

    withholds: Withholds
    unreadable: tuple[int, ...]
    sections: Mapping[int, Section]

    @property
    def tc_string(self) -> str | None:
        """The text of section 2, if it applies; whether it can be read has not been looked at."""
        return self._handed_on(TCF)

    @property
    def us_privacy(self) -> str | None:
        """The text of section 6, if it applies."""
        return self._handed_on(US_PRIVACY)

    @property
    def canada(self) -> gpp_canada.Consent | None:
        """The consent of section 5, if it applies."""
        section = self.sections.get(CANADA)
        return section.consent if isinstance(section, Canadian) else None

    @property
    def findings(self) -> list[Finding]:
        """The fields that withhold something, in the order in which their sections were named."""
        return [finding for section in self.sections.values() for finding in section.findings()]

    def _handed_on(self, section_id: int) -> str | None:
        section = self.sections.get(section_id)
        return section.text if isinstance(section, HandedOn) else None


_NOT_THERE = Reading(Withholds.NOTHING, (), {})
_NOT_READABLE = Reading(Withholds.EVERYTHING, (HEADER,), {})


def read(text: str, section_ids: Sequence[int]) -> Reading:
    """Read the sections named in ``section_ids``.

    Never raises: what is missing or cannot be read is in ``Reading.unreadable`` and withholds everything. A string
    that cannot be read at all does so even if no section of it is named; an empty one only if one is.
    """
    try:
        ids, parts = split_sections(text)
    except Unreadable:
        return _NOT_THERE if not text and set(section_ids) <= {NONE_APPLIES} else _NOT_READABLE
    withheld, unreadable = 0, []
    sections: dict[int, Section] = {}
    for section_id in dict.fromkeys(section_ids):
        reader = _READERS.get(section_id)
        if reader is not None and section_id in ids:
            try:
                section = reader(section_id, parts[ids.index(section_id) + 1])
            except Unreadable:
                unreadable.append(section_id)
            else:
                sections[section_id] = section
                withheld |= section.withholds()
        elif section_id != NONE_APPLIES:
            unreadable.append(section_id)
    return Reading(Withholds.EVERYTHING if unreadable else _FLAGS[withheld], tuple(unreadable), sections)


def _hand_on(section_id: int, text: str) -> Section:
    if section_id == US_PRIVACY:
        us_privacy.read(text)
    return HandedOn(text)


def _read_canadian(_: int, text: str) -> Section:
    return Canadian(gpp_canada.read(text))


_READERS: dict[int, Callable[[int, str], Section]] = {
    TCF: _hand_on,
    CANADA: _read_canadian,
    US_PRIVACY: _hand_on,
    **dict.fromkeys(LAYOUTS, read_us_section),
}
