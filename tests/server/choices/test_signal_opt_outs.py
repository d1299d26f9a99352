"""Signals that outlast their request: stored off its path, once, for account and device."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from server.choices.signal_opt_outs import SignalOptOuts, ignore_signal_opt_out
from server.store.ports import Committed, RecordChange
from targeting.model import AdRequest, Signals, Subject, SubjectKind
from targeting.policy.policy import DEFAULT_POLICY, OptOutPolicy, Policy, SignalPolicy
from targeting.records.preference import Choice, Preference, Source
from targeting.signals.cookies import NO_COOKIES, Cookies
from tests.server.calls.direct_service import Service, viewed
from tests.server.choices.replicated_store import Replicated
from tests.server.choices.sightings import (
    ALICE,
    GPC,
    INDUSTRY,
    MUID,
    OUT_BY_GPC,
    OUT_BY_INDUSTRY,
    PHONE,
    all_stored,
    choice,
    held,
    request,
    sticky,
    stored,
)
from tests.server.store.fake_store import FakeStore
from tests.waiting import eventually

BOTH_STORED = replace(DEFAULT_POLICY, signals=SignalPolicy(store_industry_opt_out=True))


ONLY_GPC_STORED = replace(DEFAULT_POLICY, signals=SignalPolicy(store_industry_opt_out=False))


ONLY_INDUSTRY_STORED = replace(
    DEFAULT_POLICY, signals=SignalPolicy(store_global_privacy_control=False, store_industry_opt_out=True)
)


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


@pytest.mark.parametrize(
    ("caller", "actor"),
    [("ad-server", "ad-server"), ("10.0.0.7:50000", ""), ("", "")],
    ids=["named", "address", "none"],
)
def test_the_change_keeps_which_client_showed_the_signal(caller: str, actor: str) -> None:
    store = FakeStore()
    all_stored(store, request()._replace(caller=caller))
    kept = stored(store, ALICE)
    assert kept
    assert [change.actor for change in kept.history] == [actor]


def test_without_a_known_subject_nothing_is_stored() -> None:
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


def test_a_choice_that_is_not_safe_yet_is_handed_on() -> None:
    watched: list[tuple[Subject, Preference]] = []
    store = FakeStore()
    all_stored(store, request(device_id=""), watched=watched, choices={"replicas": 1})
    assert watched == [(ALICE, stored(store, ALICE))]


def test_storing_a_signal_waits_for_no_replica() -> None:
    store = Replicated()
    all_stored(store, request(), choices={"replicas": 1})
    assert [choice(store, ALICE), choice(store, PHONE), store.waits] == [OUT_BY_GPC, OUT_BY_GPC, 0]


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

    def test_without_a_listener_nothing_happens(self) -> None:
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


def test_a_dry_run_stores_nothing() -> None:
    assert not TestFromDecisions().offered(GPC, is_dry_run=True)
