"""Sealed records: what opens, what does not, and what stays in clear."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.store.record_cipher import SEAL_BYTES, RecordCipher
from server.store.redis.commit import CHOICE_AT, UNREADABLE
from targeting.model import Gender
from targeting.records.deduplication import SeenActivities, decode_seen, encode_seen
from targeting.records.envelope import RecordNewer, RecordUnreadable, seal
from targeting.records.preference import Choice, Preference, decode_preference, encode_preference
from targeting.records.profile import Profile, encode_profile, read_profile

CIPHER = RecordCipher(b"key one")
OWNER, OTHER_OWNER = bytes(range(16)), bytes(range(8)) + bytes(8)
"""Two owners with the same first eight bytes, which is all that a record shows of them."""

PREFERENCE = encode_preference(Preference(Choice.OPT_OUT, country="GB", language="en", birth_day=7), OWNER)
PROFILE = encode_profile(Profile(gender=Gender.FEMALE, occupation="glassblower", postal_code="E1"), OWNER)
SEEN = encode_seen(SeenActivities(b"12345678", b"1234"), OWNER)

KINDS = {
    "preference": (PREFERENCE, CIPHER.seal_preference, decode_preference),
    "profile": (PROFILE, CIPHER.seal, read_profile),
    "deduplication": (SEEN, CIPHER.seal, decode_seen),
}
Seal = Callable[[bytes, bytes], bytes]
Read = Callable[[bytes, bytes], object]
EVERY_KIND = pytest.mark.parametrize(("record", "seals", "read"), KINDS.values(), ids=KINDS)


@EVERY_KIND
def test_a_sealed_record_opens_to_itself(record: bytes, seals: Seal, read: Read) -> None:
    sealed = seals(record, OWNER)
    assert CIPHER.open(sealed, OWNER) == record
    assert seals(record, OWNER) != sealed
    assert record[15:] not in sealed
    assert len(sealed) == len(record) + SEAL_BYTES
    assert b"glass" not in sealed


@given(body=st.binary(min_size=1, max_size=500), owner=st.binary(min_size=16, max_size=16), schema=st.integers(0, 127))
def test_every_record_opens_to_itself(body: bytes, owner: bytes, schema: int) -> None:
    record = seal(b"xX", schema, owner, body)
    assert CIPHER.seal(record, owner) != record
    assert CIPHER.open(CIPHER.seal(record, owner), owner) == record
    assert CIPHER.open(CIPHER.seal_preference(record, owner), owner) == record


SEALED_FORM = (
    "61508100010203040506070000000101000102030405060708090a0b8a833aea3ec314372985bc7e928a62e095c86f9e4799777df5f8a3f6"
    "ab734c3d8697bad28e755db2a2eed6b6"
)


def test_the_sealed_form_stays() -> None:
    """It is stored: a later version has to open it."""
    assert CIPHER.open(bytes.fromhex(SEALED_FORM), OWNER) == PREFERENCE


@EVERY_KIND
def test_a_record_of_before_passes_unchanged(record: bytes, seals: Seal, read: Read) -> None:
    assert CIPHER.open(record, OWNER) == record
    assert CIPHER.open(None, OWNER) is None


@EVERY_KIND
def test_no_bit_may_change(record: bytes, seals: Seal, read: Read) -> None:
    sealed = seals(record, OWNER)
    for index in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[index // 8] ^= 1 << index % 8
        opened = CIPHER.open(bytes(changed), OWNER)
        assert opened is not None
        with pytest.raises(RecordUnreadable):
            read(opened, OWNER)


@EVERY_KIND
@pytest.mark.parametrize("size", [0, 1, 2, 3, 15, 16, 27, 28, 43, 44])
def test_no_byte_may_be_missing(record: bytes, seals: Seal, read: Read, size: int) -> None:
    opened = CIPHER.open(seals(record, OWNER)[:size], OWNER)
    assert opened is not None
    with pytest.raises(RecordUnreadable):
        read(opened, OWNER)


@EVERY_KIND
def test_a_head_without_anything_sealed_behind_it_is_unreadable(record: bytes, seals: Seal, read: Read) -> None:
    """As a record of a newer version it could be replaced by an opt-out alone."""
    assert CIPHER.open(seals(record, OWNER)[:28], OWNER) == UNREADABLE


@pytest.mark.parametrize("first", [0, 255])
def test_there_is_a_key_for_every_owner(first: int) -> None:
    owner = bytes([first]) + bytes(15)
    record = encode_preference(Preference(Choice.OPT_OUT), owner)
    assert CIPHER.open(CIPHER.seal_preference(record, owner), owner) == record


@EVERY_KIND
def test_neither_another_owner_nor_another_key_opens_it(record: bytes, seals: Seal, read: Read) -> None:
    sealed = seals(record, OWNER)
    assert CIPHER.open(sealed, OTHER_OWNER) == UNREADABLE
    assert RecordCipher(b"key two").open(sealed, OWNER) == UNREADABLE


@pytest.mark.parametrize("choice", Choice)
def test_the_choice_stays_where_the_write_guard_reads_it(choice: Choice) -> None:
    record = encode_preference(Preference(choice), OWNER)
    assert record[CHOICE_AT] == CIPHER.seal_preference(record, OWNER)[CHOICE_AT] == choice


def test_of_other_records_nothing_stays_in_clear() -> None:
    assert PROFILE[CHOICE_AT] == Gender.FEMALE
    assert CIPHER.seal(PROFILE, OWNER)[CHOICE_AT] == 0


@EVERY_KIND
def test_to_a_version_without_the_cipher_it_is_a_record_of_a_newer_schema(
    record: bytes, seals: Seal, read: Read
) -> None:
    with pytest.raises(RecordNewer):
        read(seals(record, OWNER), OWNER)


def test_no_key_is_shown() -> None:
    assert repr(CIPHER) == "RecordCipher(***)"
