"""What a US section of a GPP string withholds: the rules, by the names of the national section.

For each layout, one precomputed mask per kind of withholding checks all fields of a section at once; which fields
withhold is worked out only on request.

Invariant: a value can only withhold. The undefined value 3 withholds whatever 1 or 2 withholds.
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


class WithholdingField(NamedTuple):
    """A value that withholds something. ``field`` is the national section's name for it."""

    section_id: int
    field: str
    value: int
    withholds: Withholds


class FieldRule(NamedTuple):
    """The values of a field that withhold something, and what they withhold."""

    values: frozenset[int]
    withholds: Withholds


_REFUSED = frozenset({1, 3})
"""Opted out, or no consent: 1 means no and 2 means yes, both for opt-outs and for consents."""
_NOT_GIVEN = frozenset({2, 3})
_APPLICABLE = frozenset({1, 2, 3})

_CHOICES = ("SaleOptOut", "SharingOptOut", "TargetedAdvertisingOptOut")
_NOTICES = ("SharingNotice", *(f"{choice}Notice" for choice in _CHOICES))
_SENSITIVE_NOTICES = ("SensitiveDataProcessingOptOutNotice", "SensitiveDataLimitUseNotice")
# Genetic, biometric, identity numbers, accounts, mail, victims of crime, transgender: withheld even with consent.
_NEVER = (6, 7, 9, 10, 12, 14, 16)
_WITH_CONSENT = (1, 2, 3, 4, 5, 11, 13, 15)
_POSITION = 8

FIELD_RULES: dict[str, FieldRule] = {
    UNDER_13: FieldRule(_APPLICABLE, Withholds.EVERYTHING),
    TEEN: FieldRule(_REFUSED, Withholds.EVERYTHING),
    OLDER_TEEN: FieldRule(_REFUSED, Withholds.EVERYTHING),
    "PersonalDataConsents": FieldRule(_NOT_GIVEN, Withholds.EVERYTHING),
    "MspaServiceProviderMode": FieldRule(_REFUSED, Withholds.EVERYTHING),
    # Sections 24 to 27 have one field for both modes: 1 is opt-out option mode, 2 service provider mode.
    "MspaMode": FieldRule(_NOT_GIVEN, Withholds.EVERYTHING),
    **dict.fromkeys(_CHOICES, FieldRule(_REFUSED, Withholds.PROFILE_AND_IDS)),
    **dict.fromkeys((*_NOTICES, *_SENSITIVE_NOTICES), FieldRule(_NOT_GIVEN, Withholds.PROFILE_AND_IDS)),
    **{f"{SENSITIVE}[{category}]": FieldRule(_APPLICABLE, Withholds.PROFILE_AND_IDS) for category in _NEVER},
    **{f"{SENSITIVE}[{category}]": FieldRule(_REFUSED, Withholds.PROFILE_AND_IDS) for category in _WITH_CONSENT},
    f"{SENSITIVE}[{_POSITION}]": FieldRule(_REFUSED, Withholds.PRECISE_POSITION),
}
"""What each field withholds by its own value. Fields without a rule withhold nothing."""

_NOTICES_OF = {
    "SaleOptOut": ("SaleOptOutNotice",),
    "SharingOptOut": ("SharingNotice", "SharingOptOutNotice"),
    "TargetedAdvertisingOptOut": ("TargetedAdvertisingOptOutNotice",),
    # A consent to the precise position given without notice, such as 2 beside a notice of 0, does not count.
    f"{SENSITIVE}[{_POSITION}]": _SENSITIVE_NOTICES,
}
"""The notices that a choice needs: one that is not given (0) withholds what the refusal would."""


class _DependentConsent(NamedTuple):
    """A consent (2) that withholds while another number, such as its notice, is 0.

    ``shift`` is the position of the consent; ``needed`` masks the other number.
    """

    field: str
    shift: int
    needed: int
    withholds: Withholds


class LayoutRules:
    """The rules for one layout of two-bit numbers; the last number is in the lowest bits."""

    __slots__ = ("_dependent", "_everything", "_needed", "_numbers", "_position", "_profile")

    def __init__(self, fields: tuple[Field, ...]) -> None:
        national_names = [names for field in fields for names in field.national_names]
        shifts = range(2 * len(national_names) - 2, -1, -2)
        self._numbers = [(name, shift) for names, shift in zip(national_names, shifts, strict=True) for name in names]
        self._everything = self._mask(Withholds.EVERYTHING)
        self._profile = self._mask(Withholds.PROFILE_AND_IDS)
        self._position = self._mask(Withholds.PRECISE_POSITION)
        self._dependent = self._find_dependent()
        # The low bit of every needed number; in nearly all strings none of these numbers is 0.
        self._needed = sum({consent.needed // 3 for consent in self._dependent})

    def withholds(self, numbers: int) -> int:
        """Return what the section withholds, as the number of a ``Withholds``."""
        if numbers & self._everything:
            return 7
        withheld = 1 if numbers & self._profile else 0
        if numbers & self._position:
            withheld |= 2
        if ~(numbers | numbers >> 1) & self._needed:
            for _, shift, needed, withholds in self._dependent:
                if numbers >> shift & 2 and not numbers & needed:
                    withheld |= withholds
        return withheld

    def withholding_fields(self, section_id: int, numbers: int) -> list[WithholdingField]:
        """Return the fields that withhold something, in the order of the section."""
        found = []
        for name, shift in self._numbers:
            value, rule = numbers >> shift & 3, FIELD_RULES.get(name)
            if rule and value in rule.values:
                found.append(WithholdingField(section_id, name, value=value, withholds=rule.withholds))
        for name, shift, needed, withholds in self._dependent:
            if numbers >> shift & 3 == 2 and not numbers & needed:
                found.append(WithholdingField(section_id, name, value=2, withholds=withholds))
        return found

    def _mask(self, withholds: Withholds) -> int:
        """Return the bits of which any, when set, withholds that: 1 sets a number's low bit, 2 its high bit."""
        mask = 0
        for name, shift in self._numbers:
            rule = FIELD_RULES.get(name)
            if rule and rule.withholds is withholds:
                mask |= sum(1 << shift + value - 1 for value in rule.values & {1, 2})
        return mask

    def _find_dependent(self) -> tuple[_DependentConsent, ...]:
        dependent = []
        for name, shift in self._numbers:
            for other, needed in self._numbers:
                # A choice needs its notice. The consents to sale and to advertising of one age need each other.
                if other in _NOTICES_OF.get(name, ()) or (other == name != UNDER_13 and needed != shift):
                    withholds = FIELD_RULES[name].withholds
                    dependent.append(_DependentConsent(name, shift=shift, needed=3 << needed, withholds=withholds))
        return tuple(dependent)
