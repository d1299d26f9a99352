"""RecordActivity: an outcome for each activity, two round trips for all, and nothing twice."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from adtargeting.v1 import profile_pb2 as pb
from adtargeting.v1 import targeting_pb2
from adtargeting.v1.preference_pb2 import Date
from google.protobuf.timestamp_pb2 import Timestamp

from server.errors import InvalidRequest
from server.store.ports import Committed, RecordChange, StoreTimeout, StoreUnavailable
from targeting.age import date_of
from targeting.model import AdRequest, Subject, SubjectKind
from targeting.policy.policy import policy_from
from targeting.records.deduplication import KEPT_S
from targeting.records.stored_records import StoredRecords
from targeting.signals.cookies import Cookies
from targeting.signals.nap import Nap
from tests.server.calls.direct_service import AMERICAN, NOW_S, Service, called, saw, viewed
from tests.server.store.fake_store import FakeStore

MUID = "0123456789abcdef" * 2
CLIENT = targeting_pb2.ClientSettings
SIGNALS = targeting_pb2.PrivacySignals


def service(store: FakeStore | None = None) -> Service:
    store = store or FakeStore()
    return Service(store, store)


def activity(**fields: Any) -> pb.Activity:
    base = viewed()
    base.MergeFrom(pb.Activity(**fields))
    return base


def at(seconds: float) -> Timestamp:
    return Timestamp(seconds=int(NOW_S + seconds))


REJECTED = {
    "no subject": (pb.Activity(kind=pb.ACTIVITY_KIND_CONTENT, segment_ids=["386"], client=AMERICAN), "account_id"),
    "an account id that is too long": (viewed(account_id="a" * 257), "account_id"),
    "a device id that is too long": (viewed(device_id="é" * 129), "device_id"),
    "an activity id that is too long": (viewed("a" * 257), "activity_id"),
    "no kind": (pb.Activity(account_id="alice", client=AMERICAN), "kind"),
    "an unknown kind": (activity(kind=99), "kind"),
    "too many segments": (viewed("", *map(str, range(17))), "segment_ids"),
    "an empty segment": (viewed("", "386", ""), "segment_ids[1]"),
    "a long segment": (viewed("", "s" * 65), "segment_ids[0]"),
    "a segment that is long in UTF-8": (viewed("", "é" * 33), "segment_ids[0]"),
    "an e-mail address as segment": (viewed("", "386", "bob@example.com"), "segment_ids[1]"),
    "a control in a segment": (viewed("", "a\nb"), "segment_ids[0]"),
    "a purchase of nothing": (pb.Activity(account_id="alice", kind=pb.ACTIVITY_KIND_PURCHASE), "segment_ids"),
    "no outside segment": (pb.Activity(account_id="alice", kind=pb.ACTIVITY_KIND_EXTERNAL_SEGMENT), "segment_ids"),
    "a call to nowhere": (called(country=""), "destination_country"),
    "a call to no country": (called(country="XX"), "destination_country"),
    "an impression of no ad": (saw(ad_id=""), "ad_id"),
    "a click on no ad": (pb.Activity(account_id="alice", kind=pb.ACTIVITY_KIND_AD_CLICK), "ad_id"),
    "a long ad id": (saw(ad_id="a" * 129), "ad_id"),
    "a phone number as ad": (saw(ad_id="+1 415 555 2671"), "ad_id"),
    "an e-mail address where the kind looks for nothing": (activity(ad_id="bob%40example.com"), "ad_id"),
    "a client in no country": (viewed(client=CLIENT(country="Nowhere")), "client.country"),
    "older than all that is kept": (activity(occurred_at=at(-397 * 86_400)), "occurred_at"),
    "before 1970": (activity(occurred_at=Timestamp(seconds=-1)), "occurred_at"),
}  # fmt: skip


@pytest.mark.parametrize(("sent", "field"), REJECTED.values(), ids=REJECTED)
def test_what_may_not_enter_a_profile_is_named(sent: pb.Activity, field: str) -> None:
    desk = service()
    assert desk.outcomes(viewed("good", account_id="bob"), sent) == ["RECORDED", f"REJECTED {field}"]
    assert not desk.get(account_id="alice").profile_held
    assert desk.get(account_id="bob").profile_held


TAKEN = {
    "a page without segments": pb.Activity(account_id="alice", kind=pb.ACTIVITY_KIND_PAGE_VIEW, client=AMERICAN),
    "as many segments as may be": viewed("", *map(str, range(100, 116))),
    "a segment as long as may be": viewed("", "s" * 64),
    "an ad id as long as may be": saw(ad_id="a" * 128),
    "an ad id with a date": saw(ad_id="creative-20260101"),
    "a country in three letters": called(country="gbr"),
    "as old as may be": activity(occurred_at=at(-396 * 86_400)),
    "of the future": activity(occurred_at=at(86_400)),
    "without an activity id": viewed(),
    "of a device": viewed(device_id="phone"),
}


@pytest.mark.parametrize("sent", TAKEN.values(), ids=TAKEN)
def test_what_may_enter_does(sent: pb.Activity) -> None:
    assert service().outcomes(sent) == ["RECORDED"]


@pytest.mark.parametrize("count", [0, 257])
def test_the_number_of_activities_is_the_requests_own_fault(count: int) -> None:
    with pytest.raises(InvalidRequest, match="activities"):
        service().record(*[viewed()] * count)


def test_as_many_as_may_be() -> None:
    assert service().outcomes(*(saw(f"a{number}", f"ad-{number}") for number in range(256))) == ["RECORDED"] * 256


SUPPRESSED = {
    "GPC": (viewed(signals=SIGNALS(global_privacy_control=True)), "GLOBAL_PRIVACY_CONTROL"),
    "the browser's opt-out": (viewed(cookie_header="TOptOut=1"), "COOKIE_OPT_OUT"),
    "the client's switch": (viewed(client=CLIENT(country="US", targeted_ads_off=True)), "APP_OPT_OUT"),
    "the client's switch among signals": (
        viewed(client=CLIENT(country="US", targeted_ads_off=True), signals=SIGNALS(gdpr_applies=False)),
        "APP_OPT_OUT",
    ),
    "a child": (viewed(signals=SIGNALS(child_directed=True)), "CHILD_DIRECTED"),
    "no country, no flag, no string": (viewed(client=CLIENT()), "TCF_NO_CONSENT"),
    "nothing at all of where": (
        pb.Activity(account_id="alice", kind=pb.ACTIVITY_KIND_CONTENT, segment_ids=["386"]),
        "TCF_NO_CONSENT",
    ),
    "two limits": (
        viewed(cookie_header="TOptOut=1", signals=SIGNALS(limit_ad_tracking=True)),
        "COOKIE_OPT_OUT LIMIT_AD_TRACKING",
    ),
}


@pytest.mark.parametrize(("sent", "reasons"), SUPPRESSED.values(), ids=SUPPRESSED)
def test_what_would_limit_a_decision_suppresses(sent: pb.Activity, reasons: str) -> None:
    desk = service()
    assert desk.outcomes(sent) == [f"SUPPRESSED {reasons}"]
    assert not desk.get(account_id="alice").profile_held


class TestStoredChoices:
    def test_an_opt_out_of_the_account(self) -> None:
        desk = service()
        desk.opt_out(account_id="alice")
        assert desk.outcomes(viewed("a1"), viewed("a2", account_id="bob")) == [
            "SUPPRESSED ACCOUNT_OPT_OUT",
            "RECORDED",
        ]

    def test_an_opt_out_of_the_browser_that_comes_along(self) -> None:
        desk = service()
        desk.opt_out(device_id=MUID)
        assert desk.outcomes(viewed(cookie_header=f"MUID={MUID}")) == ["SUPPRESSED DEVICE_OPT_OUT"]
        assert desk.outcomes(viewed()) == ["RECORDED"]

    @pytest.mark.parametrize("spelt", [str.upper, str.lower])
    @pytest.mark.parametrize("chosen", [str.upper, str.lower])
    def test_a_browser_is_the_same_in_either_spelling(
        self, chosen: Callable[[str], str], spelt: Callable[[str], str]
    ) -> None:
        desk = service()
        desk.opt_out(device_id=chosen(MUID))
        assert desk.outcomes(viewed(cookie_header=f"MUID={spelt(MUID)}")) == ["SUPPRESSED DEVICE_OPT_OUT"]
        assert desk.outcomes(viewed(device_id=spelt(MUID))) == ["SUPPRESSED DEVICE_OPT_OUT"]

    def test_an_opt_out_of_the_account_whose_advertising_id_comes_along(self) -> None:
        desk = service()
        desk.opt_out(account_id="anid-7")
        assert desk.outcomes(viewed(device_id="phone", cookie_header="ANON=A=anid-7")) == ["SUPPRESSED ACCOUNT_OPT_OUT"]

    def test_what_is_there_is_frozen(self) -> None:
        desk = service()
        desk.record(viewed("a1"))
        before = desk.get(account_id="alice")
        desk.opt_out(account_id="alice")
        assert desk.outcomes(saw("a2")) == ["SUPPRESSED ACCOUNT_OPT_OUT"]
        assert desk.get(account_id="alice").interests == before.interests
        desk.opt_in(account_id="alice")
        assert desk.outcomes(saw("a2")) == ["RECORDED"]

    def test_a_profile_whose_preference_is_lost(self) -> None:
        store = FakeStore()
        desk = service(store)
        desk.record(viewed("a1"))
        store.put(Subject(SubjectKind.ACCOUNT, "alice"), preference=None)
        assert desk.outcomes(viewed("a2")) == ["SUPPRESSED PREFERENCE_LOST"]

    @pytest.mark.parametrize("spoilt", ["preference", "profile", "seen"])
    def test_a_record_that_cannot_be_read(self, spoilt: str) -> None:
        store = FakeStore()
        desk = service(store)
        desk.record(viewed("a1"))
        store.spoil(Subject(SubjectKind.ACCOUNT, "alice"), spoilt)
        assert desk.outcomes(viewed("a2")) == ["SUPPRESSED RECORD_UNREADABLE"]

    def test_a_child_by_its_nap_cookie(self) -> None:
        store = FakeStore()
        desk = Service(store, store, open_nap=lambda text: Nap(age=int(text)))
        assert desk.outcomes(viewed("a1", cookie_header="NAP=12")) == ["SUPPRESSED UNDER_AGE"]
        assert desk.outcomes(viewed("a1", cookie_header="NAP=13")) == ["RECORDED"]

    @pytest.mark.parametrize(("country", "outcome"), [("DE", "SUPPRESSED UNDER_AGE"), ("US", "RECORDED")])
    def test_a_child_is_one_by_the_age_of_its_country(self, country: str, outcome: str) -> None:
        policy = policy_from({"children": {"age_by_country": {"DE": 16}}})
        store = FakeStore()
        desk = Service(store, store, policy=policy)
        born = Date(year=date_of(int(NOW_S) // 86_400).year - 14, month=1, day=1)
        desk.opt_in(account_id="alice", birth_date=born)
        # Outside the GDPR's scope, so that nothing but the age is asked.
        signals = SIGNALS(gdpr_applies=False)
        assert desk.outcomes(viewed("a1", client=CLIENT(country=country), signals=signals)) == [outcome]


class TestRepeats:
    def test_an_impression_counts_once_however_often_it_is_sent(self) -> None:
        desk = service()
        assert desk.outcomes(saw("a1"), saw("a1"), saw("a2")) == ["RECORDED", "DUPLICATE", "RECORDED"]
        assert desk.outcomes(saw("a1"), saw("a2")) == ["DUPLICATE", "DUPLICATE"]
        assert desk.get(account_id="alice").exposures[0].count == 2

    def test_ids_are_a_subjects_own(self) -> None:
        assert service().outcomes(saw("a1"), saw("a1", account_id="bob")) == ["RECORDED", "RECORDED"]

    def test_an_account_and_a_device_of_one_name_are_two(self) -> None:
        assert service().outcomes(saw("a1", account_id="x"), saw("a1", device_id="x")) == ["RECORDED", "RECORDED"]


class Contended(FakeStore):
    """Before each of the first commits somebody else has written; after them the store may fail."""

    def __init__(self, contentions: int, *, fails: bool = False) -> None:
        super().__init__()
        self.contentions = contentions
        self.fails = fails
        self.reads = 0

    def read(self, subjects: Sequence[Subject], budget_s: float) -> list[StoredRecords]:
        self.reads += 1
        return super().read(subjects, budget_s)

    def commit(self, changes: Sequence[RecordChange], budget_s: float) -> list[Committed]:
        if self.contentions and changes:
            self.contentions -= 1
            subject = changes[0].subject
            Service(Plain(self), Plain(self)).record(saw(account_id=subject.id))
        committed = super().commit(changes, budget_s)
        if self.fails and changes:
            self.fails = False
            raise StoreTimeout("the answer was lost")
        return committed


class Plain(FakeStore):
    """Another writer's view of the same store."""

    def __init__(self, of: FakeStore) -> None:
        super().__init__()
        self._kept = of._kept


