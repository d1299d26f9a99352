"""TC strings of the Transparency & Consent Framework 2.0 to 2.3, as a decision reads them.

``read_tc_string`` checks the form of the whole string and locates its sections; each question then reads the few bits
that answer it. The format is the IAB's "Consent string and vendor list formats v2"; names in CamelCase are fields of
its section "TC String Format". ``targeting.signals.tcf.decode`` lists everything that a string says.

Invariant: what is not verified grants nothing. A string that ``decode_tc_string`` refuses is refused here as well;
a string that is larger than any consent manager writes may be refused here alone ("given up").
Knows nothing of what a purpose is needed for, nor of time.
"""

from functools import lru_cache

from targeting.signals.segments import SIX_BITS, decode_window, read_field, split_segments
from targeting.signals.tcf.restrictions import NO_RESTRICTIONS, Restrictions, read_restrictions
from targeting.signals.tcf.vendor_list import VendorList
from targeting.signals.tcf.vendor_section import (
    NO_VENDORS,
    Intersection,
    VendorSection,
    VendorSet,
    read_section,
)
from targeting.signals.unreadable import GivenUp, Unreadable

KNOWN_POLICY_VERSION = 5

DISCLOSED_SINCE_DS = 17_723_232_000
"""2026-03-01T00:00Z: strings updated from then on must disclose the vendor (TCF 2.3)."""

MAX_SEGMENTS = 5
"""There are four kinds, and some writers repeat one."""

MAX_ENTRY_COST = 640
"""The cost limit of reading the vendor lists of one string, in entries read one by one."""

_MAX_CACHED_CHARACTERS = 1024
_HEAD = 264
_TIME = (1 << 36) - 1
CONSENT, LEGITIMATE_INTEREST = 1, 2
"""Legal bases, as bits."""
_CONSENT_ONLY = frozenset({1, 3, 4, 5, 6})
_LEFT_BY = (0, CONSENT, LEGITIMATE_INTEREST)


class TcConsent:
    """What one TC string lets vendors do. ``head`` holds the first 264 bits, the length of the shortest string."""

    __slots__ = ("_consents", "_disclosed", "_head", "_interests", "_restrictions")

    version = 2

    def __init__(
        self,
        head: int,
        consents: VendorSet,
        interests: VendorSet,
        restrictions: Restrictions,
        disclosed: VendorSet,
    ) -> None:
        self._head = head
        self._consents = consents
        self._interests = interests
        self._restrictions = restrictions
        self._disclosed = disclosed

    @property
    def last_updated_ds(self) -> int:
        """LastUpdated, in tenths of a second since 1970."""
        return self._head >> 186 & _TIME

    @property
    def vendor_list_version(self) -> int:
        """VendorListVersion: the version of the vendor list that the dialogue showed."""
        return self._head >> 132 & 0xFFF

    @property
    def policy_version(self) -> int:
        """TcfPolicyVersion."""
        return self._head >> 126 & 0x3F

    @property
    def policy_is_newer(self) -> bool:
        """Whether the policy version is newer than the newest that this module knows."""
        return self.policy_version > KNOWN_POLICY_VERSION

    @property
    def is_service_specific(self) -> bool:
        """IsServiceSpecific. The framework dropped strings of global scope in 2021, but they still occur."""
        return self._head >> 125 & 1 == 1

    @property
    def is_valid(self) -> bool:
        """Whether the standard calls the string valid; an invalid one grants nothing.

        Invalid are IsServiceSpecific 0, VendorListVersion 0 and TcfPolicyVersion 0.
        """
        fields = self._head >> 125
        return fields & 1 == 1 and fields & 0x7E != 0 and fields & 0x7FF80 != 0

    @property
    def must_disclose(self) -> bool:
        """Whether the string was updated since TCF 2.3, so that only disclosed vendors have a basis."""
        return self.last_updated_ds >= DISCLOSED_SINCE_DS

    @property
    def has_disclosed_vendors(self) -> bool:
        """Whether there is a DisclosedVendors segment."""
        return self._disclosed is not NO_VENDORS

    def special_feature(self, number: int) -> bool:
        """Return whether the person opted in to special feature ``number``, 1 to 12."""
        return 0 < number <= 12 and self._head >> (124 - number) & 1 == 1

    def may_use_feature(self, number: int, vendor: int, vendor_list: VendorList | None = None) -> bool:
        """Return whether the vendor may use special feature ``number``, 1 to 12.

        The person must have opted in. With the vendor list of the string's own version, the vendor must also have
        declared the feature.
        """
        if not self.is_valid:
            return False
        if vendor_list is not None and vendor_list.vendor_list_version == self.vendor_list_version:
            return self.special_feature(number) and vendor_list.declaration_of(vendor).uses_feature(number)
        return self.special_feature(number)

    def discloses(self, vendor: int) -> bool:
        """Return whether the string says that the dialogue disclosed the vendor."""
        return 0 < vendor <= 0xFFFF and self._disclosed.has(vendor)

    def has_basis(self, purpose: int, vendor: int, vendor_list: VendorList | None = None) -> bool:
        """Return whether the vendor has a legal basis for the purpose, 1 to 24.

        Without the vendor list of the string's own version only consent counts, because it is unknown whether the
        vendor declared a legitimate interest.
        """
        if vendor_list is None or vendor_list.vendor_list_version != self.vendor_list_version:
            return self.bases(purpose, vendor, CONSENT) != 0
        declaration = vendor_list.declaration_of(vendor)
        declared = declaration.on_consent(purpose) | declaration.on_legitimate_interest(purpose) << 1
        return self.bases(purpose, vendor, declared) != 0

    def bases(self, purpose: int, vendor: int, declared: int = CONSENT | LEGITIMATE_INTEREST) -> int:
        """Return the legal bases that the string gives the vendor for the purpose, of those that it declared."""
        if not (0 < purpose <= 24 and 0 < vendor <= 0xFFFF):
            return 0
        bases = self._signalled(purpose) & declared
        if bases and self._restrictions is not NO_RESTRICTIONS:
            bases &= self._unrestricted(purpose, vendor)
        if bases & CONSENT and not self._consents.has(vendor):
            bases ^= CONSENT
        if bases & LEGITIMATE_INTEREST and not self._interests.has(vendor):
            bases ^= LEGITIMATE_INTEREST
        if not bases or not self.is_valid:
            return 0
        disclosed = self._head >> 186 & _TIME < DISCLOSED_SINCE_DS or self._disclosed.has(vendor)
        return bases if disclosed else 0

    def _signalled(self, purpose: int) -> int:
        """Return the bases that PurposesConsent and PurposesLITransparency allow.

        Since TCF 2.2 purposes 3 to 6 need consent, as purpose 1 always has. There is no consent to purpose 1 where
        PurposeOneTreatment says that it was not disclosed.
        """
        consent = self._head >> (112 - purpose) & 1
        if purpose not in _CONSENT_ONLY:
            return consent | (self._head >> (88 - purpose) & 1) << 1
        if purpose == 1 and self._head >> 63 & 1:
            return 0
        return consent

    def _unrestricted(self, purpose: int, vendor: int) -> int:
        """Return the bases that the publisher restrictions leave; none where they contradict each other."""
        bases = CONSENT | LEGITIMATE_INTEREST
        for kind in self._restrictions.kinds(purpose, vendor):
            bases &= _LEFT_BY[kind]
        return bases


