"""What every store promises: the same suite for the fake and for Redis."""

from typing import TypedDict, Unpack

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.store.ports import Change, Committed, StoreTimeout
from server.store.redis.commit import UNREADABLE
from targeting.model import Subject, SubjectKind
from targeting.records.preference import Choice, Preference, encode_preference
from targeting.records.stored_records import StoredRecords
from tests.server.store.conftest import OpenRedisStore, Store
from tests.server.store.fake_store import PSEUDONYMS, FakeStore

BUDGET_S = 5.0
ANNE = Subject(SubjectKind.ACCOUNT, "anne")
BEN = Subject(SubjectKind.ACCOUNT, "ben")
PHONE = Subject(SubjectKind.DEVICE, "anne")
OWNER = PSEUDONYMS.owner(ANNE)
DAY_S = 86_400


def preference(choice: Choice = Choice.NONE, version: int = 1) -> bytes:
    return encode_preference(Preference(choice=choice, version=version), OWNER)


class Recorded(TypedDict, total=False):
    """What is recorded of a subject, by name."""

    profile: bytes | None
    seen: bytes | None


class Values(Recorded, total=False):
    """All values of a subject, by name."""

    preference: bytes | None


NEW: dict[str, Recorded] = {"profile": {"profile": b"new"}, "seen": {"seen": b"new"}}


def change(store: Store, subject: Subject = ANNE, **values: Unpack[Values]) -> Change:
    """A change made from what the store holds now."""
    held = store.read([subject], BUDGET_S)[0]
    return Change(subject, held, **values, profile_ttl_s=DAY_S, seen_ttl_s=DAY_S)


def commit(store: Store, subject: Subject = ANNE, **values: Unpack[Values]) -> bool:
    return store.commit([change(store, subject, **values)], BUDGET_S)[0].landed


def held(store: Store, subject: Subject = ANNE) -> tuple[bytes | None, ...]:
    return store.read([subject], BUDGET_S)[0][2:]


class TestReading:
    def test_nothing_is_known_of_a_stranger(self, store: Store) -> None:
        assert store.read([ANNE], BUDGET_S) == [StoredRecords(ANNE.kind, OWNER)]
        assert store.fetch([ANNE], BUDGET_S)[0] == StoredRecords(ANNE.kind, OWNER)

    def test_asking_for_nobody_answers_nothing(self, store: Store) -> None:
        assert store.fetch([], BUDGET_S) == []
        assert store.read([], BUDGET_S) == []
        assert store.commit([], BUDGET_S) == []

    def test_answers_come_in_the_order_of_the_subjects_also_repeated_ones(self, store: Store) -> None:
        commit(store, ANNE, preference=b"anne's")
        commit(store, PHONE, preference=b"phone's")
        order = [PHONE, BEN, ANNE, PHONE]
        assert [each.preference for each in store.fetch(order, BUDGET_S)] == [b"phone's", None, b"anne's", b"phone's"]
        assert [each.preference for each in store.read(order, BUDGET_S)] == [b"phone's", None, b"anne's", b"phone's"]
        assert [each.kind for each in store.fetch(order, BUDGET_S)] == [each.kind for each in order]

    def test_an_account_and_a_device_of_the_same_id_are_two(self, store: Store) -> None:
        commit(store, ANNE, preference=preference())
        assert held(store, PHONE) == (None, None, None)

    def test_a_batch_of_two_thousand_is_read_at_once(self, store: Store) -> None:
        crowd = [Subject(SubjectKind.ACCOUNT, f"person {number}") for number in range(2_000)]
        made = [change(store, person, preference=b"x%d" % number) for number, person in enumerate(crowd[:3])]
        store.commit(made, BUDGET_S)
        assert [each.preference for each in store.fetch(crowd, BUDGET_S)[:4]] == [b"x0", b"x1", b"x2", None]

    @pytest.mark.parametrize("field", ["preference", "profile", "seen"])
    def test_a_value_of_a_wrong_type_is_unreadable_not_absent(self, store: Store, field: str) -> None:
        commit(store, BEN, preference=preference(), profile=b"profile")
        store.spoil(ANNE, field)
        anne, ben, _ = store.read([ANNE, BEN, PHONE], BUDGET_S)
        assert getattr(anne, field) == UNREADABLE
        assert [anne[2:].count(None), ben.profile] == [2, b"profile"]

    @pytest.mark.parametrize("field", ["preference", "profile"])
    def test_a_decision_sees_a_wrong_type_too(self, store: Store, field: str) -> None:
        store.spoil(ANNE, field)
        ben, anne = store.fetch([BEN, ANNE], BUDGET_S)
        assert getattr(anne, field) == UNREADABLE
        assert ben[2:] == (None, None, None)

    def test_without_time_left_nobody_is_asked(self, store: Store) -> None:
        with pytest.raises(StoreTimeout):
            store.fetch([ANNE], 0)
        with pytest.raises(StoreTimeout):
            store.read([ANNE], -1)
        with pytest.raises(StoreTimeout):
            store.commit([Change(ANNE, StoredRecords(ANNE.kind, OWNER), preference=b"late")], 0)
        assert held(store) == (None, None, None)


