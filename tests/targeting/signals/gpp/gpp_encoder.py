"""A small encoder of GPP strings, written from the specification, for tests only.

Values go in by the names of the specification. Nothing is checked: tests also want wrong strings.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tests.targeting.signals.gpp.gpp_vectors import LibrarySection

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

Values = Mapping[str, Any]


def characters(bits: str, unit: int = 6) -> str:
    """Fill up ``bits`` to a multiple of ``unit``, then of six, and write six in a character."""
    bits += "0" * (-len(bits) % unit)
    bits += "0" * (-len(bits) % 6)
    return "".join(ALPHABET[int(bits[start : start + 6], 2)] for start in range(0, len(bits), 6))


def uint(value: int, width: int) -> str:
    """An Integer (fixed length)."""
    return f"{value:0{width}b}"


def fibonacci(value: int) -> str:
    """An Integer (Fibonacci): the steps of the specification."""
    numbers = [1, 2]
    while numbers[-1] <= value:
        numbers.append(numbers[-1] + numbers[-2])
    digits = ""
    for number in reversed(numbers):
        if number <= value:
            value -= number
            digits += "1"
        elif digits:
            digits += "0"
    return digits[::-1] + "1"


def groups(ids: Iterable[int]) -> list[tuple[int, int]]:
    """The runs of consecutive ids."""
    runs: list[tuple[int, int]] = []
    for number in sorted(set(ids)):
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs


def fibonacci_range(ids: Iterable[int]) -> str:
    """A Range (Fibonacci)."""
    runs = groups(ids)
    bits, last = uint(len(runs), 12), 0
    for first, end in runs:
        bits += ("0" if first == end else "1") + fibonacci(first - last)
        bits += fibonacci(end - first) if end > first else ""
        last = end
    return bits


def int_range(ids: Iterable[int]) -> str:
    """A Range (Int)."""
    runs = groups(ids)
    return uint(len(runs), 12) + "".join(
        ("0" + uint(first, 16)) if first == end else ("1" + uint(first, 16) + uint(end, 16)) for first, end in runs
    )


def bit_field(ids: Iterable[int]) -> str:
    """A bit for each id up to the highest."""
    wanted = set(ids)
    return "".join("1" if number in wanted else "0" for number in range(1, max(wanted, default=0) + 1))


def header(ids: Iterable[int], kind: int = 3, version: int = 1) -> str:
    """The header of a string, or of a section that has one."""
    return characters(uint(kind, 6) + uint(version, 6) + fibonacci_range(ids))


def gpp(sections: Mapping[int, str]) -> str:
    """A whole string."""
    return "~".join([header(sections), *(sections[section_id] for section_id in sorted(sections))])


def numbers(values: int | Sequence[int]) -> str:
    """A number of two bits, or a list of them."""
    return "".join(uint(value, 2) for value in ([values] if isinstance(values, int) else values))


def us_core(section: LibrarySection, values: Values) -> str:
    """The bits of the core of a US section."""
    version, *fields = section.core
    return uint(values[version.name], 6) + "".join(numbers(values[field.name]) for field in fields)


def us_section(section: LibrarySection, values: Values, unit: int = 8) -> str:
    """A US section; its optional sub-section if ``values`` has the fields of it."""
    texts = [characters(us_core(section, values), unit)]
    if section.extra == "Gpc" and "Gpc" in values:
        texts.append(characters(uint(values.get("GpcSegmentType", 1), 2) + uint(values["Gpc"], 1), unit))
    if section.extra == "SensitiveDataConsent" and "SensitiveDataProcessing" in values:
        texts.append(characters(numbers(values["SensitiveDataProcessing"]), unit))
    return ".".join(texts)


def permissive(section: LibrarySection) -> dict[str, Any]:
    """The values by which a section withholds nothing: all notices given, no opt-out, nothing sensitive."""
    values: dict[str, Any] = {}
    for field in section.core:
        value = 0
        if field.width == 6:
            value = section.version
        elif field.name.endswith("Notice"):
            value = 1
        elif field.name.endswith("OptOut"):
            value = 2
        elif field.name.startswith("Mspa"):
            value = 1 if field.name in {"MspaCoveredTransaction", "MspaMode"} else 2
        values[field.name] = [value] * field.size if field.size else value
    return values


def us_string(section: LibrarySection, changes: Values) -> str:
    """A string with one US section that withholds nothing but for ``changes``."""
    return gpp({section.section_id: us_text(section, changes)})


def us_text(section: LibrarySection, changes: Values) -> str:
    """A US section that withholds nothing but for ``changes``."""
    return us_section(section, us_values(section, changes))


def us_values(section: LibrarySection, changes: Values) -> dict[str, Any]:
    """The fields of a section that withholds nothing but for ``changes``.

    ``SensitiveDataProcessing[3]`` is the third number of that list.
    """
    values = permissive(section)
    for changed, value in changes.items():
        name, _, index = changed.removesuffix("]").partition("[")
        if index:
            values.setdefault(name, [0] * 8)[int(index) - 1] = value
        else:
            values[name] = value
    return values


def library_vendors(ids: Iterable[int]) -> str:
    """An OptimizedRange as the official library writes it."""
    wanted = set(ids)
    head, as_range, as_bits = uint(max(wanted, default=0), 16), fibonacci_range(wanted), bit_field(wanted)
    return head + ("1" + as_range if len(as_range) <= len(as_bits) else "0" + as_bits)


def old_library_vendors(ids: Iterable[int]) -> str:
    """The same as the library wrote it before version 3.2.0."""
    wanted = set(ids)
    head, as_range, as_bits = uint(max(wanted, default=0), 16), int_range(wanted), bit_field(wanted)
    return head + ("1" + as_range if len(as_range) <= len(as_bits) else "0" + as_bits)


def specified_vendors(ids: Iterable[int]) -> str:
    """An OptimizedRange by the text of the specification."""
    wanted = set(ids)
    as_range, as_bits = fibonacci_range(wanted), bit_field(wanted)
    if len(as_range) <= len(as_bits):
        return "1" + as_range
    return "0" + uint(len(as_bits), 16) + as_bits


Vendors = Callable[[Iterable[int]], str]
WAYS: dict[str, tuple[Vendors, Vendors]] = {
    "library": (library_vendors, library_vendors),
    "old library": (old_library_vendors, int_range),
    "specification": (specified_vendors, specified_vendors),
}


def booleans(flags: Sequence[bool]) -> str:
    """A Bitfield."""
    return "".join("1" if flag else "0" for flag in flags)


def canadian_core(fields: Values, way: str = "library") -> str:
    """The bits of the core of section 5; times are in tenths of a second."""
    vendors, restricted = WAYS[way]
    restrictions = fields["PubRestrictions"]
    return (
        uint(fields["Version"], 6)
        + uint(fields["Created"], 36)
        + uint(fields["LastUpdated"], 36)
        + uint(fields["CmpId"], 12)
        + uint(fields["CmpVersion"], 12)
        + uint(fields["ConsentScreen"], 6)
        + "".join(uint(ord(letter) - ord("A"), 6) for letter in fields["ConsentLanguage"])
        + uint(fields["VendorListVersion"], 12)
        + uint(fields["TcfPolicyVersion"], 6)
        + booleans([fields["UseNonStandardStacks"]])
        + booleans(fields["SpecialFeatureExpressConsent"])
        + booleans(fields["PurposesExpressConsent"])
        + booleans(fields["PurposesImpliedConsent"])
        + vendors(fields["VendorExpressConsent"])
        + vendors(fields["VendorImpliedConsent"])
        + uint(len(restrictions), 12)
        + "".join(
            uint(restriction["key"], 6) + uint(restriction["type"], 2) + restricted(restriction["ids"])
            for restriction in restrictions
        )
    )


def canadian_section(fields: Values, way: str = "library") -> str:
    """Section 5, with the optional sub-sections whose fields are there."""
    texts = [characters(canadian_core(fields, way), 8)]
    if "PubPurposesExpressConsent" in fields:
        texts.append(
            characters(
                uint(3, 3)
                + booleans(fields["PubPurposesExpressConsent"])
                + booleans(fields["PubPurposesImpliedConsent"])
                + uint(len(fields["CustomPurposesExpressConsent"]), 6)
                + booleans(fields["CustomPurposesExpressConsent"])
                + booleans(fields["CustomPurposesImpliedConsent"]),
                8,
            )
        )
    if "DisclosedVendors" in fields:
        texts.append(characters(uint(1, 3) + WAYS[way][0](fields["DisclosedVendors"]), 8))
    return ".".join(texts)


def canadian_fields(**changes: Any) -> dict[str, Any]:
    """The fields of a Canadian core in which everything is consented to and no vendor is named."""
    fields = {
        "Version": 1,
        "Created": 17_000_000_000,
        "LastUpdated": 17_000_000_001,
        "CmpId": 31,
        "CmpVersion": 2,
        "ConsentScreen": 1,
        "ConsentLanguage": "FR",
        "VendorListVersion": 126,
        "TcfPolicyVersion": 2,
        "UseNonStandardStacks": False,
        "SpecialFeatureExpressConsent": [True] * 12,
        "PurposesExpressConsent": [True] * 24,
        "PurposesImpliedConsent": [False] * 24,
        "VendorExpressConsent": [],
        "VendorImpliedConsent": [],
        "PubRestrictions": [],
    }
    return {**fields, **changes}
