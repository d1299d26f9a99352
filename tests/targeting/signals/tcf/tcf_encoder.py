"""Writes TC strings, well or badly formed, from their parts. Bits are text of zeros and ones: slow and plain."""

import string
from dataclasses import dataclass, field

ALPHABET = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"

Entry = tuple[int, int | None]
"""First and last id of a range; ``None`` for one id that is written alone."""


def number(value: int, width: int) -> str:
    """``value`` in exactly ``width`` bits."""
    bits = f"{value:0{width}b}"
    assert len(bits) == width
    return bits


def flags(members: frozenset[int], width: int) -> str:
    return "".join("1" if vendor in members else "0" for vendor in range(1, width + 1))


def letters(text: str) -> str:
    return "".join(number(ord(letter) - ord("A"), 6) for letter in text)


def characters(bits: str, padding: int = 6) -> str:
    """The bits as text, filled up to a multiple of ``padding`` bits, which must be one of 6."""
    bits += "0" * (-len(bits) % padding)
    return "".join(ALPHABET[int(bits[index : index + 6], 2)] for index in range(0, len(bits), 6))


@dataclass(frozen=True)
class BitField:
    """A vendor section with a bit for each vendor."""

    ids: frozenset[int] = frozenset()
    max_id: int = 0

    def bits(self) -> str:
        return number(self.max_id, 16) + "0" + flags(self.ids, self.max_id)

    def members(self) -> set[int]:
        return {vendor for vendor in self.ids if vendor <= self.max_id}


@dataclass(frozen=True)
class Ranges:
    """A vendor section with a list of ranges; ``count`` can lie."""

    entries: tuple[Entry, ...] = ()
    max_id: int = 0
    count: int | None = None

    def bits(self) -> str:
        return number(self.max_id, 16) + "1" + list_bits(self.entries, self.count)

    def members(self) -> set[int]:
        return members(self.entries)


Section = BitField | Ranges


def list_bits(entries: tuple[Entry, ...], count: int | None = None) -> str:
    """NumEntries and the entries."""
    return number(len(entries) if count is None else count, 12) + "".join(
        "0" + number(first, 16) if last is None else "1" + number(first, 16) + number(last, 16)
        for first, last in entries
    )


def members(entries: tuple[Entry, ...]) -> set[int]:
    """Whom the entries list."""
    return {vendor for first, last in entries for vendor in range(first, (first if last is None else last) + 1)} - {0}


@dataclass(frozen=True)
class Restriction:
    """A publisher restriction."""

    purpose: int
    kind: int
    entries: tuple[Entry, ...]

    def bits(self) -> str:
        return number(self.purpose, 6) + number(self.kind, 2) + list_bits(self.entries)


@dataclass(frozen=True)
class Vendors:
    """The segment DisclosedVendors (kind 1) or AllowedVendors (kind 2)."""

    section: Section
    kind: int = 1

    def bits(self) -> str:
        return number(self.kind, 3) + self.section.bits()


@dataclass(frozen=True)
class Publisher:
    """The segment PublisherTC."""

    consents: frozenset[int] = frozenset()
    interests: frozenset[int] = frozenset()
    custom_purposes: int = 0
    custom_consents: frozenset[int] = frozenset()
    custom_interests: frozenset[int] = frozenset()

    def bits(self) -> str:
        return (
            "011"
            + flags(self.consents, 24)
            + flags(self.interests, 24)
            + number(self.custom_purposes, 6)
            + flags(self.custom_consents, self.custom_purposes)
            + flags(self.custom_interests, self.custom_purposes)
        )


BEFORE_TCF_2_3 = 17_000_000_000
"""November 2023, in tenths of a second."""


@dataclass(frozen=True, kw_only=True)
class Tc:
    """A TC string; the default one is of 2023 and consents to nothing."""

    version: int = 2
    created: int = BEFORE_TCF_2_3
    last_updated: int = BEFORE_TCF_2_3
    cmp_id: int = 31
    cmp_version: int = 7
    consent_screen: int = 1
    language: str = "EN"
    vendor_list_version: int = 126
    policy_version: int = 4
    service_specific: bool = True
    non_standard_texts: bool = False
    special_features: frozenset[int] = frozenset()
    purposes: frozenset[int] = frozenset()
    interests_in: frozenset[int] = frozenset()
    purpose_one_treatment: bool = False
    publisher_country: str = "DE"
    consents: Section = field(default_factory=BitField)
    interests: Section = field(default_factory=BitField)
    restrictions: tuple[Restriction, ...] = ()
    others: tuple[Vendors | Publisher, ...] = ()

    def core_bits(self) -> str:
        return "".join(
            (
                number(self.version, 6),
                number(self.created, 36),
                number(self.last_updated, 36),
                number(self.cmp_id, 12),
                number(self.cmp_version, 12),
                number(self.consent_screen, 6),
                letters(self.language),
                number(self.vendor_list_version, 12),
                number(self.policy_version, 6),
                number(self.service_specific, 1),
                number(self.non_standard_texts, 1),
                flags(self.special_features, 12),
                flags(self.purposes, 24),
                flags(self.interests_in, 24),
                number(self.purpose_one_treatment, 1),
                letters(self.publisher_country),
                self.consents.bits(),
                self.interests.bits(),
                number(len(self.restrictions), 12),
                *(restriction.bits() for restriction in self.restrictions),
            )
        )

    def text(self, padding: int = 6) -> str:
        parts = [self.core_bits(), *(other.bits() for other in self.others)]
        return ".".join(characters(bits, padding) for bits in parts)