class TestCommitting:
    def test_what_is_committed_is_read(self, store: Store) -> None:
        record = preference()
        assert commit(store, preference=record, profile=b"profile", seen=b"seen")
        assert held(store) == (record, b"profile", b"seen")

    def test_every_byte_survives(self, store: Store) -> None:
        every = bytes(range(256)) * 20
        assert commit(store, preference=preference(), profile=every)
        assert held(store)[1] == every

    def test_none_leaves_a_value_and_empty_removes_it(self, store: Store) -> None:
        record = preference()
        commit(store, preference=record, profile=b"profile", seen=b"seen")
        assert commit(store, profile=b"")
        assert held(store) == (record, None, b"seen")
        assert commit(store, seen=b"")
        assert held(store) == (record, None, None)

    def test_it_counts_what_was_there_and_is_no_more(self, store: Store) -> None:
        commit(store, preference=preference(), profile=b"profile")
        erasing = change(store, profile=b"", seen=b"")
        assert store.commit([erasing, erasing], BUDGET_S) == [Committed(True, removed=1), Committed(True, removed=0)]

    def test_a_change_of_nothing_lands(self, store: Store) -> None:
        assert commit(store)

    @pytest.mark.parametrize(
        "wrong",
        [
            pytest.param({"preference": b"another"}, id="another preference"),
            pytest.param({"preference": None}, id="no preference"),
            pytest.param({"profile": b"another"}, id="another profile"),
            pytest.param({"profile": None}, id="no profile"),
            pytest.param({"profile": b"profil"}, id="a shorter profile"),
            pytest.param({"preference": b""}, id="an empty preference"),
            pytest.param({"profile": UNREADABLE}, id="an unreadable profile"),
        ],
    )
    def test_a_change_from_another_reading_does_not_land(self, store: Store, wrong: Values) -> None:
        record = preference()
        commit(store, preference=record, profile=b"profile")
        stale = StoredRecords(ANNE.kind, OWNER, **({"preference": record, "profile": b"profile"} | wrong))
        attempt = Change(ANNE, stale, preference=b"new", profile=b"new", profile_ttl_s=1, seen=b"new", seen_ttl_s=1)
        assert not store.commit([attempt], BUDGET_S)[0].landed
        assert not store.commit_durably(attempt, 0, BUDGET_S).landed
        assert held(store) == (record, b"profile", None)

    @pytest.mark.parametrize("field", ["preference", "profile"])
    def test_a_change_that_expects_something_does_not_land_on_nothing(self, store: Store, field: str) -> None:
        expected = (
            StoredRecords(ANNE.kind, OWNER, b"something")
            if field == "preference"
            else StoredRecords(ANNE.kind, OWNER, profile=b"something")
        )
        attempt = Change(ANNE, expected, preference=preference(), profile=b"new", profile_ttl_s=1)
        assert not store.commit([attempt], BUDGET_S)[0].landed

    @pytest.mark.parametrize("field", ["preference", "profile"])
    def test_nothing_lands_on_a_wrong_type_that_was_not_seen(self, store: Store, field: str) -> None:
        store.spoil(ANNE, field)
        unaware = Change(
            ANNE, StoredRecords(ANNE.kind, OWNER), preference=preference(), profile=b"new", profile_ttl_s=1
        )
        assert not store.commit([unaware], BUDGET_S)[0].landed

    @pytest.mark.parametrize("profile", [None, b""], ids=["freeze", "erase"])
    def test_a_choice_does_not_wait_until_nobody_writes_the_profile(self, store: Store, profile: bytes | None) -> None:
        assert commit(store, preference=preference(), profile=b"old")
        seen_before = store.read([ANNE], BUDGET_S)[0]
        assert commit(store, profile=b"newer")
        opt_out = Change(ANNE, seen_before, preference=preference(Choice.OPT_OUT, 2), profile=profile)
        assert store.commit([opt_out], BUDGET_S)[0].landed
        assert held(store) == (preference(Choice.OPT_OUT, 2), b"newer" if profile is None else None, None)

    def test_what_was_seen_to_be_unreadable_can_be_replaced_and_removed(self, store: Store) -> None:
        store.spoil(ANNE, "preference", "profile", "seen")
        opt_out = preference(Choice.OPT_OUT)
        assert commit(store, preference=opt_out, profile=b"", seen=b"")
        assert held(store) == (opt_out, None, None)

    def test_changes_of_one_call_land_in_order_each_on_its_own(self, store: Store) -> None:
        first, second = preference(version=1), preference(version=2)
        landed = store.commit(
            [
                Change(ANNE, StoredRecords(ANNE.kind, OWNER), preference=first),
                Change(ANNE, StoredRecords(ANNE.kind, OWNER), preference=b"stale by now"),
                Change(ANNE, StoredRecords(ANNE.kind, OWNER, first), preference=second),
            ],
            BUDGET_S,
        )
        assert [each.landed for each in landed] == [True, False, True]
        assert held(store)[0] == second

    def test_a_durable_commit_says_who_holds_it(self, store: Store) -> None:
        assert store.commit_durably(change(store, preference=preference()), 0, BUDGET_S) == Committed(True, 0, True)

    def test_missing_replicas_are_no_error(self, store: Store) -> None:
        assert store.commit_durably(change(store, preference=preference()), 2, 0.1) == Committed(True, 0, True)

    def test_a_change_made_from_somebody_elses_reading_is_a_mistake(self, store: Store) -> None:
        with pytest.raises(ValueError, match="somebody else"):
            store.commit([Change(ANNE, StoredRecords(ANNE.kind, PSEUDONYMS.owner(BEN)), preference=b"x")], BUDGET_S)

    @pytest.mark.parametrize("field", ["profile", "seen"])
    def test_what_must_expire_needs_an_end(self, store: Store, field: str) -> None:
        endless = Change(ANNE, StoredRecords(ANNE.kind, OWNER), preference(), **NEW[field])
        with pytest.raises(ValueError, match="limited time"):
            store.commit([endless], BUDGET_S)


