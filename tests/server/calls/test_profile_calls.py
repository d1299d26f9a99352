"""GetProfile and DeleteProfile: a person sees and erases what is stored."""

from functools import partial

import pytest
from adtargeting.v1 import preference_pb2
from adtargeting.v1 import profile_pb2 as pb
from google.protobuf.timestamp_pb2 import Timestamp

from server.errors import InvalidRequest, NotAllowed
from server.store.ports import StoreUnavailable
from targeting.model import Mode
from targeting.policy.policy import DEFAULT_POLICY
from targeting.reasons import Reason, reasons_in
from tests.server.calls.contended_stores import ALICE, Reviving, Stale
from tests.server.calls.declared_attributes import DECLARED, PATHS
from tests.server.calls.direct_service import NOW_S, Service, called, saw, viewed
from tests.server.store.fake_store import PSEUDONYMS, FakeStore

RETENTION_S = DEFAULT_POLICY.retention.profile_days * 86_400


class TestGet:
    def test_nothing_is_held_of_an_unknown_person(self, calls: Service) -> None:
        assert calls.get(account_id="alice") == pb.GetProfileResponse()

    def test_everything_that_is_held_is_shown(self, calls: Service) -> None:
        calls.record(viewed("a1", "386", "vendor:auto"), called("a2"), saw("a3"), saw("a4"))
        calls.update(PATHS, DECLARED, account_id="alice")
        calls.opt_in(account_id="alice", source=preference_pb2.SOURCE_ACCOUNT_PAGE)
        held = calls.get(account_id="alice")
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
        assert held.preferences == calls.preferences(account_id="alice")
        assert held.preferences.choice == preference_pb2.CHOICE_OPT_IN
        now = Timestamp(seconds=int(NOW_S))
        assert held.created_at == held.updated_at == held.exposures[0].last_seen_at == now
        assert held.expires_at == Timestamp(seconds=int(NOW_S) + RETENTION_S)
        assert held.version == 5

    def test_who_has_opted_out_sees_what_is_frozen(self, calls: Service) -> None:
        calls.record(viewed("a1"))
        calls.opt_out(account_id="alice")
        held = calls.get(account_id="alice")
        assert held.profile_held
        assert len(held.interests) == 1
        assert held.preferences.choice == preference_pb2.CHOICE_OPT_OUT

    def test_a_choice_without_a_profile(self, calls: Service) -> None:
        calls.opt_out(account_id="alice", country="GB", birth_date=DECLARED.birth_date)
        held = calls.get(account_id="alice")
        assert not held.profile_held
        assert held.declared == pb.DeclaredAttributes(birth_date=DECLARED.birth_date)
        assert held.preferences.country == "GB"

    def test_what_cannot_be_read_is_held_all_the_same(self, calls: Service, store: FakeStore) -> None:
        calls.record(viewed("a1"))
        store.spoil(ALICE, "preference", "profile")
        assert calls.get(account_id="alice") == pb.GetProfileResponse(profile_held=True)


