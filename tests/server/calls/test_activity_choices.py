"""RecordActivity: stored choices suppress a write, and a repeated activity is a duplicate."""

from collections.abc import Callable

import pytest
from adtargeting.v1 import profile_pb2 as pb
from adtargeting.v1 import targeting_pb2
from adtargeting.v1.preference_pb2 import Date
from google.protobuf.timestamp_pb2 import Timestamp

from targeting.age import date_of
from targeting.model import Subject, SubjectKind
from targeting.policy.policy import policy_from
from targeting.signals.nap import Nap
from tests.server.calls.direct_service import AMERICAN, MUID, NOW_S, Service, saw, service, viewed
from tests.server.store.fake_store import FakeStore

CLIENT = targeting_pb2.ClientSettings
SIGNALS = targeting_pb2.PrivacySignals


class TestStoredChoices:
    def test_an_opt_out_of_the_account(self) -> None:
        calls = service()
        calls.opt_out(account_id="alice")
        assert calls.outcomes(viewed("a1"), viewed("a2", account_id="bob")) == [
            "SUPPRESSED ACCOUNT_OPT_OUT",
            "RECORDED",
        ]

    def test_an_opt_out_of_the_browser_that_comes_along(self) -> None:
        calls = service()
        calls.opt_out(device_id=MUID)
        assert calls.outcomes(viewed(cookie_header=f"MUID={MUID}")) == ["SUPPRESSED DEVICE_OPT_OUT"]
        assert calls.outcomes(viewed()) == ["RECORDED"]

    @pytest.mark.parametrize("spelt", [str.upper, str.lower])
    @pytest.mark.parametrize("chosen", [str.upper, str.lower])
    def test_a_browser_is_the_same_in_either_spelling(
        self, chosen: Callable[[str], str], spelt: Callable[[str], str]
    ) -> None:
        calls = service()
        calls.opt_out(device_id=chosen(MUID))
        assert calls.outcomes(viewed(cookie_header=f"MUID={spelt(MUID)}")) == ["SUPPRESSED DEVICE_OPT_OUT"]
        assert calls.outcomes(viewed(device_id=spelt(MUID))) == ["SUPPRESSED DEVICE_OPT_OUT"]

    def test_an_opt_out_of_the_account_whose_advertising_id_comes_along(self) -> None:
        calls = service()
        calls.opt_out(account_id="anid-7")
        assert calls.outcomes(viewed(device_id="phone", cookie_header="ANON=A=anid-7")) == [
            "SUPPRESSED ACCOUNT_OPT_OUT"
        ]

    def test_what_is_there_is_frozen(self) -> None:
        calls = service()
        calls.record(viewed("a1"))
        before = calls.get(account_id="alice")
        calls.opt_out(account_id="alice")
        assert calls.outcomes(saw("a2")) == ["SUPPRESSED ACCOUNT_OPT_OUT"]
        assert calls.get(account_id="alice").interests == before.interests
        calls.opt_in(account_id="alice")
        assert calls.outcomes(saw("a2")) == ["RECORDED"]

    def test_a_profile_whose_preference_is_lost(self) -> None:
        store = FakeStore()
        calls = service(store)
        calls.record(viewed("a1"))
        store.put(Subject(SubjectKind.ACCOUNT, "alice"), preference=None)
        assert calls.outcomes(viewed("a2")) == ["SUPPRESSED PREFERENCE_LOST"]

    @pytest.mark.parametrize("spoilt", ["preference", "profile", "seen"])
    def test_a_record_that_cannot_be_read(self, spoilt: str) -> None:
        store = FakeStore()
        calls = service(store)
        calls.record(viewed("a1"))
        store.spoil(Subject(SubjectKind.ACCOUNT, "alice"), spoilt)
        assert calls.outcomes(viewed("a2")) == ["SUPPRESSED RECORD_UNREADABLE"]

    def test_a_child_by_its_nap_cookie(self) -> None:
        store = FakeStore()
        calls = Service(store, store, open_nap=lambda text: Nap(age=int(text)))
        assert calls.outcomes(viewed("a1", cookie_header="NAP=12")) == ["SUPPRESSED UNDER_AGE"]
        assert calls.outcomes(viewed("a1", cookie_header="NAP=13")) == ["RECORDED"]

    @pytest.mark.parametrize(("country", "outcome"), [("DE", "SUPPRESSED UNDER_AGE"), ("US", "RECORDED")])
    def test_a_child_is_one_by_the_age_of_its_country(self, country: str, outcome: str) -> None:
        policy = policy_from({"children": {"age_by_country": {"DE": 16}}})
        store = FakeStore()
        calls = Service(store, store, policy=policy)
        born = Date(year=date_of(int(NOW_S) // 86_400).year - 14, month=1, day=1)
        calls.opt_in(account_id="alice", birth_date=born)
        # Outside the GDPR's scope, so that nothing but the age is asked.
        signals = SIGNALS(gdpr_applies=False)
        assert calls.outcomes(viewed("a1", client=CLIENT(country=country), signals=signals)) == [outcome]


class TestRepeats:
    def test_an_impression_counts_once_however_often_it_is_sent(self) -> None:
        calls = service()
        assert calls.outcomes(saw("a1"), saw("a1"), saw("a2")) == ["RECORDED", "DUPLICATE", "RECORDED"]
        assert calls.outcomes(saw("a1"), saw("a2")) == ["DUPLICATE", "DUPLICATE"]
        assert calls.get(account_id="alice").exposures[0].count == 2

    def test_one_id_names_one_event_of_a_kind_and_an_ad(self) -> None:
        calls = service()
        click = pb.Activity(
            activity_id="a1", account_id="alice", kind=pb.ACTIVITY_KIND_AD_CLICK, ad_id="ad-1", client=AMERICAN
        )
        later = saw("a1", "ad-1", occurred_at=Timestamp(seconds=int(NOW_S) - 60))
        sent = [saw("a1", "ad-1"), click, saw("a1", "ad-2"), later, click]
        assert calls.outcomes(*sent) == ["RECORDED", "RECORDED", "RECORDED", "DUPLICATE", "DUPLICATE"]

    def test_ids_are_a_subjects_own(self) -> None:
        assert service().outcomes(saw("a1"), saw("a1", account_id="bob")) == ["RECORDED", "RECORDED"]

    def test_an_account_and_a_device_of_one_name_are_two(self) -> None:
        assert service().outcomes(saw("a1", account_id="x"), saw("a1", device_id="x")) == ["RECORDED", "RECORDED"]
