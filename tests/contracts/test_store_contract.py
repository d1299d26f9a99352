"""What every store promises: the same suite for the fake and for Redis."""

import pytest

from server.store.ports import Committed, RecordChange, StoreTimeout
from server.store.record_cipher import SEAL_BYTES
from server.store.redis.commit import UNREADABLE
from targeting.model import Subject, SubjectKind
from targeting.records.envelope import seal
from targeting.records.preference import Choice
from targeting.records.stored_records import StoredRecords
from tests.contracts.store_calls import ANNE, BEN, BUDGET_S, NEW, OWNER, PHONE, Values, change, commit, held, preference
from tests.server.store.conftest import SealedRedisStore, Store
from tests.server.store.fake_store import PSEUDONYMS


class TestReading:
    def test_nothing_is_known_of_a_stranger(self, store: Store) -> None:
        assert store.read([ANNE], BUDGET_S) == [StoredRecords(ANNE.kind, OWNER)]
        assert store.fetch([ANNE], BUDGET_S)[0] == StoredRecords(ANNE.kind, OWNER)

    def test_asking_for_no_subject_answers_nothing(self, store: Store) -> None:
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
        assert [anne[2:5].count(None), ben.profile] == [2, b"profile"]

    @pytest.mark.parametrize("field", ["preference", "profile"])
    def test_a_decision_sees_a_wrong_type_too(self, store: Store, field: str) -> None:
        store.spoil(ANNE, field)
        ben, anne = store.fetch([BEN, ANNE], BUDGET_S)
        assert getattr(anne, field) == UNREADABLE
        assert ben[2:5] == (None, None, None)

    @pytest.mark.parametrize("field", ["preference", "profile"])
    @pytest.mark.parametrize("size", [0, 65_537, 2_000_000], ids=["empty", "a byte too large", "huge"])
    def test_a_value_that_is_none_of_ours_costs_its_owner_alone(self, store: Store, field: str, size: int) -> None:
        commit(store, BEN, preference=preference(), profile=b"profile")
        store.put(ANNE, **{field: b"x" * size})
        anne, ben = store.fetch([ANNE, BEN], BUDGET_S)
        assert getattr(anne, field) == UNREADABLE
        assert (ben.preference, ben.profile) == (preference(), b"profile")
        assert commit(store, preference=preference(Choice.OPT_OUT), profile=b"")
        assert held(store) == (preference(Choice.OPT_OUT), None, None)

    def test_the_largest_value_is_read_whole(self, store: Store) -> None:
        largest = b"x" * (65_536 - SEAL_BYTES * isinstance(store, SealedRedisStore))
        assert commit(store, preference=preference(), profile=largest)
        assert held(store)[1] == largest
        assert commit(store, profile=b"next"), "and can be changed"

    def test_without_time_left_the_store_is_not_asked(self, store: Store) -> None:
        with pytest.raises(StoreTimeout):
            store.fetch([ANNE], 0)
        with pytest.raises(StoreTimeout):
            store.read([ANNE], -1)
        with pytest.raises(StoreTimeout):
            store.commit([RecordChange(ANNE, StoredRecords(ANNE.kind, OWNER), preference=b"late")], 0)
        assert held(store) == (None, None, None)


class TestCommitting:
    def test_what_is_committed_is_read(self, store: Store) -> None:
        record = preference()
        assert commit(store, preference=record, profile=b"profile", seen=b"seen")
        assert held(store) == (record, b"profile", b"seen")

    def test_every_byte_survives(self, store: Store) -> None:
        every = seal(b"aF", 1, OWNER, bytes(range(256)) * 20)
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
        new = Values(preference=b"new", profile=b"new", seen=b"new")
        attempt = RecordChange(ANNE, stale, **new, profile_ttl_s=1, seen_ttl_s=1)
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
        attempt = RecordChange(ANNE, expected, preference=preference(), profile=b"new", profile_ttl_s=1)
        assert not store.commit([attempt], BUDGET_S)[0].landed

    @pytest.mark.parametrize("field", ["preference", "profile"])
    def test_nothing_lands_on_a_wrong_type_that_was_not_seen(self, store: Store, field: str) -> None:
        store.spoil(ANNE, field)
        unaware = RecordChange(
            ANNE, StoredRecords(ANNE.kind, OWNER), preference=preference(), profile=b"new", profile_ttl_s=1
        )
        assert not store.commit([unaware], BUDGET_S)[0].landed

    @pytest.mark.parametrize("profile", [None, b""], ids=["freeze", "erase"])
    def test_a_choice_does_not_wait_for_writers_of_the_profile(self, store: Store, profile: bytes | None) -> None:
        assert commit(store, preference=preference(), profile=b"old")
        seen_before = store.read([ANNE], BUDGET_S)[0]
        assert commit(store, profile=b"newer")
        opt_out = RecordChange(ANNE, seen_before, preference=preference(Choice.OPT_OUT, 2), profile=profile)
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
                RecordChange(ANNE, StoredRecords(ANNE.kind, OWNER), preference=first),
                RecordChange(ANNE, StoredRecords(ANNE.kind, OWNER), preference=b"stale by now"),
                RecordChange(ANNE, StoredRecords(ANNE.kind, OWNER, first), preference=second),
            ],
            BUDGET_S,
        )
        assert [each.landed for each in landed] == [True, False, True]
        assert held(store)[0] == second

    def test_a_durable_commit_says_who_holds_it(self, store: Store) -> None:
        committed = store.commit_durably(change(store, preference=preference()), 0, BUDGET_S)
        assert committed._replace(promotable=0) == Committed(True, 0, True)

    def test_missing_replicas_are_no_error(self, store: Store) -> None:
        committed = store.commit_durably(change(store, preference=preference()), 3, 0.1)
        assert committed.landed
        assert committed.replicas < 3

    def test_a_change_made_from_the_reading_of_another_subject_is_a_mistake(self, store: Store) -> None:
        with pytest.raises(ValueError, match="another subject"):
            store.commit(
                [RecordChange(ANNE, StoredRecords(ANNE.kind, PSEUDONYMS.owner(BEN)), preference=b"x")], BUDGET_S
            )

    @pytest.mark.parametrize("field", ["profile", "seen"])
    def test_what_must_expire_needs_an_end(self, store: Store, field: str) -> None:
        endless = RecordChange(ANNE, StoredRecords(ANNE.kind, OWNER), preference(), **NEW[field])
        with pytest.raises(ValueError, match="ttl_s"):
            store.commit([endless], BUDGET_S)


class TestExpiry:
    """A preference stays, unless the change that wrote it says when it ends; the next one decides again."""

    @pytest.mark.parametrize("ttl_s", [0, 1_000])
    def test_a_preference_is_there_before_its_end(self, store: Store, ttl_s: int) -> None:
        first = RecordChange(ANNE, StoredRecords(ANNE.kind, OWNER), preference=preference(), preference_ttl_s=ttl_s)
        assert store.commit([first], BUDGET_S)[0].landed
        assert held(store)[0] == preference()
