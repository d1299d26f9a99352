"""What a signal makes of a stored choice, and whom it is stored for: tables."""

from dataclasses import replace

import pytest

from targeting.model import AdRequest, Identity, Signals, Subject, SubjectKind
from targeting.policy.policy import SignalPolicy
from targeting.recording.choice import ChoiceMade, apply_choice
from targeting.recording.signal_opt_outs import Sighting, is_new_device, opt_out_by_signal, sightings
from targeting.records.preference import Choice, Preference, Source
from targeting.records.stored_records import StoredRecords
from targeting.signals.cookies import NO_COOKIES, Cookies

ALICE, PHONE = Subject(SubjectKind.ACCOUNT, "alice"), Subject(SubjectKind.DEVICE, "phone")
SEEN_AT_MS, NOW_MS = 100, 110
KEY = b"12345678"
OF_AN_ACCOUNT = StoredRecords(SubjectKind.ACCOUNT, bytes(16))
OF_A_DEVICE = StoredRecords(SubjectKind.DEVICE, bytes(16))
ALL_STORED = SignalPolicy(store_global_privacy_control=True, store_industry_opt_out=True)
GPC, INDUSTRY = Signals(global_privacy_control=True), Signals(industry_opt_outs=(1,))
BOTH = Signals(global_privacy_control=True, industry_opt_outs=(1,))

STORED_CHOICES = {
    "no choice": (None, 0, Choice.OPT_OUT),
    "an opt-in from before": (Choice.OPT_IN, 99, Choice.OPT_OUT),
    "an opt-in of the same millisecond": (Choice.OPT_IN, 100, Choice.OPT_OUT),
    "an opt-in made since": (Choice.OPT_IN, 101, None),
    "an opt-in of just now": (Choice.OPT_IN, 110, None),
    "an opt-in of a fast clock": (Choice.OPT_IN, 111, Choice.OPT_OUT),
    "an opt-out from before": (Choice.OPT_OUT, 1, None),
    "an opt-out made since": (Choice.OPT_OUT, 101, None),
}


@pytest.mark.parametrize(("choice", "at_ms", "expected"), STORED_CHOICES.values(), ids=STORED_CHOICES)
def test_a_signal_meets(choice: Choice | None, at_ms: int, expected: Choice | None) -> None:
    current = Preference()
    if choice is not None:
        made = ChoiceMade(choice=choice, source=Source.ACCOUNT_PAGE, change_key=bytes(8), made_at_ms=at_ms)
        current = apply_choice(current, made)
    after = opt_out_by_signal(current, OF_AN_ACCOUNT, Sighting(ALICE, Source.GPC, SEEN_AT_MS, KEY), NOW_MS, ALL_STORED)
    assert (after and after.choice) == expected
    if after is not None:
        assert (after.source, after.changed_at_ms, after.history[1:]) == (Source.GPC, SEEN_AT_MS, current.history)


SOURCES = {
    "no signal": (Signals(), ALL_STORED, None),
    "another signal": (Signals(child_directed=True), ALL_STORED, None),
    "GPC": (GPC, ALL_STORED, Source.GPC),
    "an industry opt-out": (INDUSTRY, ALL_STORED, Source.INDUSTRY_PAGE),
    "both": (BOTH, ALL_STORED, Source.GPC),
    "GPC that the policy does not store": (GPC, replace(ALL_STORED, store_global_privacy_control=False), None),
    "an industry opt-out that it does not store": (INDUSTRY, replace(ALL_STORED, store_industry_opt_out=False), None),
    "both, of which it stores one": (
        BOTH,
        replace(ALL_STORED, store_global_privacy_control=False),
        Source.INDUSTRY_PAGE,
    ),
}


@pytest.mark.parametrize(("signals", "policy", "source"), SOURCES.values(), ids=SOURCES)
def test_what_is_stored_of(signals: Signals, policy: SignalPolicy, source: Source | None) -> None:
    request = AdRequest(identity=Identity(account_id="alice", device_id="phone"), signals=signals, caller="ads")
    expected = () if source is None else tuple(Sighting(who, source, SEEN_AT_MS, KEY, "ads") for who in (ALICE, PHONE))
    assert sightings(request, NO_COOKIES, policy, SEEN_AT_MS, KEY) == expected


