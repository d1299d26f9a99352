"""Consent strings in words: each field with its bits, and what cannot be read."""

from collections.abc import Callable

import pytest

from targeting.inspection.decoded_field import DecodedField, bits_of
from targeting.inspection.strings_in_words import (
    gpp_string_in_words,
    tc_string_in_words,
    us_privacy_in_words,
)
from targeting.signals.unreadable import Unreadable
from tests.targeting.signals.gpp.gpp_encoder import canadian_fields, canadian_section, gpp, header, us_string, us_text
from tests.targeting.signals.gpp.gpp_vectors import SECTIONS, LibrarySection, section
from tests.targeting.signals.strings import STRINGS, VENDOR
from tests.targeting.signals.tcf.tcf_encoder import BitField, Publisher, Restriction, Tc, Vendors


def by_name(fields: list[DecodedField]) -> dict[str, DecodedField]:
    return {field.name: field for field in fields}


def test_a_tc_string_is_explained_bit_by_bit() -> None:
    fields = tc_string_in_words(STRINGS["tcf-consent"], VENDOR)
    assert "".join(field.bits for field in fields) == bits_of(STRINGS["tcf-consent"])[:213]
    shown = by_name(fields)
    assert shown["PurposesConsent"].bits == "1" * 11 + "0" * 13
    assert shown["IsServiceSpecific"] == DecodedField(
        "IsServiceSpecific", "1", "yes", "for this site alone; a string that says no is invalid"
    )
    assert shown["VendorConsents"].words == f"vendor {VENDOR} has consent"
    assert by_name(tc_string_in_words(STRINGS["tcf-refusal"], VENDOR))["VendorConsents"].words.startswith(
        f"vendor {VENDOR} does not have"
    )


def test_long_lists_are_cut_and_restrictions_are_named() -> None:
    text = Tc(consents=BitField(frozenset(range(1, 40)), 40), restrictions=(Restriction(4, 0, ((5, 7),)),)).text()
    shown = by_name(tc_string_in_words(text, VENDOR))
    assert shown["VendorConsents"].value == "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 and 27 more"
    assert "4" in shown["PubRestrictions"].value


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("SaleOptOut", 1, "opted out"),
        ("SaleOptOut", 2, "did not opt out"),
        ("SaleOptOutNotice", 2, "notice was not given"),
        ("SaleOptOut", 3, "undefined; counts as the stricter"),
        ("MspaServiceProviderMode", 1, "yes"),
        ("KnownChildSensitiveDataConsents[1]", 1, "no consent"),
    ],
)
def test_the_national_section_is_explained(name: str, value: int, words: str) -> None:
    text = us_string(section(7, 2), {name: value})
    (fields,) = gpp_string_in_words(text, VENDOR).values()
    assert by_name(fields)[name][1:] == (f"{value:02b}", str(value), words)


@pytest.mark.parametrize("us_section", SECTIONS, ids=lambda each: f"{each.section_id} {each.version}")
def test_every_us_section_has_words_for_every_field(us_section: LibrarySection) -> None:
    ((title, fields),) = gpp_string_in_words(us_string(us_section, {}), VENDOR).items()
    assert title.split()[0].isdigit()
    assert all(field.words for field in fields)


def test_other_sections_are_explained_by_their_own_kind() -> None:
    tcf = f"DBABMA~{STRINGS['tcf-consent']}"
    assert by_name(gpp_string_in_words(tcf, VENDOR)["2 tcfeuv2"])["Version"].value == "2"
    us_privacy = gpp_string_in_words("DBABTA~1YNN", VENDOR)["6 uspv1"]
    assert by_name(us_privacy)["OptOutSale"].value == "N"


def test_a_us_privacy_string_is_explained() -> None:
    assert us_privacy_in_words("1Y-N")[2] == DecodedField(
        "OptOutSale", "", "-", "opted out of the sale: not applicable"
    )


def test_the_signal_within_a_section_is_explained() -> None:
    (fields,) = gpp_string_in_words(STRINGS["usnat-gpc"], VENDOR).values()
    assert by_name(fields)["Gpc"].value == "yes"


