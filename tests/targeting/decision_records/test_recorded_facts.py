"""What a record tells of consents, choices and subjects, and what it says that it does not tell."""

from dataclasses import replace
from typing import Any

import pytest

from targeting.decision import plan
from targeting.decision_records.form import ConsentFacts, DecisionRecord, TcStringFacts, VendorFacts
from targeting.decision_records.recorded_consent import AnyConsent, RecordedTcString, Unknowns
from targeting.decision_records.replay import replayed
from targeting.model import AdRequest, Identity, Signals, SubjectKind
from targeting.places.geo import IpLocation
from targeting.policy.policy import GdprPolicy, Policy
from targeting.reasons import Reason
from targeting.records.preference import Choice, Preference, encode_preference
from targeting.records.profile import Profile, encode_profile
from targeting.records.stored_records import StoredRecords
from targeting.rejudging.batch import DecidedBatch
from targeting.signals.tcf.vendor_list import VendorDeclaration, VendorList
from tests.targeting.decision_records.recorded import NOW_S, record, recorded
from tests.targeting.rejudging.policies import BASE
from tests.targeting.signals.strings import STRINGS, VENDOR

OWNER = bytes(16)
LIST = 300
TOLD = TcStringFacts(
    is_of_list=True,
    precise_position=True,
    vendors=(VendorFacts(id=VENDOR, consent=(2, 4), legitimate_interest=(2, 7)),),
)
FACTS = ConsentFacts(in_gdpr_scope=True, vendor_list=LIST, purposes=(2, 4, 7), tc_strings=(TOLD,))


def declaring(version: int, *, on_consent: int = 0, on_interest: int = 0, features: int = 0) -> VendorList:
    return VendorList(version, {VENDOR: VendorDeclaration(on_consent, on_interest, 0, features)})


def both(string: TcStringFacts = TOLD) -> tuple[RecordedTcString, RecordedTcString, Unknowns]:
    """The string, leniently and strictly, and what they do not tell."""
    unknowns: Unknowns = set()
    lenient, strict = (RecordedTcString(string, FACTS, unknowns, lenient=lenient) for lenient in (True, False))
    return lenient, strict, unknowns


@pytest.mark.parametrize(
    ("purpose", "vendor", "vendor_list", "expected"),
    [
        (4, VENDOR, None, True),
        (7, VENDOR, None, False),
        (7, VENDOR, declaring(LIST, on_interest=1 << 7), True),
        (2, VENDOR, declaring(LIST, on_consent=1 << 2), True),
        (7, VENDOR, declaring(LIST, on_consent=1 << 7), False),
        (4, VENDOR, declaring(LIST, on_interest=1 << 4), False),
        (4, VENDOR, declaring(LIST), False),
        (4, VENDOR, declaring(LIST + 1), True),
    ],
    ids=[
        *("consent", "no consent", "interest", "declared"),
        *("declared without consent", "declared without an interest", "not declared", "surely another list"),
    ],
)
def test_what_is_told_is_the_same_for_everybody(
    purpose: int, vendor: int, vendor_list: VendorList | None, expected: bool
) -> None:
    lenient, strict, unknowns = both()
    assert lenient.has_basis(purpose, vendor, vendor_list) is expected
    assert strict.has_basis(purpose, vendor, vendor_list) is expected
    assert not unknowns


@pytest.mark.parametrize(
    ("purpose", "vendor", "vendor_list", "unknown"),
    [
        (4, 12, None, "the consent of vendor 12"),
        (9, VENDOR, None, "the consent to purpose 9"),
        (4, VENDOR, declaring(LIST + 1), f"whether the string is of vendor list {LIST + 1}"),
    ],
    ids=["vendor", "purpose", "list"],
)
def test_what_is_not_told_is_named_and_may_be_either(
    purpose: int, vendor: int, vendor_list: VendorList | None, unknown: str
) -> None:
    lenient, strict, unknowns = both(TcStringFacts(vendors=TOLD.vendors))
    assert lenient.has_basis(purpose, vendor, vendor_list)
    assert not strict.has_basis(purpose, vendor, vendor_list)
    assert unknowns == {unknown}


def test_a_string_of_another_list_than_the_policy_had_is_surely_not_of_that_list() -> None:
    lenient, strict, unknowns = both(TcStringFacts(vendors=TOLD.vendors))
    assert lenient.has_basis(4, VENDOR, declaring(LIST))
    assert strict.has_basis(4, VENDOR, declaring(LIST))
    assert not unknowns


