"""Signals that outlast their request: stored off its path, once, for account and device."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from server.choices.choice_store import ChoiceStore
from server.choices.signal_opt_outs import SignalOptOuts, ignore_signal_opt_out
from server.metrics.metrics import Metrics
from server.store.ports import Committed, RecordChange
from targeting.decision import Rulebook
from targeting.model import AdRequest, Identity, Signals, Subject, SubjectKind
from targeting.policy.policy import DEFAULT_POLICY, OptOutPolicy, Policy, SignalPolicy
from targeting.recording.choice import ChoiceMade, apply_choice
from targeting.records.preference import Choice, Preference, Source, decode_preference, encode_preference
from targeting.records.stored_records import StoredRecords
from targeting.signals.cookies import NO_COOKIES, Cookies
from tests.server.calls.direct_service import Service, viewed
from tests.server.store.fake_store import PSEUDONYMS, FakeStore
from tests.waiting import eventually

ALICE, PHONE = Subject(SubjectKind.ACCOUNT, "alice"), Subject(SubjectKind.DEVICE, "phone")
MUID = "0123456789abcdef" * 2
GPC, INDUSTRY = Signals(global_privacy_control=True), Signals(industry_opt_outs=(1,))
BOTH_STORED = replace(DEFAULT_POLICY, signals=SignalPolicy(store_industry_opt_out=True))
ONLY_GPC_STORED = replace(DEFAULT_POLICY, signals=SignalPolicy(store_industry_opt_out=False))
ONLY_INDUSTRY_STORED = replace(
    DEFAULT_POLICY, signals=SignalPolicy(store_global_privacy_control=False, store_industry_opt_out=True)
)


def request(signals: Signals = GPC, account_id: str = "alice", device_id: str = "phone") -> AdRequest:
    return AdRequest(identity=Identity(account_id, (), device_id), signals=signals)


def sticky(store: FakeStore, policy: Policy = DEFAULT_POLICY, **more: Any) -> SignalOptOuts:
    watched: list[tuple[Subject, Preference]] = more.pop("watched", [])
    choices = ChoiceStore(store, lambda: Rulebook(policy), **more.pop("choices", {}))
    return SignalOptOuts(choices, Metrics(), lambda *each: watched.append(each), **more)


def all_stored(store: FakeStore, *offers: AdRequest, policy: Policy = DEFAULT_POLICY, **more: Any) -> SignalOptOuts:
    """Offer requests, and wait until nothing is left to store."""
    signals = sticky(store, policy, **more)
    for each in offers:
        signals.enqueue(each, NO_COOKIES)
    signals.start()
    signals.close()
    return signals


def stored(store: FakeStore, subject: Subject) -> Preference | None:
    (held,) = store.read([subject], 1.0)
    return None if held.preference is None else decode_preference(held.preference, held.owner)


def choice(store: FakeStore, subject: Subject) -> tuple[Choice, Source] | None:
    preference = stored(store, subject)
    return preference and (preference.choice, preference.source)


OUT_BY_GPC, OUT_BY_INDUSTRY = (Choice.OPT_OUT, Source.GPC), (Choice.OPT_OUT, Source.INDUSTRY_PAGE)
BOTH = Signals(global_privacy_control=True, industry_opt_outs=(1,))
SIGNALS = {
    "GPC, by default": (GPC, DEFAULT_POLICY, OUT_BY_GPC),
    "GPC, not stored": (GPC, ONLY_INDUSTRY_STORED, None),
    "an industry opt-out": (INDUSTRY, BOTH_STORED, OUT_BY_INDUSTRY),
    "an industry opt-out, not stored": (INDUSTRY, ONLY_GPC_STORED, None),
    "both": (BOTH, BOTH_STORED, OUT_BY_GPC),
    "both, one stored": (BOTH, ONLY_INDUSTRY_STORED, OUT_BY_INDUSTRY),
    "neither": (Signals(do_not_track=True), BOTH_STORED, None),
}


@pytest.mark.parametrize(("signals", "policy", "expected"), SIGNALS.values(), ids=SIGNALS)
def test_what_is_stored(signals: Signals, policy: Policy, expected: tuple[Choice, Source] | None) -> None:
    store = FakeStore()
    all_stored(store, request(signals), policy=policy)
    assert choice(store, ALICE) == choice(store, PHONE) == expected


def test_the_browser_is_known_by_its_cookie_where_nothing_else_names_it() -> None:
    store = FakeStore()
    signals = sticky(store)
    signals.enqueue(request(account_id="", device_id=""), Cookies(muid=MUID))
    signals.enqueue(request(account_id="", device_id="phone"), Cookies(muid="f" * 32))
    signals.start()
    signals.close()
    assert choice(store, Subject(SubjectKind.DEVICE, MUID)) == choice(store, PHONE) == OUT_BY_GPC
    assert stored(store, Subject(SubjectKind.DEVICE, "f" * 32)) is None


def test_nobody_is_known_and_nothing_is_stored() -> None:
    assert all_stored(FakeStore(), request(account_id="", device_id=""))._queue.empty()


class Counting(FakeStore):
    """Counts commits."""

    commits = 0

    def commit(self, changes: Sequence[RecordChange], budget_s: float) -> list[Committed]:
        self.commits += 1
        return super().commit(changes, budget_s)


def test_a_subject_is_written_once_however_often_the_signal_comes() -> None:
    store = Counting()
    all_stored(store, *[request()] * 50)
    all_stored(store, *[request()] * 50)
    assert store.commits == 2
    assert stored(store, ALICE) is not None


def test_within_a_minute_a_subject_is_not_even_looked_at_again() -> None:
    signals = sticky(FakeStore())
    for _ in range(50):
        signals.enqueue(request(), NO_COOKIES)
    assert signals._queue.qsize() == 2


def held(choice: Choice, at_s: float) -> bytes:
    made = ChoiceMade(choice=choice, source=Source.ACCOUNT_PAGE, change_key=b"12345678", made_at_ms=int(at_s * 1000))
    return encode_preference(apply_choice(Preference(), made), PSEUDONYMS.owner(ALICE))


def test_an_opt_out_that_is_there_stays_as_it_is() -> None:
    store = FakeStore()
    store.put(ALICE, preference=held(Choice.OPT_OUT, 1))
    all_stored(store, request())
    assert choice(store, ALICE) == (Choice.OPT_OUT, Source.ACCOUNT_PAGE)


def test_a_signal_is_newer_than_an_earlier_opt_in() -> None:
    store = FakeStore()
    store.put(ALICE, preference=held(Choice.OPT_IN, 1))
    all_stored(store, request())
    assert choice(store, ALICE) == OUT_BY_GPC


def test_a_choice_made_after_the_signal_was_seen_stands() -> None:
    store = FakeStore()
    times_s = iter((100.0, 102.0))
    signals = sticky(store, choices={"now": lambda: next(times_s)})
    signals.enqueue(request(device_id=""), NO_COOKIES)
    store.put(ALICE, preference=held(Choice.OPT_IN, 101))
    signals.start()
    signals.close()
    assert choice(store, ALICE) == (Choice.OPT_IN, Source.ACCOUNT_PAGE)


def test_a_signal_after_an_opt_in_of_a_fast_clock_is_stored() -> None:
    store = FakeStore()
    store.put(ALICE, preference=held(Choice.OPT_IN, time.time() + 300))
    all_stored(store, request())
    assert choice(store, ALICE) == OUT_BY_GPC


def test_a_record_that_cannot_be_read_is_left_alone() -> None:
    store = FakeStore()
    store.spoil(ALICE, "preference")
    all_stored(store, request())
    assert store.read([ALICE], 1.0)[0].preference == b"\0"
    assert choice(store, PHONE) == OUT_BY_GPC


def test_the_profile_goes_where_the_policy_erases() -> None:
    store = FakeStore()
    Service(store, store).record(viewed("a1"))
    erasing = replace(DEFAULT_POLICY, opt_out=OptOutPolicy(on_opt_out="erase"))
    all_stored(store, request(), policy=erasing)
    (left,) = store.read([ALICE], 1.0)
    assert (left.profile, left.seen) == (None, None)


def test_what_cannot_be_stored_yet_is_tried_again() -> None:
    store = FakeStore()
    store.down = True
    signals = sticky(store, retry_after_s=0.005)
    signals.start()
    signals.enqueue(request(), NO_COOKIES)
    time.sleep(0.05)
    assert stored_nothing(store)
    eventually(lambda: choice(store, ALICE) == choice(store, PHONE) == OUT_BY_GPC)
    signals.close()


def stored_nothing(store: FakeStore) -> bool:
    store.down = False
    return stored(store, ALICE) is None


def test_a_store_that_stays_down_does_not_keep_the_service_from_ending() -> None:
    store = FakeStore()
    store.down = True
    all_stored(store, request())


class Slow(FakeStore):
    """Every write takes a while, and counts."""

    def __init__(self) -> None:
        super().__init__()
        self.writes = 0

    def commit(self, changes: Sequence[RecordChange], budget_s: float) -> list[Committed]:
        self.writes += 1
        time.sleep(0.05)
        return super().commit(changes, budget_s)


def test_many_signals_in_a_slow_store_do_not_keep_the_service_from_ending() -> None:
    store = Slow()
    signals = sticky(store)
    for number in range(200):
        signals.enqueue(request(account_id=f"account-{number}", device_id=""), NO_COOKIES)
    signals.start()
    signals.close(within_s=0.2)
    assert 0 < store.writes < 100


def test_a_spoilt_signal_is_not_the_fault_of_those_after_it(caplog: pytest.LogCaptureFixture) -> None:
    class OfAFault(FakeStore):
        def read(self, subjects: Sequence[Subject], budget_s: float) -> list[StoredRecords]:
            if ALICE in subjects:
                raise LookupError("a fault")
            return super().read(subjects, budget_s)

    store = OfAFault()
    signals = all_stored(store, request())
    assert choice(store, PHONE) == (Choice.OPT_OUT, Source.GPC)
    errors = {"operation": "sticky", "kind": "internal"}
    assert signals._metrics.registry.get_sample_value("adtargeting_store_errors_total", errors) == 1
    assert "LookupError" in caplog.text


class Unresting(FakeStore):
    """Another writer is always faster."""

    def commit(self, changes: Sequence[RecordChange], budget_s: float) -> list[Committed]:
        return [Committed(landed=False) for _ in changes]


def test_a_subject_that_never_rests_is_tried_again_later() -> None:
    signals = all_stored(Unresting(), request())
    errors = signals._metrics.registry.get_sample_value(
        "adtargeting_store_errors_total", {"operation": "sticky", "kind": "unavailable"}
    )
    assert errors == 2


def test_a_queue_that_is_full_takes_no_more_and_forgets_who_did_not_fit() -> None:
    store = FakeStore()
    signals = sticky(store, capacity=1)
    signals.enqueue(request(), NO_COOKIES)
    signals.start()
    eventually(lambda: choice(store, ALICE))
    signals.enqueue(request(), NO_COOKIES)
    eventually(lambda: choice(store, PHONE))
    signals.close()


def test_a_choice_that_is_not_safe_yet_is_handed_on() -> None:
    watched: list[tuple[Subject, Preference]] = []
    store = FakeStore()
    all_stored(store, request(device_id=""), watched=watched, choices={"replicas": 1})
    assert watched == [(ALICE, stored(store, ALICE))]


class TestFromDecisions:
    def offered(self, signals: Signals, **more: Any) -> Sequence[AdRequest]:
        seen: list[AdRequest] = []
        store = FakeStore()
        service = Service(store, store, on_signal_opt_out=lambda each, _: seen.append(each))
        service.decide("alice", signals=signals, **more)
        return seen

    def test_a_decision_with_such_a_signal_is_offered(self) -> None:
        (seen,) = self.offered(GPC)
        assert seen.identity.account_id == "alice"

    @pytest.mark.parametrize("signals", [Signals(), Signals(child_directed=True)], ids=["none", "another"])
    def test_others_are_not(self, signals: Signals) -> None:
        assert not self.offered(signals)

    def test_without_somebody_to_tell_nothing_happens(self) -> None:
        ignore_signal_opt_out(request(), NO_COOKIES)

    def test_the_absence_of_a_signal_changes_nothing(self) -> None:
        store = FakeStore()
        service = Service(store, store)
        all_stored(store, request())
        service.decide("alice", "phone")
        assert service.outcomes(viewed("a1")) == ["SUPPRESSED ACCOUNT_OPT_OUT"]


def seen_again_after_an_opt_in(store: FakeStore, **more: Any) -> SignalOptOuts:
    """A signal was stored, the person opted in, and the signal comes again within its minute."""
    signals = sticky(store, **more)
    signals.start()
    signals.enqueue(request(), NO_COOKIES)
    eventually(lambda: choice(store, ALICE) == OUT_BY_GPC)
    store.put(ALICE, preference=held(Choice.OPT_IN, time.time()))
    time.sleep(0.005)
    signals.enqueue(request(), NO_COOKIES)
    return signals


def test_a_signal_that_comes_again_after_an_opt_in_is_stored_once_the_minute_is_over() -> None:
    store = FakeStore()
    signals = seen_again_after_an_opt_in(store, again_after_s=0.2)
    eventually(lambda: choice(store, ALICE) == OUT_BY_GPC)
    signals.close()


def test_at_the_end_nothing_waits_for_its_minute() -> None:
    store = FakeStore()
    seen_again_after_an_opt_in(store).close()
    assert choice(store, ALICE) == OUT_BY_GPC


class TestNewDevices:
    def test_an_invented_device_is_kept_for_a_while_and_an_account_for_good(self) -> None:
        store = FakeStore()
        all_stored(store, request())
        phone, alice = stored(store, PHONE), stored(store, ALICE)
        assert phone is not None
        assert alice is not None
        assert 399 < (phone.expires_s - time.time()) / 86_400 <= 400
        assert alice.expires_s == 0
        store.now_s += 401 * 86_400
        assert [stored(store, PHONE), stored(store, ALICE)] == [None, alice]

    def test_a_caller_that_invents_devices_has_some_stored_and_the_rest_counted(self) -> None:
        store = FakeStore()
        policy = replace(DEFAULT_POLICY, signals=SignalPolicy(new_devices_per_second=3))
        devices = [Subject(SubjectKind.DEVICE, f"invented-{number}") for number in range(40)]
        signals = all_stored(store, *(request(account_id="", device_id=each.id) for each in devices), policy=policy)
        kept = sum(stored(store, each) is not None for each in devices)
        dropped = signals._metrics.registry.get_sample_value("adtargeting_sticky_dropped_total")
        assert dropped is not None
        assert kept >= 3
        assert dropped > 0
        assert kept + dropped == 40

    def test_accounts_and_known_devices_are_stored_beyond_that(self) -> None:
        store = FakeStore()
        policy = replace(DEFAULT_POLICY, signals=SignalPolicy(new_devices_per_second=0))
        store.put(PHONE, preference=encode_preference(Preference(), PSEUDONYMS.owner(PHONE)))
        all_stored(store, request(), policy=policy)
        assert [choice(store, PHONE), choice(store, ALICE)] == [OUT_BY_GPC] * 2


def test_a_dry_run_stores_nothing() -> None:
    assert not TestFromDecisions().offered(GPC, is_dry_run=True)