def test_every_bit_of_the_fixed_fields_of_the_canadian_section_is_explained() -> None:
    text = canadian_section(
        canadian_fields(
            VendorExpressConsent=[VENDOR],
            PurposesExpressConsent=[True, False] * 12,
            PubRestrictions=[{"key": 3, "type": 0, "ids": [5, 6]}],
        )
    )
    fields = gpp_string_in_words(gpp({5: text}), VENDOR)["5 tcfcav1"]
    assert "".join(field.bits for field in fields) == bits_of(text)[:199]
    shown = by_name(fields)
    assert shown["PurposesExpressConsent"] == DecodedField(
        "PurposesExpressConsent",
        "10" * 12,
        "1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23",
        "purposes with express consent",
    )
    assert shown["VendorExpressConsent"].words == f"vendor {VENDOR} has express consent"
    assert shown["VendorImpliedConsent"][2:] == ("none", f"vendor {VENDOR} does not have implied consent")
    assert shown["PubRestrictions"].value == "purpose 3, type 0, vendors 5, 6"


def test_the_sub_sections_of_the_canadian_section_are_explained() -> None:
    text = canadian_section(
        canadian_fields(
            PubPurposesExpressConsent=[True] + [False] * 23,
            PubPurposesImpliedConsent=[False] * 24,
            CustomPurposesExpressConsent=[True, True, False],
            CustomPurposesImpliedConsent=[False, True, False],
            DisclosedVendors=[10, 4000],
        )
    )
    shown = by_name(gpp_string_in_words(gpp({5: text}), VENDOR)["5 tcfcav1"])
    assert shown["PubPurposesExpressConsent"][1:3] == ("1" + "0" * 23, "1")
    assert shown["NumCustomPurposes"][1:3] == ("000011", "3")
    assert shown["CustomPurposesExpressConsent"][1:3] == ("110", "1, 2")
    assert shown["CustomPurposesImpliedConsent"][1:3] == ("010", "2")
    assert shown["DisclosedVendors"].value == "10, 4000"


def test_the_further_segments_of_a_tc_string_are_explained() -> None:
    listed = BitField(frozenset({2, 3}), 3)
    publisher = Publisher(frozenset({1}), frozenset(), 2, frozenset({1}), frozenset({2}))
    text = Tc(others=(Vendors(listed, 1), Vendors(listed, 2), publisher)).text()
    shown = by_name(tc_string_in_words(text, VENDOR))
    assert shown["VendorsDisclosed"].value == shown["VendorsAllowed"].value == "2, 3"
    assert shown["PubPurposesConsent"][1:3] == ("1" + "0" * 23, "1")
    assert shown["CustomPurposesConsent"][1:3] == ("10", "1")
    assert shown["CustomPurposesLITransparency"] == DecodedField(
        "CustomPurposesLITransparency", "01", "2", "legitimate interest for its own purposes"
    )


@pytest.mark.parametrize("head", ["", f"{header([1], kind=25)}."], ids=["alone", "with its header"])
def test_the_sensitive_categories_and_the_header_of_a_section_are_explained(head: str) -> None:
    core = us_text(section(25), {"SaleOptOut": 1, "SensitiveDataProcessing[8]": 1})
    (fields,) = gpp_string_in_words(gpp({25: head + core}), VENDOR).values()
    shown = by_name(fields)
    assert shown["SaleOptOut"] == DecodedField("SaleOptOut", "01", "1", "opted out")
    assert shown["SensitiveDataProcessing[8]"] == DecodedField("SensitiveDataProcessing[8]", "01", "1", "no consent")
    assert ("SubSections" in shown) == bool(head)
    for name in ("SectionID", "Version") if head else ():
        assert (len(shown[name][1]), str(int(shown[name][1], 2))) == (6, shown[name][2])


def test_a_section_that_this_version_does_not_know_is_shown_in_bits() -> None:
    (fields,) = gpp_string_in_words(gpp({60: "BA.?"}), VENDOR).values()
    assert [field[:2] for field in fields] == [("Segment 1", "000001000000"), ("Segment 2", "")]
    assert all("cannot decode" in field.words for field in fields)


@pytest.mark.parametrize("explain", [tc_string_in_words, gpp_string_in_words])
def test_what_cannot_be_read_is_said(explain: Callable[[str, int], object]) -> None:
    with pytest.raises(Unreadable):
        explain("junk", VENDOR)


def test_the_global_privacy_control_of_a_section_is_explained() -> None:
    (fields,) = gpp_string_in_words(STRINGS["usnat-gpc"], VENDOR).values()
    shown = by_name(fields)
    assert shown["GpcSegmentType"][1:3] == ("01", "1")
    assert shown["Gpc"][1:3] == ("1", "yes")
