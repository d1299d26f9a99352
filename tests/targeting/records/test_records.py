"""Stored records: what goes in comes out, bound to its owner; nothing damaged is ever read."""

from collections.abc import Callable
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targeting.model import Gender
from targeting.places.iso3166 import COUNTRIES
from targeting.records.envelope import PREFIX, RecordUnreadable, seal
from targeting.records.preference import (
    MAX_HISTORY,
    Choice,
    Preference,
    PreferenceChange,
    Source,
    decode_preference,
    encode_preference,
    read_stored_choice,
)
from targeting.records.profile import (
    DESTINATION,
    EXPOSURE,
    INTEREST,
    MAX_DESTINATIONS,
    MAX_EXPOSURES,
    MAX_INTERESTS,
    NOTHING_KNOWN,
    OUTSIDE_CODE,
    SCORE_STEPS,
    HeldDestination,
    HeldExposure,
    HeldInterest,
    Profile,
    SegmentKind,
    decode_profile,
    encode_profile,
    read_profile,
    write_profile,
)

OWNERS = st.binary(min_size=16, max_size=16)
SECONDS = st.integers(0, 2**32 - 1)
COUNTRY = st.sampled_from(["", *COUNTRIES])
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
SEGMENTS = st.one_of(st.integers(1, 1679).map(str), NAMES)