class TestRaces:
    def test_a_change_that_meets_another_is_made_again(self) -> None:
        store = Contended(3)
        desk = service(store)
        assert desk.outcomes(saw("a1"), viewed("b1", account_id="bob")) == ["RECORDED", "RECORDED"]
        assert desk.get(account_id="alice").exposures[0].count == 4
        assert desk.get(account_id="bob").version == 1

    def test_a_subject_that_never_rests_is_unavailable_and_the_repeat_is_safe(self) -> None:
        store = Contended(32)
        desk = service(store)
        with pytest.raises(StoreUnavailable):
            desk.record(saw("a1"), viewed("b1", account_id="bob"))
        assert desk.outcomes(saw("a1"), viewed("b1", account_id="bob")) == ["RECORDED", "DUPLICATE"]

    def test_an_answer_that_was_lost_counts_nothing_twice(self) -> None:
        store = Contended(0, fails=True)
        desk = service(store)
        with pytest.raises(StoreTimeout):
            desk.record(saw("a1"))
        assert desk.outcomes(saw("a1")) == ["DUPLICATE"]
        assert desk.get(account_id="alice").exposures[0].count == 1

    @pytest.mark.parametrize(
        ("chooses", "reason"),
        [
            ({"account_id": "alice"}, "ACCOUNT_OPT_OUT"),
            ({"device_id": MUID}, "DEVICE_OPT_OUT"),
            ({"account_id": "anid-7"}, "ACCOUNT_OPT_OUT"),
        ],
        ids=["of the account", "of the browser that comes along", "of the account that is linked"],
    )
    def test_an_opt_out_between_reading_and_writing_wins(self, chooses: dict[str, str], reason: str) -> None:
        class OptingOut(FakeStore):
            def commit(self, changes: Sequence[RecordChange], budget_s: float) -> list[Committed]:
                if changes and changes[0].profile:
                    Service(Plain(self), Plain(self)).opt_out(**chooses)
                return super().commit(changes, budget_s)

        desk = service(OptingOut())
        activity = viewed("a1", account_id="alice", cookie_header=f"MUID={MUID}; ANON=A=anid-7")
        assert desk.outcomes(activity) == [f"SUPPRESSED {reason}"]
        assert not desk.get(account_id="alice").profile_held

    def test_an_activity_is_known_again_for_a_day(self) -> None:
        store = FakeStore()
        desk = service(store)
        desk.record(saw("a1"))
        for later_s, outcome in ((KEPT_S - 1, "DUPLICATE"), (KEPT_S + 1, "RECORDED")):
            store.now_s = later_s
            assert desk.outcomes(saw("a1")) == [outcome]

    def test_what_nobody_may_record_is_written_nowhere(self) -> None:
        store = Contended(0)
        service(store).record(viewed(cookie_header="TOptOut=1"))
        assert store.reads == 0

    def test_a_store_that_is_down(self) -> None:
        store = FakeStore()
        store.down = True
        with pytest.raises(StoreUnavailable):
            service(store).record(viewed())