class TestDelete:
    def test_nothing_is_left_but_the_choice(self, calls: Service, store: FakeStore) -> None:
        calls.record(viewed("a1"), saw("a2"))
        calls.opt_out(account_id="alice")
        receipt = calls.delete(account_id="alice")
        assert (receipt.keys_removed, receipt.preference_version) == (2, 1)
        assert receipt.erased_at == Timestamp(seconds=int(NOW_S))
        (held,) = store.read([ALICE], 1.0)
        assert (held.profile, held.seen) == (None, None)
        shown = calls.get(account_id="alice")
        assert shown == pb.GetProfileResponse(preferences=shown.preferences, declared=pb.DeclaredAttributes())
        assert shown.preferences.choice == preference_pb2.CHOICE_OPT_OUT

    def test_the_receipt_names_the_pseudonym_that_the_keys_hold(self, calls: Service) -> None:
        calls.record(viewed("a1"))
        pseudonym = calls.delete(account_id="alice").subject_pseudonym
        assert f"adt:{{a:{pseudonym}}}:pref".encode() == PSEUDONYMS.locate(ALICE)[1]

    def test_an_erasure_lifts_no_opt_out(self, calls: Service) -> None:
        calls.record(viewed("a1"))
        calls.opt_out(account_id="alice")
        calls.delete(account_id="alice")
        assert reasons_in(calls.decide("alice").reasons) == (Reason.ACCOUNT_OPT_OUT,)
        assert calls.outcomes(viewed("a1"), viewed("a2")) == ["SUPPRESSED ACCOUNT_OPT_OUT"] * 2
        assert not calls.get(account_id="alice").profile_held

    def test_an_erasure_lifts_no_doubt(self, calls: Service, store: FakeStore) -> None:
        calls.record(viewed("a1"))
        store.put(ALICE, preference=None)
        assert reasons_in(calls.decide("alice").reasons) == (Reason.PREFERENCE_LOST,)
        receipt = calls.delete(account_id="alice")
        assert (receipt.keys_removed, receipt.preference_version) == (2, 1)
        assert calls.outcomes(viewed("a2")) == ["SUPPRESSED ACCOUNT_OPT_OUT"]
        calls.opt_in(account_id="alice")
        assert calls.outcomes(viewed("a2")) == ["RECORDED"]

    def test_who_did_not_opt_out_may_be_known_anew(self, calls: Service) -> None:
        calls.record(viewed("a1"))
        calls.delete(account_id="alice")
        assert reasons_in(calls.decide("alice").reasons) == (Reason.NO_PROFILE,)
        assert calls.outcomes(viewed("a1")) == ["RECORDED"]
        assert calls.decide("alice").mode is Mode.BEHAVIOURAL

    def test_nothing_is_removed_of_an_unknown_person(self, calls: Service) -> None:
        receipt = calls.delete(account_id="alice")
        assert (receipt.keys_removed, receipt.preference_version) == (0, 0)

    def test_what_cannot_be_read_is_removed_too(self, calls: Service, store: FakeStore) -> None:
        store.spoil(ALICE, "preference", "profile", "seen")
        receipt = calls.delete(account_id="alice")
        assert (receipt.keys_removed, receipt.preference_version) == (2, 0)
        assert calls.outcomes(viewed("a1")) == ["SUPPRESSED RECORD_UNREADABLE"]

    def test_one_that_meets_a_writer_is_done_again(self) -> None:
        store = Stale(0)
        calls = Service(store, store)
        calls.record(viewed("a1"))
        store.stale = 3
        assert calls.delete(account_id="alice").keys_removed == 2

    def test_what_was_written_since_the_reading_is_removed_too(self) -> None:
        store = Reviving()
        calls = Service(store, store)
        calls.opt_in(account_id="alice")
        store.reviving = True
        assert calls.delete(account_id="alice").keys_removed == 2
        assert not calls.get(account_id="alice").profile_held

    def test_it_is_acknowledged_only_when_it_was_done(self) -> None:
        store = Stale(1000)
        with pytest.raises(StoreUnavailable):
            Service(store, store).delete(account_id="alice")


def test_every_call_names_a_subject(calls: Service) -> None:
    for call in (calls.get, calls.delete, partial(calls.update, ["gender"], DECLARED)):
        with pytest.raises(InvalidRequest, match="account_id"):
            call()


def test_corrections_and_erasures_are_counted(calls: Service) -> None:
    calls.update(["gender"], DECLARED, account_id="alice")
    calls.delete(account_id="alice")
    calls.opt_out(account_id="alice")
    with pytest.raises(NotAllowed):
        calls.update(["gender"], DECLARED, account_id="alice")
    for outcome in ("corrected", "erased", "suppressed"):
        value = calls.metrics.registry.get_sample_value("adtargeting_profile_writes_total", {"outcome": outcome})
        assert value == 1.0, outcome
