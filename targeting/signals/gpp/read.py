"""GPP strings: what the applicable sections withhold.

IAB Global Privacy Platform. ``read_gpp_string`` reads the sections that the caller names as applicable or, if the
caller names none, every section that may withhold something; ``targeting.signals.gpp.decode`` lists everything, for
people to read.

Invariant: a section that counts and is missing, unknown or unreadable withholds everything. Knows nothing of the rest
of the request: the TC string and the US Privacy string inside are forwarded to their own readers.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from targeting.signals.gpp.canada import CanadianConsent, read_canadian_consent
from targeting.signals.gpp.layouts import LAYOUTS
from targeting.signals.gpp.rules import WithholdingField, Withholds
from targeting.signals.gpp.string import CANADA, HEADER, TCF, US_PRIVACY, split_sections
from targeting.signals.gpp.us import read_us_section
from targeting.signals.unreadable import GivenUp, Unreadable
from targeting.signals.us_privacy import read_us_privacy

__all__ = ["NONE_APPLIES", "NOT_YET_KNOWN", "GppReading", "WithholdingField", "Withholds", "read_gpp_string"]

NONE_APPLIES = -1
"""The id that says that no section applies (GPP "CMP API Specification", applicableSections)."""

NOT_YET_KNOWN = 0
"""The id that says that the applicable sections are not known yet. It is read as if none were named."""

_NO_SECTIONS = frozenset({NONE_APPLIES, NOT_YET_KNOWN})
_OF_NO_REGIME = frozenset({1, HEADER, 4})
"""The retired TCF v1, the header and the signal integrity section."""

_FLAGS = tuple(Withholds(number) for number in range(8))
_CANADIAN_PURPOSES = (3, 4)
_POSITION_FEATURE = 1


class GppSection(Protocol):
    """A section as read."""

    def withholds(self) -> int:
        """Return what the section withholds, as the number of a ``Withholds``."""

    def withholding_fields(self) -> list[WithholdingField]:
        """Return the fields that withhold something."""


class ForwardedSection(NamedTuple):
    """A section that another reader judges."""

    text: str

    def withholds(self) -> int:
        """Return 0: nothing."""
        return 0

    def withholding_fields(self) -> list[WithholdingField]:
        """Return no field."""
        return []


class CanadianSection(NamedTuple):
    """Section 5. Purposes 3 and 4 and special feature 1 (precise position) need express consent."""

    consent: CanadianConsent

    def withholds(self) -> int:
        """Return what the section withholds, as the number of a ``Withholds``."""
        withheld = 0
        for field in self.withholding_fields():
            withheld |= field.withholds
        return withheld

    def withholding_fields(self) -> list[WithholdingField]:
        """Return the missing consents."""
        found = [
            WithholdingField(CANADA, f"PurposesExpressConsent[{purpose}]", value=0, withholds=Withholds.PROFILE_AND_IDS)
            for purpose in _CANADIAN_PURPOSES
            if not self.consent.is_express(purpose)
        ]
        if not self.consent.has_feature(_POSITION_FEATURE):
            name = f"SpecialFeatureExpressConsent[{_POSITION_FEATURE}]"
            found.append(WithholdingField(CANADA, name, value=0, withholds=Withholds.PRECISE_POSITION))
        return found


class GppReading(NamedTuple):
    """What the applicable sections of a string say.

    ``opt_outs`` is what the readable sections withhold, without the TC string and the US Privacy string inside.
    ``unreadable`` holds the ids of sections that are missing or cannot be read; 3, the header's, stands for the whole
    string. ``given_up`` is whether a section was not read because that would take too long.
    """

    opt_outs: Withholds
    unreadable: tuple[int, ...]
    sections: Mapping[int, GppSection]
    given_up: bool = False

    @property
    def withholds(self) -> Withholds:
        """What the string withholds: everything, if a section cannot be read."""
        return Withholds.EVERYTHING if self.unreadable else self.opt_outs

    @property
    def tc_string(self) -> str | None:
        """The text of section 2, if it counts; it has not been read yet."""
        return self._forwarded(TCF)

    @property
    def us_privacy(self) -> str | None:
        """The text of section 6, if it counts."""
        return self._forwarded(US_PRIVACY)

    @property
    def canada(self) -> CanadianConsent | None:
        """The consent of section 5, if it counts."""
        section = self.sections.get(CANADA)
        return section.consent if isinstance(section, CanadianSection) else None

    @property
    def withholding_fields(self) -> list[WithholdingField]:
        """The fields that withhold something, by section: in the order of the caller's ids, else of the string."""
        return [field for section in self.sections.values() for field in section.withholding_fields()]

    def _forwarded(self, section_id: int) -> str | None:
        section = self.sections.get(section_id)
        return section.text if isinstance(section, ForwardedSection) else None


_NOT_THERE = GppReading(Withholds.NOTHING, (), {})
_NOT_READABLE = GppReading(Withholds.NOTHING, (HEADER,), {})


def read_gpp_string(text: str, section_ids: Sequence[int]) -> GppReading:
    """Read the sections named in ``section_ids``; if none is named, every section but those of no regime (1, 3, 4).

    Never raises: sections that are missing or cannot be read are in ``GppReading.unreadable`` and withhold everything.
    So does a string that cannot be read at all, even if no section applies; an empty string does so only if one is
    named.
    """
    try:
        ids, parts = split_sections(text)
    except Unreadable:
        return _NOT_THERE if not text and _NO_SECTIONS.issuperset(section_ids) else _NOT_READABLE
    withheld, unreadable, given_up = 0, [], False
    sections: dict[int, GppSection] = {}
    named = dict.fromkeys(section_ids)
    is_known = named and NOT_YET_KNOWN not in named
    for section_id in named if is_known else _sections_that_may_count(named, ids):
        reader = _READERS.get(section_id)
        if reader is not None and section_id in ids:
            try:
                section = reader(section_id, parts[ids.index(section_id) + 1])
            except Unreadable as problem:
                unreadable.append(section_id)
                given_up |= isinstance(problem, GivenUp)
            else:
                sections[section_id] = section
                withheld |= section.withholds()
        elif section_id not in _NO_SECTIONS:
            unreadable.append(section_id)
    return GppReading(_FLAGS[withheld], unreadable=tuple(unreadable), sections=sections, given_up=given_up)


def _sections_that_may_count(named: Iterable[int], present: Iterable[int]) -> list[int]:
    """Return the named sections and those present of any regime, for a request that does not say which apply."""
    return list(dict.fromkeys([*named, *(section_id for section_id in present if section_id not in _OF_NO_REGIME)]))


def _forward(section_id: int, text: str) -> GppSection:
    if section_id == US_PRIVACY:
        read_us_privacy(text)
    return ForwardedSection(text)


def _read_canadian(_: int, text: str) -> GppSection:
    return CanadianSection(read_canadian_consent(text))


_READERS: dict[int, Callable[[int, str], GppSection]] = {
    TCF: _forward,
    CANADA: _read_canadian,
    US_PRIVACY: _forward,
    **dict.fromkeys(LAYOUTS, read_us_section),
}
