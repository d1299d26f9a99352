"""Stores with sealed records: what is read from before, what is written, and who wins a race."""

import pytest

from server.store.ports import RecordChange
from server.store.record_cipher import RecordCipher
from server.store.sealed import SealedDecisions, SealedRecords
from targeting.model import Subject, SubjectKind
from targeting.records.envelope import seal
from targeting.records.preference import Choice, Preference, encode_preference
from targeting.records.stored_records import StoredRecords
from tests.server.doubles import ScriptedStore
from tests.server.store.fake_store import PSEUDONYMS, FakeStore

ANNE, PHONE = Subject(SubjectKind.ACCOUNT, "anne"), Subject(SubjectKind.DEVICE, "phone")
BUDGET_S = 5.0
CIPHER = RecordCipher(b"key")


def preference(subject: Subject, version: int = 1) -> bytes:
    return encode_preference(Preference(Choice.OPT_IN, version=version), PSEUDONYMS.owner(subject))


def profile(body: bytes, kind: bytes = b"aF") -> bytes:
    return seal(kind, 1, PSEUDONYMS.owner(ANNE), body)


def stored(store: FakeStore, subject: Subject = ANNE) -> bytes:
    value = store.read([subject], BUDGET_S)[0].preference
    assert value is not None
    return value


@pytest.mark.parametrize("seals", [True, False])
def test_a_record_of_before_is_read_and_its_next_form_is_as_the_setting_says(*, seals: bool) -> None:
    store = FakeStore()
    store.put(ANNE, preference=preference(ANNE))
    records = SealedRecords(store, CIPHER, seals=seals)
    (before,) = records.read([ANNE], BUDGET_S)
    assert before.preference == preference(ANNE)
    assert records.commit([RecordChange(ANNE, before, preference(ANNE, 2))], BUDGET_S)[0].landed
    assert (stored(store) == preference(ANNE, 2)) is not seals
    assert records.read([ANNE], BUDGET_S)[0].preference == preference(ANNE, 2)
    assert SealedDecisions(store, CIPHER).fetch([ANNE], BUDGET_S)[0].preference == preference(ANNE, 2)


def test_what_was_sealed_is_read_when_sealing_is_switched_off() -> None:
    store = FakeStore()
    store.put(ANNE, preference=CIPHER.seal_preference(preference(ANNE), PSEUDONYMS.owner(ANNE)))
    records = SealedRecords(store, CIPHER, seals=False)
    (before,) = records.read([ANNE], BUDGET_S)
    assert records.commit_durably(RecordChange(ANNE, before, preference(ANNE, 2)), 0, BUDGET_S).landed
    assert stored(store) == preference(ANNE, 2)


def test_a_change_lands_only_on_what_it_was_made_from() -> None:
    store = FakeStore()
    records = SealedRecords(store, CIPHER)
    (empty,) = records.read([ANNE], BUDGET_S)
    first = RecordChange(ANNE, empty, preference(ANNE))
    assert records.commit([first, first], BUDGET_S)[0].landed
    assert not records.commit([first], BUDGET_S)[0].landed
    (current,) = records.read([ANNE], BUDGET_S)
    assert records.commit([RecordChange(ANNE, current, preference(ANNE, 2))], BUDGET_S)[0].landed
    assert not records.commit([RecordChange(ANNE, current, preference(ANNE, 3))], BUDGET_S)[0].landed


def test_a_linked_preference_is_compared_as_the_store_holds_it() -> None:
    store = FakeStore()
    records = SealedRecords(store, CIPHER)
    (phone,) = records.read([PHONE], BUDGET_S)
    records.commit([RecordChange(PHONE, phone, preference(PHONE))], BUDGET_S)
    anne, phone = records.read([ANNE, PHONE], BUDGET_S)
    write = RecordChange(ANNE, anne, preference(ANNE), linked=((PHONE, phone.held().preference),))
    assert records.commit([write], BUDGET_S)[0].landed
    assert phone.preference != phone.held().preference


PROFILE, SEEN = profile(b"a profile"), profile(b"activities", b"aS")
EVERY_KIND = {"preference": preference(ANNE), "profile": PROFILE, "seen": SEEN}


def test_nothing_is_stored_in_clear_and_everything_is_read() -> None:
    store = FakeStore()
    records = SealedRecords(store, CIPHER)
    (empty,) = records.read([ANNE], BUDGET_S)
    change = RecordChange(ANNE, empty, preference(ANNE), PROFILE, SEEN, profile_ttl_s=1, seen_ttl_s=1)
    assert records.commit([change], BUDGET_S)[0].landed
    (raw,), (read,) = store.read([ANNE], BUDGET_S), records.read([ANNE], BUDGET_S)
    for name, record in EVERY_KIND.items():
        assert record[15:] not in getattr(raw, name)
        assert getattr(read, name) == record
    (decided,) = SealedDecisions(store, CIPHER).fetch([ANNE], BUDGET_S)
    assert decided == (ANNE.kind, raw.owner, preference(ANNE), PROFILE, None, None)


def test_a_later_change_of_a_call_is_compared_to_what_an_earlier_one_writes() -> None:
    records = SealedRecords(FakeStore(), CIPHER)
    (empty,) = records.read([ANNE], BUDGET_S)
    after = empty._replace(preference=preference(ANNE), profile=profile(b"one"))
    first = RecordChange(ANNE, empty, after.preference, after.profile, profile_ttl_s=1)
    second = RecordChange(ANNE, after, profile=profile(b"two"), profile_ttl_s=1)
    stale = RecordChange(ANNE, after, profile=profile(b"three"), profile_ttl_s=1)
    assert [each.landed for each in records.commit([first, second, stale], BUDGET_S)] == [True, True, False]
    assert records.read([ANNE], BUDGET_S)[0].profile == profile(b"two")


def test_a_reading_that_was_begun_opens_what_it_collects() -> None:
    owner = PSEUDONYMS.owner(ANNE)
    sealed = StoredRecords(ANNE.kind, owner, CIPHER.seal_preference(preference(ANNE), owner))
    store = ScriptedStore(lambda _: sealed)
    reading = SealedDecisions(store, CIPHER).begin([ANNE], BUDGET_S)
    assert reading is not None
    assert reading.collect(0.0) == [StoredRecords(ANNE.kind, owner, preference(ANNE))]
    assert SealedDecisions(FakeStore(), CIPHER).begin([ANNE], BUDGET_S) is None