class TestGuard:
    """Belt and braces: whatever a writer believes, the store itself refuses."""

    @pytest.mark.parametrize("field", ["profile", "seen"])
    @pytest.mark.parametrize("choice", [Choice.OPT_OUT, 3, 255], ids=str)
    def test_nothing_is_recorded_after_an_opt_out(self, store: Store, choice: int, field: str) -> None:
        record = bytearray(preference(Choice.OPT_OUT))
        record[15] = choice
        store.put(ANNE, preference=bytes(record))
        assert not commit(store, **NEW[field])
        assert held(store)[1:] == (None, None)

    @pytest.mark.parametrize("choice", [Choice.NONE, Choice.OPT_IN])
    def test_other_choices_let_it_be_recorded(self, store: Store, choice: Choice) -> None:
        store.put(ANNE, preference=preference(choice))
        assert commit(store, profile=b"new", seen=b"new")

    @pytest.mark.parametrize("field", ["profile", "seen"])
    def test_not_even_in_the_step_that_opts_out_or_in_again(self, store: Store, field: str) -> None:
        assert not commit(store, preference=preference(Choice.OPT_OUT), **NEW[field])
        store.put(ANNE, preference=preference(Choice.OPT_OUT))
        assert not commit(store, preference=preference(Choice.OPT_IN), **NEW[field])
        assert held(store) == (preference(Choice.OPT_OUT), None, None)

    def test_what_was_recorded_can_be_erased_after_an_opt_out(self, store: Store) -> None:
        commit(store, preference=preference(), profile=b"profile", seen=b"seen")
        assert commit(store, preference=preference(Choice.OPT_OUT))
        assert commit(store, profile=b"", seen=b"")
        assert held(store) == (preference(Choice.OPT_OUT), None, None)

    @pytest.mark.parametrize("record", [b"short", UNREADABLE, b""], ids=["short", "unreadable", "empty"])
    def test_nothing_is_recorded_beside_a_preference_that_cannot_be_read(self, store: Store, record: bytes) -> None:
        store.put(ANNE, preference=record)
        assert not commit(store, profile=b"new")
        assert not commit(store, seen=b"new")

    @pytest.mark.parametrize("field", ["profile", "seen"])
    def test_nothing_is_recorded_without_a_preference(self, store: Store, field: str) -> None:
        assert not commit(store, **NEW[field])
        store.put(ANNE, profile=b"lost its preference")
        assert not commit(store, **NEW[field])

    def test_a_lost_preference_can_be_made_good_and_its_profile_erased(self, store: Store) -> None:
        store.put(ANNE, profile=b"lost its preference")
        assert commit(store, preference=preference(Choice.OPT_OUT))
        store.put(BEN, profile=b"lost its preference")
        assert commit(store, BEN, profile=b"")

    def test_a_preference_goes_only_with_its_profile_and_never_while_it_opts_out(self, store: Store) -> None:
        commit(store, preference=preference(), profile=b"profile")
        assert not commit(store, preference=b"")
        assert commit(store, preference=b"", profile=b"")
        store.put(ANNE, preference=preference(Choice.OPT_OUT))
        assert not commit(store, preference=b"")
        assert held(store)[0] == preference(Choice.OPT_OUT)


