"""A second reader of TC strings, bit by bit and as close to the words of the standard as can be.

It is slow and has no limits but those of the contract. What the real readers say is compared with it.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.targeting.signals.tcf.tcf_encoder import ALPHABET

Truth = dict[str, Any]


class Refused(Exception):
    """The text is no TC string."""


class Tape:
    """Bits, read from left to right."""

    def __init__(self, text: str) -> None:
        if not text or any(character not in ALPHABET for character in text):
            raise Refused
        self.bits = "".join(f"{ALPHABET.index(character):06b}" for character in text)

    def take(self, width: int) -> str:
        if width > len(self.bits):
            raise Refused
        taken, self.bits = self.bits[:width], self.bits[width:]
        return taken

    def number(self, width: int) -> int:
        return int("0" + self.take(width), 2)

    def flags(self, width: int) -> list[int]:
        return [index for index, bit in enumerate(self.take(width), 1) if bit == "1"]

    def letters(self) -> str:
        return chr(65 + self.number(6)) + chr(65 + self.number(6))

    def entries(self) -> list[tuple[int, int]]:
        found = []
        for _ in range(self.number(12)):
            is_range, first = self.number(1), self.number(16)
            found.append((first, self.number(16) if is_range else first))
        return found

    def vendors(self) -> list[int]:
        max_id = self.number(16)
        if self.number(1) == 0:
            return self.flags(max_id)
        return listed(self.entries())


def listed(entries: list[tuple[int, int]]) -> list[int]:
    return sorted({vendor for first, last in entries for vendor in range(first, last + 1)} - {0})


def time(deciseconds: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=100 * deciseconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read(text: str) -> Truth:
    """What the text says, with the names of the vectors' ``truth``."""
    if len(text) > 32_768:
        raise Refused
    first, *others = text.split(".")
    if len(others) > 4:
        raise Refused
    truth = read_core(Tape(first))
    for other in others:
        tape = Tape(other)
        kind = tape.number(3)
        if kind in {1, 2}:
            name = {1: "disclosedVendors", 2: "allowedVendors"}[kind]
            truth[name] = tape.vendors()
        elif kind == 3:
            name = "publisherTC"
            truth[name] = read_publisher(tape)
        else:
            raise Refused
        truth["segments"].append(name)
    return truth


def read_for_decisions(text: str) -> Truth:
    """The same, but of a repeated disclosedVendors only the vendors that are in each."""
    truth = read(text)
    tapes = [Tape(other) for other in text.split(".")[1:]]
    if disclosed := [set(tape.vendors()) for tape in tapes if tape.number(3) == 1]:
        truth["disclosedVendors"] = sorted(set.intersection(*disclosed))
    return truth


def read_core(tape: Tape) -> Truth:
    version, created, last_updated = tape.number(6), tape.number(36), tape.number(36)
    if version != 2:
        raise Refused
    truth: Truth = {
        "version": version,
        "created": time(created),
        "lastUpdated": time(last_updated),
        "created_ds": created,
        "lastUpdated_ds": last_updated,
        "cmpId": tape.number(12),
        "cmpVersion": tape.number(12),
        "consentScreen": tape.number(6),
        "consentLanguage": tape.letters(),
        "vendorListVersion": tape.number(12),
        "policyVersion": tape.number(6),
        "isServiceSpecific": tape.number(1) == 1,
        "useNonStandardTexts": tape.number(1) == 1,
        "specialFeatureOptins": tape.flags(12),
        "purposeConsents": tape.flags(24),
        "purposeLegitimateInterests": tape.flags(24),
        "purposeOneTreatment": tape.number(1) == 1,
        "publisherCountryCode": tape.letters(),
        "vendorConsents": tape.vendors(),
        "vendorLegitimateInterests": tape.vendors(),
        "publisherRestrictions": read_restrictions(tape),
        "segments": ["core"],
    }
    if truth["cmpId"] < 2:
        raise Refused
    return truth


def read_restrictions(tape: Tape) -> list[Truth]:
    found: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for _ in range(tape.number(12)):
        purpose, kind, entries = tape.number(6), tape.number(2), tape.entries()
        if purpose == 0 or kind == 3 or any(first < 1 or last < first for first, last in entries):
            raise Refused
        found.setdefault((purpose, kind), []).extend(entries)
    return [
        {"purposeId": purpose, "restrictionType": kind, "vendorIds": listed(entries)}
        for (purpose, kind), entries in sorted(found.items())
        if entries
    ]


def read_publisher(tape: Tape) -> Truth:
    consents, interests, custom = tape.flags(24), tape.flags(24), tape.number(6)
    return {
        "publisherConsents": consents,
        "publisherLegitimateInterests": interests,
        "numCustomPurposes": custom,
        "publisherCustomConsents": tape.flags(custom),
        "publisherCustomLegitimateInterests": tape.flags(custom),
    }


Declarations = dict[int, dict[str, list[int]]]


def has_basis(truth: Truth, purpose: int, vendor: int, declarations: Declarations | None = None) -> bool:
    """The rules, one after the other. ``declarations`` are those of the vendor list of the string's version."""
    if not (truth["isServiceSpecific"] and truth["vendorListVersion"] and truth["policyVersion"]):
        return False
    consent = purpose in truth["purposeConsents"] and vendor in truth["vendorConsents"]
    interest = purpose in truth["purposeLegitimateInterests"] and vendor in truth["vendorLegitimateInterests"]
    if purpose in {1, 3, 4, 5, 6}:
        interest = False
    if purpose == 1 and truth["purposeOneTreatment"]:
        consent = False
    if declarations is None:
        interest = False
    else:
        declared = declarations.get(vendor, {})
        flexibly = purpose in declared.get("flexiblePurposes", [])
        consent = consent and (purpose in declared.get("purposes", []) or flexibly)
        interest = interest and (purpose in declared.get("legIntPurposes", []) or flexibly)
    for restriction in truth["publisherRestrictions"]:
        if restriction["purposeId"] == purpose and vendor in restriction["vendorIds"]:
            consent = consent and restriction["restrictionType"] == 1
            interest = interest and restriction["restrictionType"] == 2
    disclosed = truth["lastUpdated_ds"] < 17_723_232_000 or vendor in truth.get("disclosedVendors", [])
    return (consent or interest) and disclosed
