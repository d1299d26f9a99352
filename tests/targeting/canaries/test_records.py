"""The records of canaries: from whatever the store holds, step by step, to what it is meant to hold."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.store.ports import RecordChange
from targeting.canaries.people import CHILDS_AGE, Stored
from targeting.canaries.records import CHANGE_MARK, WAIT, is_marked, next_values
from targeting.model import Subject, SubjectKind
from targeting.records.envelope import seal
from targeting.records.preference import (
    Choice,
    Preference,
    PreferenceChange,
    Source,
    decode_preference,
    encode_preference,
)
from targeting.records.profile import Profile, decode_profile, encode_profile
from targeting.records.stored_records import StoredRecords
from tests.server.store.fake_store import PSEUDONYMS, FakeStore

SUBJECT = Subject(SubjectKind.ACCOUNT, "canary")
OWNER = PSEUDONYMS.owner(SUBJECT)
NOW_S = 1_780_000_000
YEAR_S = 365.25 * 86_400
BUDGET_S, LIFE_S = 5.0, 10 * 365 * 86_400
CHOICES = {
    Stored.OPTED_IN: (Choice.OPT_IN, Source.ACCOUNT_PAGE),
    Stored.UNDECIDED: (Choice.NONE, Source.UNSTATED),
    Stored.OPTED_OUT: (Choice.OPT_OUT, Source.ACCOUNT_PAGE),
    Stored.SIGNALLED: (Choice.OPT_OUT, Source.GPC),
    Stored.CHILD: (Choice.OPT_IN, Source.ACCOUNT_PAGE),
}
PREFERENCES: list[bytes | None] = [
    None,
    b"junk",
    *(
        encode_preference(Preference(choice, history=(PreferenceChange(1, choice, Source.GPC, 0, key),)), OWNER)
        for choice in Choice
        for key in (CHANGE_MARK, bytes(8))
    ),
]
PROFILES: list[bytes | None] = [None, b"junk", encode_profile(Profile(occupation="x"), OWNER)]


class Plot:
    """One subject in a store, and a clock."""

    def __init__(self, wanted: Stored) -> None:
        self.store, self.wanted, self.now_s = FakeStore(), wanted, float(NOW_S)

    def read(self) -> StoredRecords:
        return self.store.read([SUBJECT], BUDGET_S)[0]

    def step(self) -> bool:
        """Write what is missing; return whether that was anything."""
        held = self.read()
        values = next_values(self.wanted, held, "mark", self.now_s)
        if values is None or values == WAIT:
            return False
        change = RecordChange(SUBJECT, held, *values[:2], preference_ttl_s=values[2], profile_ttl_s=LIFE_S)
        assert self.store.commit([change], BUDGET_S)[0].landed, "the guard of the store lets every step pass"
        return True

    def settle(self) -> Iterator[StoredRecords]:
        for _ in range(6):
            if not self.step():
                break
            yield self.read()
        assert not self.step(), "it never settles"

    def pass_time(self, seconds: float) -> None:
        self.now_s += seconds
        self.store.now_s += seconds

    def is_as_wanted(self) -> bool:
        return next_values(self.wanted, self.read(), "mark", self.now_s) is None


@pytest.mark.parametrize("wanted", CHOICES)
def test_the_profile_comes_first_then_the_limit(wanted: Stored) -> None:
    plot = Plot(wanted)
    seen = list(plot.settle())
    assert all(records.profile is not None for records in seen)
    preference = decode_preference(seen[-1].preference or b"", OWNER)
    assert (preference.choice, preference.source) == CHOICES[wanted]
    assert is_marked(preference)
    profile = decode_profile(seen[-1].profile or b"", OWNER)
    assert (profile.occupation, profile.exposures[0].ad_id, profile.interests[1].segment_id) == ("mark",) * 3
    assert all((profile.gender, profile.country, profile.language, profile.destinations)), "it shows in every field"
    assert plot.is_as_wanted()


@given(st.sampled_from(list(CHOICES)), st.sampled_from(PREFERENCES), st.sampled_from(PROFILES))
def test_whatever_the_store_holds_it_gets_there_and_stays_there(
    wanted: Stored, preference: bytes | None, profile: bytes | None
) -> None:
    plot = Plot(wanted)
    plot.store.put(SUBJECT, preference=preference, profile=profile)
    list(plot.settle())
    held = plot.read()
    assert plot.is_as_wanted()
    assert list(plot.settle()) == []
    assert plot.read() == held


@given(st.sampled_from(PREFERENCES), st.sampled_from(PROFILES))
def test_a_lost_preference_gets_lost_by_its_expiry(preference: bytes | None, profile: bytes | None) -> None:
    plot = Plot(Stored.LOST)
    plot.store.put(SUBJECT, preference=preference, profile=profile)
    for _ in range(3):
        list(plot.settle())
        plot.pass_time(11)
    assert plot.is_as_wanted()
    assert plot.read().preference is None
    assert decode_profile(plot.read().profile or b"", OWNER).occupation


def test_a_preference_that_is_being_lost_is_waited_for() -> None:
    plot = Plot(Stored.LOST)
    list(plot.settle())
    assert plot.read().preference is not None
    assert next_values(Stored.LOST, plot.read(), "mark", plot.now_s) == WAIT
    plot.pass_time(1.1)
    assert plot.read().preference is None
    assert plot.is_as_wanted()


def test_a_child_never_grows_up() -> None:
    plot = Plot(Stored.CHILD)
    list(plot.settle())
    born = decode_preference(plot.read().preference or b"", OWNER).birth_day
    assert born is not None
    assert (plot.now_s / 86_400 - born) // 365.25 in {CHILDS_AGE - 1, CHILDS_AGE}
    plot.pass_time(0.9 * YEAR_S)
    assert plot.is_as_wanted()
    plot.pass_time(0.2 * YEAR_S)
    (record,) = plot.settle()
    younger = decode_preference(record.preference or b"", OWNER).birth_day
    assert younger is not None
    assert younger > born


def test_a_record_of_a_newer_version_is_left_to_that_version() -> None:
    plot = Plot(Stored.OPTED_OUT)
    plot.store.put(SUBJECT, preference=seal(b"aP", 99, OWNER, bytes(40)), profile=PROFILES[-1])
    assert next_values(plot.wanted, plot.read(), "mark", plot.now_s) == WAIT