@pytest.mark.parametrize(
    ("string", "vendor_list", "expected"),
    [
        (TOLD, None, True),
        (TcStringFacts(), None, False),
        (TcStringFacts(), declaring(LIST), False),
        (TOLD, declaring(LIST, features=1 << 1), True),
        (TOLD, declaring(LIST), False),
    ],
    ids=["opted in", "refused", "refused with a list", "declared", "not declared"],
)
def test_the_precise_position_is_told(string: TcStringFacts, vendor_list: VendorList | None, expected: bool) -> None:
    for consent in both(string)[:2]:
        assert consent.may_use_feature(1, VENDOR, vendor_list) is expected


def test_a_string_that_was_not_read_may_give_everything() -> None:
    unknowns: Unknowns = set()
    consent = AnyConsent(unknowns)
    assert consent.has_basis(4, VENDOR)
    assert consent.may_use_feature(1, VENDOR)
    assert unknowns == {"the consent strings where the GDPR did not apply"}


def asked(policy: Policy, *stored: StoredRecords, country: str = "DE", tcf: str = "tcf-consent") -> DecisionRecord:
    signals = Signals(tcf_consent=STRINGS[tcf])
    request = AdRequest(identity=Identity("a", (), "d"), ip_location=IpLocation(country, ""), signals=signals)
    return record(recorded(request, policy, list(stored)))


def held(kind: SubjectKind, **values: Any) -> StoredRecords:
    preference = encode_preference(Preference(**values), OWNER)
    return StoredRecords(kind, OWNER, preference, encode_profile(Profile(), OWNER))


ACCOUNT, DEVICE = held(SubjectKind.ACCOUNT), held(SubjectKind.DEVICE)


@pytest.mark.parametrize(
    ("records", "choice"),
    [
        (ACCOUNT, "none"),
        (held(SubjectKind.ACCOUNT, choice=Choice.OPT_IN), "opted_in"),
        (held(SubjectKind.ACCOUNT, choice=Choice.OPT_OUT), "opted_out"),
        (StoredRecords(SubjectKind.ACCOUNT, OWNER), "absent"),
        (StoredRecords(SubjectKind.ACCOUNT, OWNER, b"?"), "unreadable"),
        (StoredRecords(SubjectKind.ACCOUNT, OWNER, None, b"?"), "lost"),
    ],
    ids=["none", "in", "out", "absent", "unreadable", "lost"],
)
def test_each_stored_choice_has_a_name_and_is_replayed(records: StoredRecords, choice: str) -> None:
    written = asked(BASE, records, DEVICE)
    assert [subject.choice for subject in written.subjects] == [choice, "none"]
    assert replayed(written, BASE) == set()


def test_another_vendor_may_loosen_what_consent_limited() -> None:
    written = asked(BASE, tcf="tcf-refusal")
    other = replace(BASE, gdpr=GdprPolicy(host_vendor_id=12))
    ((name, unrecorded),) = {(change.name, change.unrecorded) for change in replayed(written, other)}
    assert name == "gdpr"
    assert unrecorded == "the stored records, which were not asked for"


def test_outside_the_gdpr_a_string_was_not_read_and_may_only_tighten() -> None:
    written = asked(BASE, ACCOUNT, DEVICE, country="US")
    (change,) = replayed(written, replace(BASE, gdpr=GdprPolicy(countries=("US",), host_vendor_id=VENDOR)))
    assert (change.name, change.effect, change.country) == ("gdpr", "tightens", "US")
    assert change.unrecorded == "the consent strings where the GDPR did not apply"


def test_nothing_of_a_person_is_in_a_repr() -> None:
    request = AdRequest(identity=Identity("alice"))
    planned = plan([request], BASE, NOW_S)
    batch = DecidedBatch(planned, Reason.STORE_TIMEOUT, [()], (), BASE, NOW_S)
    assert "alice" not in f"{batch} {recorded(request, BASE, Reason.STORE_TIMEOUT)}"


@pytest.mark.parametrize("reason", [Reason.STORE_TIMEOUT, Reason.STORE_UNAVAILABLE, Reason.PREFERENCE_LOST])
def test_a_store_that_gave_no_answer_is_told(reason: Reason) -> None:
    written = record(recorded(AdRequest(identity=Identity("a"), ip_location=IpLocation("US", "")), BASE, reason))
    assert (written.store, written.subjects) == (reason.name, ())
    assert replayed(written, BASE) == set()
