"""What every store refuses, whatever a writer believes: the same suite for the fake and for Redis."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.store.ports import RecordChange
from server.store.redis.commit import UNREADABLE
from targeting.model import Subject, SubjectKind
from targeting.records.preference import Choice, Preference, encode_preference
from targeting.records.stored_records import StoredRecords
from tests.contracts.store_calls import ANNE, BEN, BUDGET_S, DAY_S, NEW, OWNER, Values, change, commit, held, preference
from tests.server.store.conftest import OpenRedisStore, Store
from tests.server.store.fake_store import PSEUDONYMS, FakeStore

UNKNOWN_CHOICES = [3, 255, *b"^$."]
"""Choices of newer versions; the last three match anything where Lua takes them for a pattern."""


class TestGuard:
    """Belt and braces: whatever a writer believes, the store itself refuses."""

    @pytest.mark.parametrize("field", ["profile", "seen"])
    @pytest.mark.parametrize("choice", [Choice.OPT_OUT, *UNKNOWN_CHOICES], ids=str)
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
        attempt = RecordChange(ANNE, expected, **values, profile_ttl_s=DAY_S, seen_ttl_s=DAY_S)
        assert redis_store.commit([attempt], BUDGET_S) == fake.commit([attempt], BUDGET_S)
        assert held(redis_store) == held(fake)
