"""Clocks that jump: no opt-out ends early, and no child comes of age a day too soon."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from adtargeting.v1 import preference_pb2 as preferences
from adtargeting.v1 import targeting_pb2 as pb
from adtargeting.v1.preference_pb2_grpc import PreferenceServiceStub
from adtargeting.v1.profile_pb2 import RecordActivityRequest
from adtargeting.v1.profile_pb2_grpc import ProfileServiceStub

from server.decisions import decider
from targeting import decision
from targeting.model import Subject, SubjectKind
from targeting.policy.policy import SignalPolicy
from targeting.recording import signal_opt_outs
from targeting.recording.signal_opt_outs import Sighting
from targeting.records.preference import Choice, Preference, Source
from targeting.records.stored_records import StoredRecords
from tests.faults.known_person import KnownPerson, known_person
from tests.server.calls.direct_service import viewed
from tests.server.running_service import opt_out, wait_until

pytestmark = pytest.mark.fault(row=18)

PROTECTED = pytest.mark.parametrize("protected", [True, False], ids=["protected", "unprotected"])
DAY_S = 86_400
PHONE = Subject(SubjectKind.DEVICE, "phone")
JUMPS_DAYS = (0, -400, 3, 90, -7, 5000, 4, 91)
"""The clocks of the processes that see a signal one after the other, in days from the first."""


@pytest.fixture
def alice(tmp_path: Path) -> Iterator[KnownPerson]:
    with known_person(tmp_path) as person:
        yield person


def turn_clock(monkeypatch: pytest.MonkeyPatch, to: datetime) -> None:
    """Have decisions see this time."""
    monkeypatch.setattr(decider, "time", SimpleNamespace(time=to.timestamp))


@pytest.mark.parametrize("year", [1971, 2000, 2038, 2100])
def test_an_opt_out_holds_whatever_the_clock_says(
    alice: KnownPerson, monkeypatch: pytest.MonkeyPatch, year: int
) -> None:
    opt_out(alice.channel)
    turn_clock(monkeypatch, datetime(year, 2, 3, tzinfo=UTC))
    assert list(alice.decide().reasons) == [pb.REASON_ACCOUNT_OPT_OUT]


def seen_again(current: Preference, seen_at_s: int) -> Preference:
    """Return the record after a process has seen the signal of a new device at the time of its own clock."""
    sighting = Sighting(PHONE, Source.GPC, seen_at_s * 1000, b"the key!")
    records = StoredRecords(PHONE.kind, bytes(16), preference=b"stored" if current.choice is Choice.OPT_OUT else None)
    made = signal_opt_outs.opt_out_by_signal(current, records, sighting, seen_at_s * 1000, SignalPolicy())
    return current if made is None else made


@PROTECTED
def test_no_clock_shortens_the_life_of_an_opt_out(monkeypatch: pytest.MonkeyPatch, protected: bool) -> None:
    """Unprotected, the expiry always counts from the last sighting, by the clock of the process that saw it."""
    if not protected:
        monkeypatch.setattr(signal_opt_outs, "_RENEW_AFTER_S", -(1 << 60))
    current, ends_s = Preference(), []
    for days in JUMPS_DAYS:
        current = seen_again(current, (20_000 + days) * DAY_S)
        assert current.choice is Choice.OPT_OUT
        ends_s.append(current.expires_s)
    assert (ends_s == sorted(ends_s)) == protected


def counting_days(today: int, years: int) -> int:
    """Return the latest birth day of adults as most services do: with years of 365.25 days."""
    return today - int(years * 365.25)


@PROTECTED
def test_a_child_born_on_29_february_is_one_until_march(
    alice: KnownPerson, monkeypatch: pytest.MonkeyPatch, protected: bool
) -> None:
    if not protected:
        monkeypatch.setattr(decision, "latest_birth_day", counting_days)
    born = preferences.Date(year=2012, month=2, day=29)
    PreferenceServiceStub(alice.channel).SetPreference(
        preferences.SetPreferenceRequest(account_id="leap", choice=preferences.CHOICE_OPT_IN, birth_date=born),
        timeout=10,
    )
    activities = RecordActivityRequest(activities=[viewed(account_id="leap")])
    ProfileServiceStub(alice.channel).RecordActivity(activities, timeout=10)
    wait_until(lambda: alice.is_behavioural(account_id="leap"))
    turn_clock(monkeypatch, datetime(2025, 2, 28, 23, tzinfo=UTC))
    assert alice.is_behavioural(account_id="leap") == (not protected)
    turn_clock(monkeypatch, datetime(2025, 3, 1, 13, tzinfo=UTC))
    assert alice.is_behavioural(account_id="leap")
