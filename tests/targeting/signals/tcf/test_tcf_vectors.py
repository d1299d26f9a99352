"""The vectors made with the IAB's official libraries: each is read exactly, or refused.

`tests/data/vectors/tcf.json` says of each malformed one what a safe reader does (``expect``) and whether the
opposite will do (``alt_ok``).
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from targeting.signals.tcf.decode import decode_tc_string, to_json
from targeting.signals.tcf.read import read_tc_string
from targeting.signals.unreadable import Unreadable
from tests.targeting.signals.tcf import tcf_reference

VECTORS = json.loads((Path(__file__).parents[3] / "data/vectors/tcf.json").read_text())
VALID = [pytest.param(vector["string"], vector["truth"], id=vector["id"]) for vector in VECTORS["valid"]]
MALFORMED = [pytest.param(vector, id=vector["id"]) for vector in VECTORS["malformed"]]

ACCEPTED_ALTHOUGH_REFUSAL_IS_EXPECTED = {
    "vendorConsents range end < start": "the range is empty, as for the official library",
    "vendorLI range end < start": "the same",
    "disclosedVendors range end < start": "the same",
    "single vendor id 0 in range": "vendor 0 does not exist",
    "range 0..5": "the same",
    "publisherCountryCode value 63": "letters are not looked at, as in consentLanguage",
}
REFUSED_ALTHOUGH_NOT_EXPECTED = {
    "bomb: 4095 restriction records x 4 ranges 1..65535 (~100 kB)": "longer than 32 KiB",
    "valid core + 100 kB of trailing 'A'": "the same",
}
NOT_LISTED = {"bomb: 189 (purpose,type) restriction records x 1..65535": "12 million ids in 1.7 kB"}
GIVEN_UP_BY_DECISIONS = {
    "bomb: 4095 x range 1..65535 in vendorConsents (22 kB string)": "longer than all vendors' bit field",
    "bomb: 189 (purpose,type) restriction records x 1..65535": "more restrictions than there can be",
}


@pytest.mark.parametrize(("text", "truth"), VALID)
def test_a_valid_string_is_decoded_exactly(text: str, truth: dict[str, Any]) -> None:
    decoded = to_json(decode_tc_string(text))
    assert decoded == truth
    assert list(decoded) == list(truth)


@pytest.mark.parametrize(("text", "truth"), VALID)
def test_the_plain_reader_of_these_tests_reads_the_same(text: str, truth: dict[str, Any]) -> None:
    assert tcf_reference.read(text) == truth


@pytest.mark.parametrize(("text", "truth"), VALID)
def test_a_decision_reads_what_the_whole_string_says(text: str, truth: dict[str, Any]) -> None:
    consent = read_tc_string(text)
    assert consent.version == truth["version"]
    assert consent.last_updated_ds == truth["lastUpdated_ds"]
    assert consent.policy_version == truth["policyVersion"]
    assert consent.policy_is_newer == (truth["policyVersion"] > 5)
    assert consent.vendor_list_version == truth["vendorListVersion"]
    assert consent.is_service_specific == truth["isServiceSpecific"]
    opted_in = [number for number in range(-1, 20) if consent.special_feature(number)]
    assert opted_in == truth["specialFeatureOptins"]
    disclosed = set(tcf_reference.read_for_decisions(text).get("disclosedVendors", []))
    for vendor in {*vendors_that_matter(truth), *range(-1, 1300), 65_536}:
        assert consent.discloses(vendor) == (vendor in disclosed)


@pytest.mark.parametrize(("text", "truth"), VALID)
def test_a_decision_finds_the_bases_that_the_truth_gives(text: str, truth: dict[str, Any]) -> None:
    consent, truth = read_tc_string(text), with_sets(tcf_reference.read_for_decisions(text))
    for purpose in (-1, 0, *range(1, 26)):
        for vendor in vendors_that_matter(truth):
            assert consent.has_basis(purpose, vendor) == tcf_reference.has_basis(truth, purpose, vendor)


@pytest.mark.parametrize("vector", MALFORMED)
def test_a_malformed_string_is_refused(vector: dict[str, Any]) -> None:
    accepted = is_accepted(vector["string"])
    if (vector["expect"] == "ok") != accepted:
        assert vector["alt_ok"]
        assert vector["name"] in (
            ACCEPTED_ALTHOUGH_REFUSAL_IS_EXPECTED if accepted else REFUSED_ALTHOUGH_NOT_EXPECTED | NOT_LISTED
        )


@pytest.mark.parametrize("vector", MALFORMED)
def test_a_decision_refuses_what_cannot_be_decoded(vector: dict[str, Any]) -> None:
    text = vector["string"]
    if vector["name"] in GIVEN_UP_BY_DECISIONS:
        with pytest.raises(Unreadable, match="given up"):
            read_tc_string(text)
        return
    try:
        truth = with_sets(tcf_reference.read_for_decisions(text))
    except tcf_reference.Refused:
        with pytest.raises(Unreadable):
            read_tc_string(text)
        return
    consent = read_tc_string(text)
    for purpose in range(1, 12):
        for vendor in vendors_that_matter(truth):
            assert consent.has_basis(purpose, vendor) == tcf_reference.has_basis(truth, purpose, vendor)


def is_accepted(text: str) -> bool:
    try:
        to_json(decode_tc_string(text))
    except Unreadable:
        return False
    return True


def vendors_that_matter(truth: dict[str, Any]) -> Iterable[int]:
    """The vendors where one of the sets begins or ends, and their neighbours; a few dozen at most."""
    sets = [truth["vendorConsents"], truth["vendorLegitimateInterests"], truth.get("disclosedVendors", [])]
    sets += [restriction["vendorIds"] for restriction in truth["publisherRestrictions"]]
    found = {0, 1, 2, 65_535}
    for each in sets:
        edges = sorted(set(edges_of(set(each))))
        found.update(edges[:8], edges[-8:], edges[:: len(edges) // 8 + 1])
    return sorted(found)


def edges_of(members: set[int]) -> Iterator[int]:
    for member in members:
        if member - 1 not in members or member + 1 not in members:
            yield from (member - 1, member, member + 1)


def with_sets(truth: dict[str, Any]) -> dict[str, Any]:
    """The truth with sets of vendors, in which a member is found at once."""
    restrictions = [
        {**restriction, "vendorIds": frozenset(restriction["vendorIds"])}
        for restriction in truth["publisherRestrictions"]
    ]
    names = ("vendorConsents", "vendorLegitimateInterests", "disclosedVendors")
    sets = {name: frozenset(truth[name]) for name in names if name in truth}
    return {**truth, **sets, "publisherRestrictions": restrictions}
