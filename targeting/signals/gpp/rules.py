"""What a US section of a GPP string withholds: the rules, by the names of the national section.

One mask per kind of withholding, made once for every layout, answers for all fields of a section at once; the
findings, which name the fields, are worked out only when somebody asks.

Invariant: a value can only withhold. 3, which no specification defines, withholds whatever 1 or 2 does.
Knows nothing of strings.
"""

from enum import IntFlag
from typing import NamedTuple

from targeting.signals.gpp.layouts import OLDER_TEEN, SENSITIVE, TEEN, UNDER_13, Field


class Withholds(IntFlag):
    """What may not be used. ``EVERYTHING`` includes the others."""

    NOTHING = 0
    PROFILE_AND_IDS = 1
    PRECISE_POSITION = 2
    EVERYTHING = 7


class Finding(NamedTuple):
    """A value that withholds something. ``field`` is the national section's name for it."""

    section_id: int
    field: str
    value: int
    withholds: Withholds


class Rule(NamedTuple):
    """The values of a field that withhold something."""

    values: frozenset[int]
    withholds: Withholds


_REFUSED = frozenset({1, 3})
"""Opted out, or no consent: 1 is a no and 2 a yes, whichever of the two a section asks for."""
_NOT_GIVEN = frozenset({2, 3})
_APPLICABLE = frozenset({1, 2, 3})

_CHOICES = ("SaleOptOut", "SharingOptOut", "TargetedAdvertisingOptOut")
_NOTICES = ("SharingNotice", *(f"{choice}Notice" for choice in _CHOICES))
_SENSITIVE_NOTICES = ("SensitiveDataProcessingOptOutNotice", "SensitiveDataLimitUseNotice")
# Genetic, biometric, identity numbers, accounts, mail, victims of crime, transgender: not even with consent.
_NEVER = (6, 7, 9, 10, 12, 14, 16)
_WITH_CONSENT = (1, 2, 3, 4, 5, 11, 13, 15)
_POSITION = 8

RULES: dict[str, Rule] = {
    UNDER_13: Rule(_APPLICABLE, Withholds.EVERYTHING),
    TEEN: Rule(_REFUSED, Withholds.EVERYTHING),
    OLDER_TEEN: Rule(_REFUSED, Withholds.EVERYTHING),
    "PersonalDataConsents": Rule(_NOT_GIVEN, Withholds.EVERYTHING),
    "MspaServiceProviderMode": Rule(_REFUSED, Withholds.EVERYTHING),
    # Sections 24 to 27 have one field for both modes: 1 is opt-out option mode, 2 service provider mode.
    "MspaMode": Rule(_NOT_GIVEN, Withholds.EVERYTHING),
    **dict.fromkeys(_CHOICES, Rule(_REFUSED, Withholds.PROFILE_AND_IDS)),
    **dict.fromkeys(_NOTICES, Rule(_NOT_GIVEN, Withholds.PROFILE_AND_IDS)),
    **dict.fromkeys(_SENSITIVE_NOTICES, Rule(_NOT_GIVEN, Withholds.PRECISE_POSITION)),
    **{f"{SENSITIVE}[{one}]": Rule(_APPLICABLE, Withholds.PROFILE_AND_IDS) for one in _NEVER},
    **{f"{SENSITIVE}[{one}]": Rule(_REFUSED, Withholds.PROFILE_AND_IDS) for one in _WITH_CONSENT},
    f"{SENSITIVE}[{_POSITION}]": Rule(_REFUSED, Withholds.PRECISE_POSITION),
}
"""By field, what its value alone withholds. The other fields of the sections withhold nothing."""

_NOTICE_OF = {
    "SaleOptOut": ("SaleOptOutNotice",),
    "SharingOptOut": ("SharingNotice", "SharingOptOutNotice"),
    "TargetedAdvertisingOptOut": ("TargetedAdvertisingOptOutNotice",),
}


class _Opposed(NamedTuple):
    """A yes that needs another number not to be 0: where the yes begins, and a mask of the other."""

    field: str
    shift: int
    needed: int
    withholds: Withholds


class Judge:
    """The rules for one arrangement of two-bit numbers, the last of which is in the lowest bits."""

    __slots__ = ("_everything", "_needed", "_numbers", "_opposed", "_position", "_profile")

    def __init__(self, fields: tuple[Field, ...]) -> None:
        means = [names for field in fields for names in field.means]
        shifts = range(2 * len(means) - 2, -1, -2)
        self._numbers = [(name, shift) for names, shift in zip(means, shifts, strict=True) for name in names]
        self._everything = self._mask(Withholds.EVERYTHING)
        self._profile = self._mask(Withholds.PROFILE_AND_IDS)
        self._position = self._mask(Withholds.PRECISE_POSITION)
        self._opposed = self._find_opposed()
        # The lower bit of every number that another needs: nearly all strings have none of them 0.
        self._needed = sum({one.needed // 3 for one in self._opposed})

    def withholds(self, numbers: int) -> int:
        """Return what the section withholds, as the number of a ``Withholds``."""
        if numbers & self._everything:
            return 7
        withheld = 1 if numbers & self._profile else 0
        if numbers & self._position:
            withheld |= 2
        if ~(numbers | numbers >> 1) & self._needed:
            for _, shift, needed, withholds in self._opposed:
                if numbers >> shift & 2 and not numbers & needed:
                    withheld |= withholds
        return withheld

    def findings(self, section_id: int, numbers: int) -> list[Finding]:
        """Name the fields that withhold something, in the order of the section."""
        found = []
        for name, shift in self._numbers:
            value, rule = numbers >> shift & 3, RULES.get(name)
            if rule and value in rule.values:
                found.append(Finding(section_id, name, value, rule.withholds))
        for name, shift, needed, withholds in self._opposed:
            if numbers >> shift & 3 == 2 and not numbers & needed:
                found.append(Finding(section_id, name, 2, withholds))
        return found

    def _mask(self, withholds: Withholds) -> int:
        """Return the bits one of which is set if a number withholds that: 1 sets the low bit, 2 the high."""
        mask = 0
        for name, shift in self._numbers:
            rule = RULES.get(name)
            if rule and rule.withholds is withholds:
                mask |= sum(1 << shift + value - 1 for value in rule.values & {1, 2})
        return mask

    def _find_opposed(self) -> tuple[_Opposed, ...]:
        opposed = []
        for name, shift in self._numbers:
            for other, needed in self._numbers:
                # A choice needs its notice; the consents of one age, to sale and to advertising, each other.
                if other in _NOTICE_OF.get(name, ()) or (other == name != UNDER_13 and needed != shift):
                    opposed.append(_Opposed(name, shift, 3 << needed, RULES[name].withholds))
        return tuple(opposed)