CHANGES = st.builds(
    PreferenceChange,
    st.integers(0, 2**32 - 1),
    st.sampled_from(Choice),
    st.sampled_from(Source),
    st.integers(0, 2**63),
    st.binary(min_size=8, max_size=8),
    st.sampled_from(["", "support-desk", "internal:pages"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=64),
)
PREFERENCES = st.builds(
    Preference,
    choice=st.sampled_from(Choice),
    source=st.sampled_from(Source),
    changed_at_ms=st.integers(0, 2**63),
    version=st.integers(0, 2**32 - 1),
    country=COUNTRY,
    language=st.sampled_from(["", "en", "zh-Hant-TW"]),
    birth_day=st.none() | st.integers(-40_000, 40_000),
    history=st.lists(CHANGES, max_size=MAX_HISTORY).map(tuple),
    expires_s=SECONDS,
)
PROFILES = st.builds(
    Profile,
    gender=st.sampled_from(Gender),
    occupation=NAMES | st.just(""),
    postal_code=st.sampled_from(["", "98052", "SW1A 1AA"]),
    country=COUNTRY,
    language=st.sampled_from(["", "en-GB"]),
    interests=st.lists(
        st.builds(
            HeldInterest,
            SEGMENTS,
            st.sampled_from(SegmentKind),
            st.integers(0, SCORE_STEPS).map(lambda steps: steps / SCORE_STEPS),
            SECONDS,
        ),
        max_size=MAX_INTERESTS,
    ).map(tuple),
    destinations=st.lists(
        st.builds(HeldDestination, st.sampled_from(list(COUNTRIES)), st.floats(0, 1e6, width=32), SECONDS),
        max_size=MAX_DESTINATIONS,
    ).map(tuple),
    exposures=st.lists(
        st.builds(HeldExposure, NAMES, st.integers(0, 65_535), st.integers(0, 65_535), SECONDS), max_size=MAX_EXPOSURES
    ).map(tuple),
    version=st.integers(0, 2**32 - 1),
    created_s=SECONDS,
    updated_s=SECONDS,
)


@given(PREFERENCES, OWNERS)
def test_a_preference_comes_back_as_it_was(preference: Preference, owner: bytes) -> None:
    value = encode_preference(preference, owner)
    assert decode_preference(value, owner) == preference
    standing = read_stored_choice(value, owner)
    assert standing == (preference.choice, preference.birth_day, preference.country, preference.language)


ORIGINS = Preference(
    choice=Choice.OPT_OUT,
    source=Source.SUPPORT,
    changed_at_ms=1_780_000_000_000,
    version=2,
    history=(
        PreferenceChange(
            2, Choice.OPT_OUT, Source.SUPPORT, 1_780_000_000_000, b"8 bytes.", "support-desk", "CASE-4711"
        ),
        PreferenceChange(1, Choice.OPT_IN, Source.ACCOUNT_PAGE, 1_700_000_000_000, b"8 before"),
    ),
)


FORM_BEFORE = (
    "615001000000000000000000fa54be0107000202000000008844709e010000000000800000020000000107008844709e01000038"
    "2062797465732e0100000002010068e5cf8b01000038206265666f7265"
)
"""As version 0.2.0 writes it."""
FORM_WITH_ORIGINS = (
    "6150020000000000000000f4f270bf0107000202000000008844709e010000000000800000020000000107008844709e01000038"
    "2062797465732e0100000002010068e5cf8b01000038206265666f7265000000000c000900737570706f72742d6465736b434153"
    "452d3437313100000000"
)


def test_a_record_holds_the_newest_32_changes() -> None:
    changes = tuple(PreferenceChange(number, Choice.OPT_OUT, Source.GPC, 1, bytes(8)) for number in range(40, 0, -1))
    held = decode_preference(encode_preference(Preference(history=changes), bytes(16)), bytes(16))
    assert [change.version for change in held.history] == list(range(40, 8, -1))


def without_origins(preference: Preference) -> Preference:
    return preference._replace(history=tuple(change._replace(actor="", ticket="") for change in preference.history))


def test_a_record_without_origins_has_the_form_of_the_version_before() -> None:
    value = encode_preference(without_origins(ORIGINS), bytes(16))
    assert value == bytes.fromhex(FORM_BEFORE)
    assert decode_preference(value, bytes(16)) == without_origins(ORIGINS)


def test_the_form_of_a_record_with_origins_stays() -> None:
    """It is stored: a later version has to read it."""
    assert encode_preference(ORIGINS, bytes(16)) == bytes.fromhex(FORM_WITH_ORIGINS)


@pytest.mark.parametrize("cut", [1, 9, 12, 20, 25, 27, 29])
def test_a_well_sealed_record_whose_origins_are_cut_off_is_not_read(cut: int) -> None:
    body = encode_preference(ORIGINS, bytes(16))[PREFIX.size : -cut]
    with pytest.raises(RecordUnreadable, match="cannot read"):
        decode_preference(seal(b"aP", 2, bytes(16), body), bytes(16))


def test_a_well_sealed_record_with_something_behind_its_origins_is_not_read() -> None:
    body = encode_preference(ORIGINS, bytes(16))[PREFIX.size :]
    with pytest.raises(RecordUnreadable, match="cannot read"):
        decode_preference(seal(b"aP", 2, bytes(16), body + b"x"), bytes(16))


@given(PROFILES, OWNERS)
def test_a_profile_comes_back_as_it_was(profile: Profile, owner: bytes) -> None:
    assert decode_profile(encode_profile(profile, owner), owner) == profile


READERS: list[tuple[str, bytes, Callable[[bytes, bytes], object]]] = [
    ("preference", encode_preference(Preference(language="en"), bytes(16)), read_stored_choice),
    ("profile", encode_profile(Profile(occupation="baker"), bytes(16)), read_profile),
]


@pytest.mark.parametrize(("value", "read"), [row[1:] for row in READERS], ids=[row[0] for row in READERS])
class TestDamage:
    @given(data=st.data())
    def test_no_flipped_bit_is_read(
        self, value: bytes, read: Callable[[bytes, bytes], object], data: st.DataObject
    ) -> None:
        bit = data.draw(st.integers(0, len(value) * 8 - 1))
        damaged = bytearray(value)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(RecordUnreadable):
            read(bytes(damaged), bytes(16))

    @given(data=st.data())
    def test_no_truncated_record_is_read(
        self, value: bytes, read: Callable[[bytes, bytes], object], data: st.DataObject
    ) -> None:
        with pytest.raises(RecordUnreadable):
            read(value[: data.draw(st.integers(0, len(value) - 1))], bytes(16))

    @given(owner=OWNERS.filter(lambda owner: owner != bytes(16)))
    def test_no_record_of_another_person_is_read(
        self, value: bytes, read: Callable[[bytes, bytes], object], owner: bytes
    ) -> None:
        with pytest.raises(RecordUnreadable):
            read(value, owner)

    @given(junk=st.binary(max_size=200))
    def test_junk_is_not_read(self, value: bytes, read: Callable[[bytes, bytes], object], junk: bytes) -> None:
        with pytest.raises(RecordUnreadable):
            read(junk, bytes(16))


def test_a_record_of_another_kind_is_not_read() -> None:
    with pytest.raises(RecordUnreadable, match="another kind"):
        read_stored_choice(READERS[1][1], bytes(16))


def test_a_well_sealed_record_with_too_few_names_or_changes_is_not_read() -> None:
    one_ad = encode_profile(Profile(exposures=(HeldExposure("ad", 1, 0, 0),)), bytes(16))
    with pytest.raises(RecordUnreadable, match="cannot read"):
        read_profile(seal(b"aF", 1, bytes(16), one_ad[PREFIX.size : -3]), bytes(16))
    one_change = encode_preference(
        Preference(history=(PreferenceChange(1, Choice.OPT_IN, Source.GPC, 1, bytes(8)),)), bytes(16)
    )
    with pytest.raises(RecordUnreadable, match="truncated"):
        decode_preference(seal(b"aP", 1, bytes(16), one_change[PREFIX.size : -1]), bytes(16))


EMPTY = bytes(16)
PREFERENCE_BODY = encode_preference(Preference(language="en"), EMPTY)[PREFIX.size :]
PROFILE_BODY = encode_profile(
    Profile(interests=(HeldInterest("300", SegmentKind.CONTENT, 0.5, 1),), language="en"), EMPTY
)[PREFIX.size :]
NAMED_BODY = encode_profile(Profile(interests=(HeldInterest("zz", SegmentKind.EXTERNAL, 0.5, 1),)), EMPTY)[
    PREFIX.size :
]


def _at(body: bytes, place: int, value: int) -> bytes:
    return body[:place] + bytes([value]) + body[place + 1 :]


def _of(**rows: Any) -> bytes:
    """Return the body of a profile that has only these rows."""
    return write_profile(NOTHING_KNOWN._replace(**rows), EMPTY)[PREFIX.size :]


UNKNOWN: dict[str, tuple[bytes, bytes, Callable[[bytes, bytes], object]]] = {
    "an empty preference": (b"aP", b"", read_stored_choice),
    "an empty preference, whole": (b"aP", b"", decode_preference),
    "a language that is no ASCII": (b"aP", PREFERENCE_BODY.replace(b"en", b"\xc3\xa9"), read_stored_choice),
    "a choice of a newer version": (b"aP", _at(PREFERENCE_BODY, 0, 9), decode_preference),
    "a source of a newer version": (b"aP", _at(PREFERENCE_BODY, 1, 200), decode_preference),
    "an empty profile": (b"aF", b"", read_profile),
    "a gender of a newer version": (b"aF", _at(PROFILE_BODY, 0, 200), read_profile),
    "a text that is no UTF-8": (b"aF", PROFILE_BODY.replace(b"en", b"\xff\xff"), read_profile),
    "an interest under a name that is not there": (b"aF", NAMED_BODY[:-3], decode_profile),
    "more interests than there are": (b"aF", _at(PROFILE_BODY, 1, 200), read_profile),
    "a code beyond the taxonomy": (b"aF", _of(interest_rows=INTEREST.pack(OUTSIDE_CODE - 1, 1, 9, 1)), read_profile),
    "a name beyond its own": (b"aF", _of(interest_rows=INTEREST.pack(OUTSIDE_CODE + 1, 1, 9, 1)), read_profile),
    "a kind of a newer version": (b"aF", _of(interest_rows=INTEREST.pack(300, 1, 9, 4)), read_profile),
    "a weight of NaN": (b"aF", _of(destination_rows=DESTINATION.pack(b"DE", nan, 1)), read_profile),
    "an infinite weight": (b"aF", _of(destination_rows=DESTINATION.pack(b"DE", inf, 1)), read_profile),
    "a weight below zero": (b"aF", _of(destination_rows=DESTINATION.pack(b"DE", -1.0, 1)), read_profile),
    "a country that is not ASCII": (b"aF", _of(destination_rows=DESTINATION.pack(b"D\xc4", 1.0, 1)), read_profile),
    "an ad id that is not UTF-8": (b"aF", _of(exposure_rows=EXPOSURE.pack(1, 0, 1), ad_ids=[b"\xff"]), read_profile),
}


@pytest.mark.parametrize(("kind", "body", "read"), UNKNOWN.values(), ids=UNKNOWN)
def test_a_well_sealed_record_of_a_newer_version_is_unreadable_and_no_fault(
    kind: bytes, body: bytes, read: Callable[[bytes, bytes], object]
) -> None:
    with pytest.raises(RecordUnreadable):
        read(seal(kind, 1, EMPTY, body), EMPTY)


@given(st.binary(max_size=120), OWNERS)
def test_whatever_was_sealed_it_is_read_or_unreadable(body: bytes, owner: bytes) -> None:
    for kind, read in (
        (b"aP", read_stored_choice),
        (b"aP", decode_preference),
        (b"aF", read_profile),
        (b"aF", decode_profile),
    ):
        try:
            read(seal(kind, 1, owner, body), owner)
        except RecordUnreadable:
            continue


def test_a_profile_of_32_interests_stays_small() -> None:
    profile = Profile(
        gender=Gender.FEMALE,
        interests=tuple(HeldInterest(str(code), SegmentKind.CONTENT, 0.5, 1) for code in range(300, 332)),
    )
    assert len(encode_profile(profile, bytes(16))) < 350
