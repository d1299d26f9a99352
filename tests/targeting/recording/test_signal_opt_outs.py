"""What a signal makes of a stored choice, and whom it is stored for: tables."""

from dataclasses import replace

import pytest

from targeting.model import AdRequest, Identity, Signals, Subject, SubjectKind
from targeting.policy.policy import SignalPolicy
from targeting.recording.choice import ChoiceMade, apply_choice
from targeting.recording.signal_opt_outs import Sighting, opt_out_by_signal, sightings
from targeting.records.preference import Choice, Preference, Source
from targeting.signals.cookies import NO_COOKIES, Cookies

ALICE, PHONE = Subject(SubjectKind.ACCOUNT, "alice"), Subject(SubjectKind.DEVICE, "phone")
SEEN_AT_MS, NOW_MS = 100, 110
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
    after = opt_out_by_signal(current, Sighting(ALICE, Source.GPC, SEEN_AT_MS), b"12345678", NOW_MS)
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
    request = AdRequest(identity=Identity(account_id="alice", device_id="phone"), signals=signals)
    expected = () if source is None else (Sighting(ALICE, source, SEEN_AT_MS), Sighting(PHONE, source, SEEN_AT_MS))
    assert sightings(request, NO_COOKIES, policy, SEEN_AT_MS) == expected


SUBJECTS = {
    "an account": (Identity(account_id="alice"), NO_COOKIES, [ALICE]),
    "a device": (Identity(device_id="phone"), NO_COOKIES, [PHONE]),
    "a browser of the cookie": (Identity(), Cookies(muid="phone"), [PHONE]),
    "linked accounts": (Identity(linked_account_ids=("bob",)), NO_COOKIES, []),
    "nobody": (Identity(), NO_COOKIES, []),
}


@pytest.mark.parametrize(("identity", "cookies", "expected"), SUBJECTS.values(), ids=SUBJECTS)
def test_it_is_stored_for(identity: Identity, cookies: Cookies, expected: list[Subject]) -> None:
    found = sightings(AdRequest(identity=identity, signals=GPC), cookies, ALL_STORED, SEEN_AT_MS)
    assert [sighting.subject for sighting in found] == expected