SUBJECTS = {
    "an account": (Identity(account_id="alice"), NO_COOKIES, [ALICE]),
    "a device": (Identity(device_id="phone"), NO_COOKIES, [PHONE]),
    "a browser of the cookie": (Identity(), Cookies(muid="phone"), [PHONE]),
    "linked accounts": (Identity(linked_account_ids=("bob",)), NO_COOKIES, []),
    "no subject": (Identity(), NO_COOKIES, []),
}


@pytest.mark.parametrize(("identity", "cookies", "expected"), SUBJECTS.values(), ids=SUBJECTS)
def test_it_is_stored_for(identity: Identity, cookies: Cookies, expected: list[Subject]) -> None:
    found = sightings(AdRequest(identity=identity, signals=GPC), cookies, ALL_STORED, SEEN_AT_MS, KEY)
    assert [sighting.subject for sighting in found] == expected


DAY_S, DAYS = 86_400, ALL_STORED.new_device_days
HELD = {
    "an account of which nothing is stored": (OF_AN_ACCOUNT, 0),
    "a device of which nothing is stored": (OF_A_DEVICE, 1_000 + DAYS * DAY_S),
    "a device with a preference record": (OF_A_DEVICE._replace(preference=b"one"), 0),
    "a device with a profile": (OF_A_DEVICE._replace(profile=b"one"), 0),
}


@pytest.mark.parametrize(("records", "expires_s"), HELD.values(), ids=HELD)
def test_only_the_record_of_a_new_device_expires(records: StoredRecords, expires_s: int) -> None:
    seen = Sighting(PHONE, Source.GPC, 1_000_999, KEY)
    after = opt_out_by_signal(Preference(), records, seen, 1_000_999, ALL_STORED)
    assert after is not None
    assert after.expires_s == expires_s
    assert is_new_device(records) is bool(expires_s)


RENEWALS = {
    "the same day": (DAY_S - 1, None),
    "a day later": (DAY_S, DAY_S + DAYS * DAY_S),
    "a month later": (35 * DAY_S, (35 + DAYS) * DAY_S),
    "seen by a clock that was set back": (-DAY_S, None),
}


@pytest.mark.parametrize(("seen_s", "expires_s"), RENEWALS.values(), ids=RENEWALS)
def test_an_expiry_is_renewed_once_a_day(seen_s: int, expires_s: int | None) -> None:
    current = Preference(choice=Choice.OPT_OUT, source=Source.GPC, version=1, expires_s=DAYS * DAY_S)
    stored = OF_A_DEVICE._replace(preference=b"it")
    after = opt_out_by_signal(current, stored, Sighting(PHONE, Source.GPC, seen_s * 1000, KEY), 0, ALL_STORED)
    assert after == (current._replace(expires_s=expires_s) if expires_s else None)


def test_a_persons_own_choice_removes_the_expiry_and_no_signal_restores_it() -> None:
    seen = Sighting(PHONE, Source.GPC, SEEN_AT_MS, KEY)
    signalled = opt_out_by_signal(Preference(), OF_A_DEVICE, seen, SEEN_AT_MS, ALL_STORED)
    assert signalled is not None
    for choice in (Choice.OPT_OUT, Choice.OPT_IN):
        made = ChoiceMade(choice=choice, source=Source.BROWSER, change_key=bytes(8), made_at_ms=SEEN_AT_MS + 1)
        chosen = apply_choice(signalled, made)
        assert chosen.expires_s == 0
        later = seen._replace(seen_at_ms=SEEN_AT_MS + 500 * DAY_S * 1000)
        after = opt_out_by_signal(chosen, OF_A_DEVICE._replace(preference=b"it"), later, later.seen_at_ms, ALL_STORED)
        assert after is None or after.expires_s == 0
