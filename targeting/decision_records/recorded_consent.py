"""A TC string as it is recorded: it answers the judge's two questions, and notes what is not recorded.

Where something is not recorded, it answers as the most lenient string would, or as the strictest one.
"""

from typing import TypeAlias

from targeting.decision_records.form import ConsentFacts, TcStringFacts, VendorFacts
from targeting.signals.tcf.read import TcConsent
from targeting.signals.tcf.vendor_list import VendorList

Unknowns: TypeAlias = set[str]
"""What was asked for and is not recorded, in words."""
_List: TypeAlias = VendorList | None


class RecordedTcString(TcConsent):
    """The recorded facts of one string; only what a decision asks of a string is there."""

    __slots__ = ("_facts", "_lenient", "_string", "_unknowns", "_vendors")

    def __init__(self, string: TcStringFacts, facts: ConsentFacts, unknowns: Unknowns, *, lenient: bool) -> None:
        self._string = string
        self._facts = facts
        self._vendors = {vendor.id: vendor for vendor in string.vendors}
        self._unknowns = unknowns
        self._lenient = lenient

    def has_basis(self, purpose: int, vendor: int, vendor_list: _List = None) -> bool:
        """Return whether the vendor has a legal basis for the purpose."""
        told = self._vendors.get(vendor)
        if told is None:
            return self._unknown(f"the consent of vendor {vendor}")
        if purpose not in self._facts.purposes:
            return self._unknown(f"the consent to purpose {purpose}")
        without = purpose in told.consent
        if vendor_list is None:
            return without
        return self._by_list(without, _has_declared(told, purpose, vendor_list), vendor_list)

    def may_use_feature(self, number: int, vendor: int, vendor_list: _List = None) -> bool:
        """Return whether the vendor may use the precise position, the only feature that a decision asks about."""
        allowed = self._string.precise_position
        if vendor_list is None or not allowed:
            return allowed
        return self._by_list(allowed, vendor_list.declaration_of(vendor).uses_feature(number), vendor_list)

    def _by_list(self, without: bool, within: bool, vendor_list: VendorList) -> bool:  # noqa: FBT001  # private
        """Return the answer for a string of the list's version, or of another one, whichever this string is."""
        if without == within:
            return within
        is_same_list = vendor_list.vendor_list_version == self._facts.vendor_list
        if is_same_list or self._string.is_of_list:
            return within if is_same_list and self._string.is_of_list else without
        return self._unknown(f"whether the string is of vendor list {vendor_list.vendor_list_version}")

    def _unknown(self, what: str) -> bool:
        self._unknowns.add(what)
        return self._lenient


class AnyConsent(TcConsent):
    """A string that was not read, as the most lenient one: it gives every vendor everything."""

    __slots__ = ("_unknowns",)

    def __init__(self, unknowns: Unknowns) -> None:
        self._unknowns = unknowns

    def has_basis(self, purpose: int, vendor: int, vendor_list: _List = None) -> bool:  # noqa: ARG002  # none was read
        """Return that the vendor has a basis."""
        return self._unknown()

    def may_use_feature(self, number: int, vendor: int, vendor_list: _List = None) -> bool:  # noqa: ARG002  # as above
        """Return that the vendor may use the feature."""
        return self._unknown()

    def _unknown(self) -> bool:
        self._unknowns.add("the consent strings where the GDPR did not apply")
        return True


def _has_declared(told: VendorFacts, purpose: int, vendor_list: VendorList) -> bool:
    declared = vendor_list.declaration_of(told.id)
    return (purpose in told.consent and declared.on_consent(purpose)) or (
        purpose in told.legitimate_interest and declared.on_legitimate_interest(purpose)
    )