def test_signals_worth_storing_are_handed_on() -> None:
    offered: list[tuple[AdRequest, Cookies]] = []
    store = FakeStore()
    desk = Service(store, store, on_signal_opt_out=lambda request, cookies: offered.append((request, cookies)))
    desk.record(viewed(), viewed(cookie_header="TOptOut=1"))
    assert not offered
    seen: dict[str, Any] = {"signals": SIGNALS(global_privacy_control=True), "cookie_header": f"MUID={MUID}"}
    desk.record(viewed(**seen))
    ((request, cookies),) = offered
    assert (request.identity.account_id, cookies.muid) == ("alice", MUID)
    assert desk.outcomes(viewed("a1", "bob@example.com", **seen)) == ["REJECTED segment_ids[0]"]
    nowhere = targeting_pb2.ClientSettings(country="nowhere")
    assert desk.outcomes(viewed("a1", client=nowhere, **seen)) == ["REJECTED client.country"]
    assert len(offered) == 3, "a signal outlasts an activity that cannot be taken"


def test_outcomes_are_counted() -> None:
    desk = service()
    desk.record(saw("a1"), saw("a1"), saw(ad_id=""), viewed(cookie_header="TOptOut=1"))
    counted = {
        outcome: desk.metrics.registry.get_sample_value("adtargeting_profile_writes_total", {"outcome": outcome})
        for outcome in ("recorded", "duplicate", "rejected", "suppressed")
    }
    assert set(counted.values()) == {1.0}
