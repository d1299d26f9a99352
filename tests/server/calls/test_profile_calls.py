"""GetProfile, UpdateProfile, DeleteProfile: the person sees, corrects and erases what is held."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest
from adtargeting.v1 import preference_pb2, targeting_pb2
from adtargeting.v1 import profile_pb2 as pb
from adtargeting.v1.preference_pb2 import Date
from google.protobuf.timestamp_pb2 import Timestamp

from server.errors import InvalidRequest, NotAllowed
from server.store.ports import Committed, RecordChange, StoreUnavailable
from targeting.model import Mode, Subject, SubjectKind
from targeting.policy.policy import DEFAULT_POLICY
from targeting.reasons import Reason, reasons_in
from targeting.records.stored_records import StoredRecords
from tests.server.calls.direct_service import NOW_S, Service, called, saw, viewed
from tests.server.store.fake_store import PSEUDONYMS, FakeStore

ALICE = Subject(SubjectKind.ACCOUNT, "alice")
RETENTION_S = DEFAULT_POLICY.retention.profile_days * 86_400
DECLARED = pb.DeclaredAttributes(
    birth_date=Date(year=1990, month=2, day=28),
    gender=targeting_pb2.GENDER_FEMALE,
    occupation="baker",
    postal_code="SW1A 1AA",
    country="gbr",
    language="en-gb",
)
PATHS = ("birth_date", "gender", "occupation", "postal_code", "country", "language")


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
def desk(store: FakeStore) -> Service:
    return Service(store, store)


class TestGet:
    def test_of_nobody_nothing_is_held(self, desk: Service) -> None:
        assert desk.get(account_id="alice") == pb.GetProfileResponse()

    def test_everything_that_is_held_is_shown(self, desk: Service) -> None:
        desk.record(viewed("a1", "386", "vendor:auto"), called("a2"), saw("a3"), saw("a4"))
        desk.update(PATHS, DECLARED, account_id="alice")
        desk.opt_in(account_id="alice", source=preference_pb2.SOURCE_ACCOUNT_PAGE)
        held = desk.get(account_id="alice")
        assert held.profile_held
        assert [(each.segment_id, each.kind) for each in held.interests] == [
            ("386", pb.SEGMENT_KIND_CONTENT),
            ("vendor:auto", pb.SEGMENT_KIND_CONTENT),
        ]
        assert held.interests[0].score == pytest.approx(0.2, abs=1e-4)
        assert [(each.country, each.weight) for each in held.call_destinations] == [("GB", 1.0)]
        assert [(each.ad_id, each.count, each.clicks) for each in held.exposures] == [("ad-1", 2, 0)]
        assert held.declared == pb.DeclaredAttributes(
            birth_date=DECLARED.birth_date,
            gender=DECLARED.gender,
            occupation="baker",
            postal_code="SW1A 1AA",
            country="GB",
            language="en-GB",
        )
        assert held.preferences == desk.preferences(account_id="alice")
        assert held.preferences.choice == preference_pb2.CHOICE_OPT_IN
        now = Timestamp(seconds=int(NOW_S))
        assert held.created_at == held.updated_at == held.exposures[0].last_seen_at == now
        assert held.expires_at == Timestamp(seconds=int(NOW_S) + RETENTION_S)
        assert held.version == 5

    def test_who_has_opted_out_sees_what_is_frozen(self, desk: Service) -> None:
        desk.record(viewed("a1"))
        desk.opt_out(account_id="alice")
        held = desk.get(account_id="alice")
        assert held.profile_held
        assert len(held.interests) == 1
        assert held.preferences.choice == preference_pb2.CHOICE_OPT_OUT

    def test_a_choice_without_a_profile(self, desk: Service) -> None:
        desk.opt_out(account_id="alice", country="GB", birth_date=DECLARED.birth_date)
        held = desk.get(account_id="alice")
        assert not held.profile_held
        assert held.declared == pb.DeclaredAttributes(birth_date=DECLARED.birth_date)
        assert held.preferences.country == "GB"

    def test_what_cannot_be_read_is_held_all_the_same(self, desk: Service, store: FakeStore) -> None:
        desk.record(viewed("a1"))
        store.spoil(ALICE, "preference", "profile")
        assert desk.get(account_id="alice") == pb.GetProfileResponse(profile_held=True)


def date(year: int, month: int, day: int) -> Date:
    return Date(year=year, month=month, day=day)


BAD_PATHS = {
    "an unknown one": (["occupation", "email"], "update_mask.paths[1]"),
    "a longer one": (["declared.occupation"], "update_mask.paths[0]"),
    "none": ([], "update_mask"),
}
BAD_VALUES: dict[str, tuple[str, Any]] = {
    "no date": ("birth_date", date(1990, 2, 30)),
    "a date to come": ("birth_date", date(2100, 1, 1)),
    "an unknown gender": ("gender", 9),
    "a long occupation": ("occupation", "é" * 33),
    "an e-mail address": ("occupation", "bob@example.com"),
    "a phone number": ("occupation", "call 415 555 2671"),
    "a control": ("occupation", "ba\nker"),
    "a long postal code": ("postal_code", "1" * 17),
    "too many digits": ("postal_code", "12345678901"),
    "a phone number as postal code": ("postal_code", "415-555-2671"),
    "a phone number as one": ("postal_code", "4155552671"),
    "a phone number with spaces": ("postal_code", "06 1234 5678"),
    "a name as postal code": ("postal_code", "johnsmith"),
    "an e-mail address as postal code": ("postal_code", "bob@x.uk"),
    "no country": ("country", "XX"),
    "no language": ("language", "?"),
}
POSTAL_CODES = [
    "94103",
    "94103-1234",
    "SW1A 1AA",
    "1012 AB",
    "01310-100",
    "100-0001",
    "SE-123 45",
    "LV-1010",
    "12345-67890",
    "HM CX",
]


class TestUpdate:
    def test_what_is_named_is_corrected(self, desk: Service) -> None:
        desk.record(viewed("a1"))
        answer = desk.update(["occupation"], DECLARED, account_id="alice")
        assert (answer.declared, answer.version) == (pb.DeclaredAttributes(occupation="baker"), 2)
        assert desk.get(account_id="alice").declared == answer.declared

    def test_somebody_unknown_may_declare(self, desk: Service) -> None:
        desk.update(PATHS, DECLARED, device_id="phone")
        assert desk.get(device_id="phone").declared.occupation == "baker"
        assert desk.outcomes(viewed(device_id="phone")) == ["RECORDED"]

    def test_what_is_empty_is_withdrawn(self, desk: Service) -> None:
        desk.update(PATHS, DECLARED, account_id="alice")
        assert desk.update(PATHS, pb.DeclaredAttributes(), account_id="alice").declared == pb.DeclaredAttributes()

    @pytest.mark.parametrize(("paths", "field"), BAD_PATHS.values(), ids=BAD_PATHS)
    def test_a_path_that_is_none_is_named(self, desk: Service, paths: list[str], field: str) -> None:
        with pytest.raises(InvalidRequest) as caught:
            desk.update(paths, DECLARED, account_id="alice")
        assert caught.value.field == field

    @pytest.mark.parametrize(("path", "value"), BAD_VALUES.values(), ids=BAD_VALUES)
    def test_a_value_that_cannot_be_taken_is_named(self, desk: Service, path: str, value: Any) -> None:
        with pytest.raises(InvalidRequest) as caught:
            desk.update([path], pb.DeclaredAttributes(**{path: value}), account_id="alice")
        assert caught.value.field == f"declared.{path}"
        assert not desk.get(account_id="alice").profile_held

    @pytest.mark.parametrize("postal_code", POSTAL_CODES)
    def test_postal_codes_of_the_world(self, desk: Service, postal_code: str) -> None:
        declared = pb.DeclaredAttributes(postal_code=postal_code)
        assert desk.update(["postal_code"], declared, account_id="alice").declared == declared

    def test_what_is_not_named_is_not_looked_at(self, desk: Service) -> None:
        declared = pb.DeclaredAttributes(gender=targeting_pb2.GENDER_MALE, occupation="bob@example.com")
        assert desk.update(["gender"], declared, account_id="alice").declared.occupation == ""

    def test_nobody_who_has_opted_out(self, desk: Service) -> None:
        desk.opt_out(account_id="alice")
        with pytest.raises(NotAllowed):
            desk.update(["occupation"], DECLARED, account_id="alice")

    def test_a_child_that_a_correction_shows_stops_everything(self, desk: Service) -> None:
        desk.record(viewed("a1"))
        child = pb.DeclaredAttributes(birth_date=Date(year=2020, month=1, day=1))
        desk.update(["birth_date"], child, account_id="alice")
        assert desk.outcomes(viewed("a2")) == ["SUPPRESSED UNDER_AGE"]
        assert reasons_in(desk.decide("alice").reasons) == (Reason.UNDER_AGE,)
        with pytest.raises(NotAllowed):
            desk.update(["birth_date"], DECLARED, account_id="alice")

    def test_a_correction_that_meets_another_is_made_again(self) -> None:
        store = Stale(3)
        answer = Service(store, store).update(["occupation"], DECLARED, account_id="alice")
        assert answer.version == 1

    def test_a_subject_that_never_rests_is_unavailable(self) -> None:
        store = Stale(1000)
        with pytest.raises(StoreUnavailable):
            Service(store, store).update(["occupation"], DECLARED, account_id="alice")


class TestDelete:
    def test_nothing_is_left_but_the_choice(self, desk: Service, store: FakeStore) -> None:
        desk.record(viewed("a1"), saw("a2"))
        desk.opt_out(account_id="alice")
        receipt = desk.delete(account_id="alice")
        assert (receipt.keys_removed, receipt.preference_version) == (2, 1)
        assert receipt.erased_at == Timestamp(seconds=int(NOW_S))
        (held,) = store.read([ALICE], 1.0)
        assert (held.profile, held.seen) == (None, None)
        shown = desk.get(account_id="alice")
        assert shown == pb.GetProfileResponse(preferences=shown.preferences, declared=pb.DeclaredAttributes())
        assert shown.preferences.choice == preference_pb2.CHOICE_OPT_OUT

    def test_the_receipt_names_the_pseudonym_that_the_keys_hold(self, desk: Service) -> None:
        desk.record(viewed("a1"))
        pseudonym = desk.delete(account_id="alice").subject_pseudonym
        assert f"adt:{{a:{pseudonym}}}:pref".encode() == PSEUDONYMS.locate(ALICE)[1]

    def test_an_erasure_lifts_no_opt_out(self, desk: Service) -> None:
        desk.record(viewed("a1"))
        desk.opt_out(account_id="alice")
        desk.delete(account_id="alice")
        assert reasons_in(desk.decide("alice").reasons) == (Reason.ACCOUNT_OPT_OUT,)
        assert desk.outcomes(viewed("a1"), viewed("a2")) == ["SUPPRESSED ACCOUNT_OPT_OUT"] * 2
        assert not desk.get(account_id="alice").profile_held

    def test_an_erasure_lifts_no_doubt(self, desk: Service, store: FakeStore) -> None:
        desk.record(viewed("a1"))
        store.put(ALICE, preference=None)
        assert reasons_in(desk.decide("alice").reasons) == (Reason.PREFERENCE_LOST,)
        receipt = desk.delete(account_id="alice")
        assert (receipt.keys_removed, receipt.preference_version) == (2, 1)
        assert desk.outcomes(viewed("a2")) == ["SUPPRESSED ACCOUNT_OPT_OUT"]
        desk.opt_in(account_id="alice")
        assert desk.outcomes(viewed("a2")) == ["RECORDED"]

    def test_who_did_not_opt_out_may_be_known_anew(self, desk: Service) -> None:
        desk.record(viewed("a1"))
        desk.delete(account_id="alice")
        assert reasons_in(desk.decide("alice").reasons) == (Reason.NO_PROFILE,)
        assert desk.outcomes(viewed("a1")) == ["RECORDED"]
        assert desk.decide("alice").mode is Mode.BEHAVIOURAL

    def test_of_nobody_there_is_nothing_to_remove(self, desk: Service) -> None:
        receipt = desk.delete(account_id="alice")
        assert (receipt.keys_removed, receipt.preference_version) == (0, 0)

    def test_what_cannot_be_read_is_removed_too(self, desk: Service, store: FakeStore) -> None:
        store.spoil(ALICE, "preference", "profile", "seen")
        receipt = desk.delete(account_id="alice")
        assert (receipt.keys_removed, receipt.preference_version) == (2, 0)
        assert desk.outcomes(viewed("a1")) == ["SUPPRESSED RECORD_UNREADABLE"]

    def test_one_that_meets_a_writer_is_done_again(self) -> None:
        store = Stale(0)
        desk = Service(store, store)
        desk.record(viewed("a1"))
        store.stale = 3
        assert desk.delete(account_id="alice").keys_removed == 2

    def test_what_was_written_since_the_reading_is_removed_too(self) -> None:
        store = Reviving()
        desk = Service(store, store)
        desk.opt_in(account_id="alice")
        store.reviving = True
        assert desk.delete(account_id="alice").keys_removed == 2
        assert not desk.get(account_id="alice").profile_held

    def test_it_is_acknowledged_only_when_it_was_done(self) -> None:
        store = Stale(1000)
        with pytest.raises(StoreUnavailable):
            Service(store, store).delete(account_id="alice")


class Stale(FakeStore):
    """Refuses so many changes, as if somebody else had been faster."""

    def __init__(self, stale: int) -> None:
        super().__init__()
        self.stale = stale

    def commit(self, changes: Sequence[RecordChange], budget_s: float) -> list[Committed]:
        if self.stale:
            self.stale -= 1
            return [Committed(landed=False) for _ in changes]
        return super().commit(changes, budget_s)


class Reviving(FakeStore):
    """Somebody writes the profile after every reading."""

    reviving = False

    def read(self, subjects: Sequence[Subject], budget_s: float) -> list[StoredRecords]:
        held = super().read(subjects, budget_s)
        if self.reviving:
            self.put(ALICE, profile=b"anything", seen=b"anything")
            self.reviving = False
        return held


def test_every_call_names_a_subject(desk: Service) -> None:
    for call in (desk.get, desk.delete, partial(desk.update, ["gender"], DECLARED)):
        with pytest.raises(InvalidRequest, match="account_id"):
            call()


def test_corrections_and_erasures_are_counted(desk: Service) -> None:
    desk.update(["gender"], DECLARED, account_id="alice")
    desk.delete(account_id="alice")
    desk.opt_out(account_id="alice")
    with pytest.raises(NotAllowed):
        desk.update(["gender"], DECLARED, account_id="alice")
    for outcome in ("corrected", "erased", "suppressed"):
        value = desk.metrics.registry.get_sample_value("adtargeting_profile_writes_total", {"outcome": outcome})
        assert value == 1.0, outcome