class TestLinkedSubjects:
    """An account's write stands on the choices of the devices and accounts that it came with."""

    OPTED_OUT = encode_preference(Preference(choice=Choice.OPT_OUT), PSEUDONYMS.owner(BEN))
    ASKED = encode_preference(Preference(), PSEUDONYMS.owner(BEN))

    def lands(self, store: Store, *linked: tuple[Subject, bytes | None]) -> bool:
        attempt = change(store, preference=preference(), profile=b"new")._replace(linked=linked)
        landed = store.commit([attempt], BUDGET_S)[0].landed
        assert (held(store)[1] == b"new") is landed
        return landed

    @pytest.mark.parametrize("known", [None, ASKED], ids=["unknown", "known"])
    def test_it_lands_while_nothing_has_changed(self, store: Store, known: bytes | None) -> None:
        store.put(BEN, preference=known)
        assert self.lands(store, (BEN, known), (Subject(SubjectKind.DEVICE, "phone"), None))

    @pytest.mark.parametrize("known", [None, ASKED], ids=["unknown", "known"])
    def test_an_opt_out_of_one_of_them_since_the_reading_stops_it(self, store: Store, known: bytes | None) -> None:
        store.put(BEN, preference=self.OPTED_OUT)
        assert not self.lands(store, (Subject(SubjectKind.DEVICE, "phone"), None), (BEN, known))

    def test_so_does_the_loss_of_a_choice(self, store: Store) -> None:
        store.put(BEN, profile=b"profile")
        assert not self.lands(store, (BEN, self.ASKED))
        assert not self.lands(store, (BEN, None))

    @pytest.mark.parametrize("field", ["preference", "profile"])
    def test_so_does_a_record_of_a_wrong_type(self, store: Store, field: str) -> None:
        store.spoil(BEN, field)
        assert not self.lands(store, (BEN, None))

    def test_their_own_records_stay_as_they_are(self, store: Store) -> None:
        store.put(BEN, preference=self.ASKED, profile=b"theirs")
        assert self.lands(store, (BEN, self.ASKED))
        assert held(store, BEN) == (self.ASKED, b"theirs", None)


PREFERENCES = [None, b"", *(preference(choice) for choice in Choice), b"short", UNREADABLE]
PROFILES = [None, b"", b"one", b"two", UNREADABLE]
VALUES = st.builds(
    Values,
    preference=st.sampled_from(PREFERENCES),
    profile=st.sampled_from(PROFILES),
    seen=st.sampled_from([None, b"", b"one"]),
)
READINGS = st.none() | st.builds(
    StoredRecords, st.just(ANNE.kind), st.just(OWNER), st.sampled_from(PREFERENCES), st.sampled_from(PROFILES)
)
"""None is the true one."""


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=VALUES, steps=st.lists(st.tuples(VALUES, READINGS), min_size=1, max_size=8))
def test_redis_and_the_fake_agree_on_every_history(
    redis_store: OpenRedisStore, start: Values, steps: list[tuple[Values, StoredRecords | None]]
) -> None:
    fake = FakeStore()
    for store in (fake, redis_store):
        store.put(ANNE, **start)
    for values, reading in steps:
        expected = reading or fake.read([ANNE], BUDGET_S)[0]
        attempt = Change(ANNE, expected, **values, profile_ttl_s=DAY_S, seen_ttl_s=DAY_S)
        assert redis_store.commit([attempt], BUDGET_S) == fake.commit([attempt], BUDGET_S)
        assert held(redis_store) == held(fake)