def read_tc_string(text: str) -> TcConsent:
    """Read a TC string. Raises ``Unreadable`` for other texts and for version 1."""
    segments = split_segments(text, MAX_SEGMENTS)
    core = segments[0]
    size = len(core) * 6
    bits, top = decode_window(core, 0, _HEAD)
    if size < _HEAD or bits >> (top - 6) != 2:
        raise Unreadable("not of version 2, or too short")
    head = bits >> (top - _HEAD)
    if head >> 174 & 0xFFF < 2:
        raise Unreadable("a CmpId that was never issued")
    consents, end = read_section(core, bits, top, 213)
    interests, end = read_section(core, bits, top, end)
    if end + 12 > size:
        raise Unreadable("ends inside a section, or before NumPubRestrictions")
    disclosed, entry_cost = _read_others(segments)
    if consents.entry_cost + interests.entry_cost + entry_cost > MAX_ENTRY_COST:
        raise GivenUp("longer lists than any encoder writes")
    number = bits >> (top - end - 12) & 0xFFF if end + 12 <= top else read_field(core, end, 12)
    restrictions: Restrictions = NO_RESTRICTIONS
    if number:
        restrictions = read_restrictions(core, end + 12, number)
    return TcConsent(head, consents, interests, restrictions, disclosed)


def _read_others(segments: list[bytes]) -> tuple[VendorSet, int]:
    """Check the segments after the core; return DisclosedVendors, and the cost of reading all of them.

    If DisclosedVendors is repeated, each must disclose the vendor, so that a truncated one cannot grant anything.
    """
    disclosed: list[VendorSection] = []
    entry_cost = 0
    for characters in segments[1:]:
        kind = SIX_BITS[characters[0]] >> 3
        if kind == 3:
            _check_publisher(characters)
        elif kind in {1, 2}:
            read_vendors = _read_vendors if len(characters) > _MAX_CACHED_CHARACTERS else _read_vendors_cached
            section = read_vendors(characters)
            entry_cost += section.entry_cost
            if kind == 1:
                disclosed.append(section)
        else:
            raise Unreadable("a segment of an unknown kind")
    if len(disclosed) == 1:
        return disclosed[0], entry_cost
    return Intersection(disclosed) if disclosed else NO_VENDORS, entry_cost


def _read_vendors(characters: bytes) -> VendorSection:
    """Read a segment that consists of one vendor section."""
    bits, top = decode_window(characters, 0, 0)
    section, end = read_section(characters, bits, top, 3)
    if end > len(characters) * 6:
        raise Unreadable("ends inside a section")
    return section


# The vendors that a dialogue disclosed are the same for everyone who saw it, and say nothing about a person.
_read_vendors_cached = lru_cache(maxsize=128)(_read_vendors)


def _check_publisher(characters: bytes) -> None:
    """Raise ``Unreadable`` for a PublisherTC segment that ends before its last field. It says nothing of vendors."""
    size = len(characters) * 6
    if size < 60 or size < 57 + 2 * ((SIX_BITS[characters[8]] & 7) << 3 | SIX_BITS[characters[9]] >> 3):
        raise Unreadable("ends inside a field")
