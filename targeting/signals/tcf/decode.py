"""TC strings decoded in full, for people and for tests: slower than ``targeting.signals.tcf.read``.

The format is the IAB's "Consent string and vendor list formats v2", section "TC String Format". Where the official
library is more lenient than the text, so is this decoder: ids above MaxVendorId count, a range that ends before it
starts is empty, letters are not checked, DisclosedVendors may be repeated (the last one counts) and AllowedVendors,
which TCF 2.3 dropped, is read. It refuses segments of unknown kinds, restrictions of an undefined purpose, type or
range, and the CmpIds 0 and 1, which were never issued.

Invariant: sets of vendors stay ranges, so time and memory grow with the text only. No decision uses this module.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from targeting.signals.bits import MAX_LENGTH, BitReader, Bits
from targeting.signals.tcf.read import MAX_SEGMENTS
from targeting.signals.unreadable import GivenUp, Unreadable

IdRanges = tuple[tuple[int, int], ...]
"""Ranges of ids, each as its first and last id, in the order of the string."""

MAX_LISTED = 1_000_000
"""Vendor ids that one string may expand to. A few kilobytes of restrictions can name tens of millions."""

_KINDS = {1: "disclosedVendors", 2: "allowedVendors", 3: "publisherTC"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SET_BITS = re.compile("1+")


@dataclass(frozen=True, slots=True)
class PublisherRestriction:
    """PubRestrictionEntry: ``kind`` 0 forbids the purpose, 1 requires consent, 2 legitimate interest."""

    purpose: int
    kind: int
    vendors: IdRanges


@dataclass(frozen=True, slots=True)
class PublisherTC:
    """The PublisherTC segment."""

    consents: tuple[int, ...]
    legitimate_interests: tuple[int, ...]
    custom_purposes: int
    custom_consents: tuple[int, ...]
    custom_legitimate_interests: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CoreSegment:
    """The core segment, its fields in the order of the format. Times are tenths of a second since 1970."""

    version: int
    created_ds: int
    last_updated_ds: int
    cmp_id: int
    cmp_version: int
    consent_screen: int
    consent_language: str
    vendor_list_version: int
    policy_version: int
    is_service_specific: bool
    use_non_standard_texts: bool
    special_features: tuple[int, ...]
    purpose_consents: tuple[int, ...]
    purpose_legitimate_interests: tuple[int, ...]
    purpose_one_treatment: bool
    publisher_country: str
    vendor_consents: IdRanges
    vendor_legitimate_interests: IdRanges
    restrictions: tuple[PublisherRestriction, ...]


@dataclass(frozen=True, slots=True)
class TcString:
    """A whole string. ``segments`` names its segments in order; an absent segment is ``None``."""

    core: CoreSegment
    segments: tuple[str, ...]
    disclosed_vendors: IdRanges | None
    allowed_vendors: IdRanges | None
    publisher_tc: PublisherTC | None


def decode_tc_string(text: str) -> TcString:
    """Decode a whole TC string. Raises ``Unreadable`` for other texts and for version 1."""
    if len(text) > MAX_LENGTH:
        raise Unreadable("too long")
    if text.count(".") >= MAX_SEGMENTS:
        raise Unreadable("too many segments")
    first, *others = text.split(".")
    core = _read_core(BitReader(Bits(first)))
    names = ["core"]
    vendors: dict[str, IdRanges] = {}
    publisher_tc = None
    for segment in others:
        reader = BitReader(Bits(segment))
        name = _KINDS.get(reader.uint(3))
        if name is None:
            raise Unreadable("a segment of an unknown kind")
        names.append(name)
        if name == "publisherTC":
            publisher_tc = _read_publisher(reader)
        else:
            vendors[name] = _read_vendors(reader)
    return TcString(core, tuple(names), vendors.get("disclosedVendors"), vendors.get("allowedVendors"), publisher_tc)


def to_json(tc: TcString) -> dict[str, object]:
    """Return the fields under the names of the IAB's libraries, ready for JSON.

    Raises ``Unreadable`` if they expand to more than ``MAX_LISTED`` vendors.
    """
    core = tc.core
    restrictions = _by_purpose_and_kind(core.restrictions)
    check_total_size(restriction.vendors for restriction in restrictions)
    fields: dict[str, object] = {
        "version": core.version,
        "created": _time(core.created_ds),
        "lastUpdated": _time(core.last_updated_ds),
        "created_ds": core.created_ds,
        "lastUpdated_ds": core.last_updated_ds,
        "cmpId": core.cmp_id,
        "cmpVersion": core.cmp_version,
        "consentScreen": core.consent_screen,
        "consentLanguage": core.consent_language,
        "vendorListVersion": core.vendor_list_version,
        "policyVersion": core.policy_version,
        "isServiceSpecific": core.is_service_specific,
        "useNonStandardTexts": core.use_non_standard_texts,
        "specialFeatureOptins": list(core.special_features),
        "purposeConsents": list(core.purpose_consents),
        "purposeLegitimateInterests": list(core.purpose_legitimate_interests),
        "purposeOneTreatment": core.purpose_one_treatment,
        "publisherCountryCode": core.publisher_country,
        "vendorConsents": expand_ranges(merge_ranges(core.vendor_consents)),
        "vendorLegitimateInterests": expand_ranges(merge_ranges(core.vendor_legitimate_interests)),
        "publisherRestrictions": [
            {
                "purposeId": restriction.purpose,
                "restrictionType": restriction.kind,
                "vendorIds": expand_ranges(restriction.vendors),
            }
            for restriction in restrictions
        ],
        "segments": list(tc.segments),
    }
    if tc.disclosed_vendors is not None:
        fields["disclosedVendors"] = expand_ranges(merge_ranges(tc.disclosed_vendors))
    if tc.allowed_vendors is not None:
        fields["allowedVendors"] = expand_ranges(merge_ranges(tc.allowed_vendors))
    if tc.publisher_tc is not None:
        fields["publisherTC"] = _publisher_json(tc.publisher_tc)
    return fields


def expand_ranges(ids: IdRanges) -> list[int]:
    """Return every id of the ranges."""
    return [vendor for first, last in ids for vendor in range(first, last + 1)]


def merge_ranges(ranges: IdRanges) -> IdRanges:
    """Return the union of the ranges: ascending, neither overlapping nor adjacent."""
    union: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if union and first <= union[-1][1] + 1:
            union[-1] = (union[-1][0], max(last, union[-1][1]))
        else:
            union.append((first, last))
    return tuple(union)


def _by_purpose_and_kind(restrictions: Iterable[PublisherRestriction]) -> list[PublisherRestriction]:
    """Merge the restrictions of each purpose and type, without those that restrict no vendor."""
    found: dict[tuple[int, int], IdRanges] = {}
    for purpose, kind, vendors in ((item.purpose, item.kind, item.vendors) for item in restrictions):
        found[purpose, kind] = found.get((purpose, kind), ()) + vendors
    return [PublisherRestriction(*key, merge_ranges(vendors)) for key, vendors in sorted(found.items()) if vendors]


def _publisher_json(publisher: PublisherTC) -> dict[str, object]:
    return {
        "publisherConsents": list(publisher.consents),
        "publisherLegitimateInterests": list(publisher.legitimate_interests),
        "numCustomPurposes": publisher.custom_purposes,
        "publisherCustomConsents": list(publisher.custom_consents),
        "publisherCustomLegitimateInterests": list(publisher.custom_legitimate_interests),
    }


def check_total_size(lists: Iterable[IdRanges]) -> None:
    """Raise ``Unreadable`` for lists that would take far more memory than the string."""
    if sum(last - first + 1 for ranges in lists for first, last in ranges) > MAX_LISTED:
        raise GivenUp(f"expands to more than {MAX_LISTED} vendors")


def _time(deciseconds: int) -> str:
    """Return a time in ISO 8601, to the millisecond."""
    moment = _EPOCH + timedelta(milliseconds=deciseconds * 100)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{deciseconds % 10}00Z"


def _read_core(reader: BitReader) -> CoreSegment:
    """Read the core segment. The arguments are in the order of the fields."""
    version = reader.uint(6)
    if version != 2:
        raise Unreadable("not of version 2")
    core = CoreSegment(
        version=version,
        created_ds=reader.uint(36),
        last_updated_ds=reader.uint(36),
        cmp_id=reader.uint(12),
        cmp_version=reader.uint(12),
        consent_screen=reader.uint(6),
        consent_language=_read_letters(reader),
        vendor_list_version=reader.uint(12),
        policy_version=reader.uint(6),
        is_service_specific=reader.bit(),
        use_non_standard_texts=reader.bit(),
        special_features=_read_flags(reader, 12),
        purpose_consents=_read_flags(reader, 24),
        purpose_legitimate_interests=_read_flags(reader, 24),
        purpose_one_treatment=reader.bit(),
        publisher_country=_read_letters(reader),
        vendor_consents=_read_vendors(reader),
        vendor_legitimate_interests=_read_vendors(reader),
        restrictions=_read_restrictions(reader),
    )
    if core.cmp_id < 2:
        raise Unreadable("a CmpId that was never issued")
    return core


def _read_publisher(reader: BitReader) -> PublisherTC:
    """Read the PublisherTC segment after its type."""
    consents, interests, custom = _read_flags(reader, 24), _read_flags(reader, 24), reader.uint(6)
    return PublisherTC(consents, interests, custom, _read_flags(reader, custom), _read_flags(reader, custom))


def _read_letters(reader: BitReader) -> str:
    """Read two letters of six bits."""
    return chr(ord("A") + reader.uint(6)) + chr(ord("A") + reader.uint(6))


def _read_flags(reader: BitReader, width: int) -> tuple[int, ...]:
    """Read a bit field; return the numbers, from 1, of the bits that are set."""
    return tuple(expand_ranges(_set_bits(reader.uint(width), width)))


def _read_vendors(reader: BitReader) -> IdRanges:
    """Read a vendor section: a bit field or a list of ranges.

    Vendor 0 does not exist, and a range that ends before it starts is empty.
    """
    max_id = reader.uint(16)
    if not reader.bit():
        return _set_bits(reader.uint(max_id), max_id)
    return tuple([(max(first, 1), last) for first, last in _read_ranges(reader) if max(first, 1) <= last])


def _read_ranges(reader: BitReader) -> IdRanges:
    """Read a list of ranges."""
    ranges = []
    for _ in range(reader.uint(12)):
        is_range, first = reader.bit(), reader.uint(16)
        ranges.append((first, reader.uint(16) if is_range else first))
    return tuple(ranges)


def _read_restrictions(reader: BitReader) -> tuple[PublisherRestriction, ...]:
    """Read the publisher restrictions."""
    restrictions = []
    for _ in range(reader.uint(12)):
        purpose, kind = reader.uint(6), reader.uint(2)
        if purpose == 0 or kind == 3:
            raise Unreadable("an undefined publisher restriction")
        ranges = _read_ranges(reader)
        if not all(0 < first <= last for first, last in ranges):
            raise Unreadable("a publisher restriction of an impossible range of vendors")
        restrictions.append(PublisherRestriction(purpose, kind, ranges))
    return tuple(restrictions)


def _set_bits(bits: int, width: int) -> IdRanges:
    """Return the numbers, from 1 at the left, of the bits that are set."""
    return tuple((run.start() + 1, run.end()) for run in _SET_BITS.finditer(f"{bits:0{width}b}"))
