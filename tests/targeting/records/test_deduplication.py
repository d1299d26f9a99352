"""What was recorded in the last day is known again, and nothing else is."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from targeting.records.deduplication import (
    KEPT_S,
    MAX_REMEMBERED,
    NOTHING_SEEN,
    SeenActivities,
    activity_key,
    decode_seen,
    encode_seen,
)
from targeting.records.envelope import RecordUnreadable, seal

OWNER, OTHER = bytes(range(16)), bytes(16)
NOW_S = 1_780_000_000
KEYS = st.binary(min_size=8, max_size=8)


def seen_at(*times: int) -> SeenActivities:
    seen = NOTHING_SEEN
    for number, at_s in enumerate(times):
        seen = seen.remembering(number.to_bytes(8, "big"), at_s)
    return seen


def known(seen: SeenActivities) -> list[int]:
    return [int.from_bytes(seen.keys[at : at + 8], "big") for at in range(0, len(seen.keys), 8)]


@given(st.lists(KEYS, max_size=40), KEYS)
def test_it_holds_what_was_remembered_and_nothing_else(keys: list[bytes], other: bytes) -> None:
    seen = NOTHING_SEEN
    for key in keys:
        seen = seen.remembering(key, NOW_S)
    assert all(seen.holds(key) for key in keys)
    assert seen.holds(other) is (other in keys)


def test_a_key_that_lies_across_two_others_is_not_held() -> None:
    seen = NOTHING_SEEN.remembering(b"12345678", NOW_S).remembering(b"abcdefgh", NOW_S)
    assert not seen.holds(b"5678abcd")
    assert seen.remembering(b"5678abcd", NOW_S).holds(b"5678abcd")


def test_what_is_a_day_old_is_forgotten() -> None:
    seen = seen_at(NOW_S, NOW_S + 1, NOW_S + 2)
    assert known(seen.fresh(NOW_S + KEPT_S - 1)) == [0, 1, 2]
    assert known(seen.fresh(NOW_S + KEPT_S)) == [1, 2]
    assert seen.fresh(NOW_S + 2 * KEPT_S) == NOTHING_SEEN


def test_of_too_many_the_oldest_are_forgotten() -> None:
    assert known(seen_at(*([NOW_S] * (MAX_REMEMBERED + 3)))) == list(range(3, MAX_REMEMBERED + 3))


def test_a_clock_that_is_set_back_keeps_the_order() -> None:
    seen = seen_at(NOW_S, NOW_S - 500, NOW_S + 1)
    times = np.frombuffer(seen.times, "<u4").tolist()
    assert times == [NOW_S, NOW_S, NOW_S + 1]
    assert all(a <= b for a, b in pairwise(times))


@given(st.lists(st.integers(NOW_S, NOW_S + 3 * KEPT_S), max_size=20))
def test_what_goes_in_comes_out(times: list[int]) -> None:
    seen = seen_at(*times)
    assert decode_seen(encode_seen(seen, OWNER), OWNER) == seen


def test_another_owners_record_is_not_read() -> None:
    with pytest.raises(RecordUnreadable):
        decode_seen(encode_seen(seen_at(NOW_S), OWNER), OTHER)


def test_half_an_entry_is_not_read() -> None:
    with pytest.raises(RecordUnreadable):
        decode_seen(seal(b"aS", 1, OWNER, bytes(13)), OWNER)


def test_a_key_is_of_one_event() -> None:
    keys = {
        activity_key(name, kind, ad, owner)
        for name in ("a", "b", "bb")
        for kind in (5, 6)
        for ad in ("", "b", "a")
        for owner in (OWNER, OTHER)
    }
    assert len(keys) == 3 * 2 * 3 * 2
    assert all(len(key) == 8 for key in keys)
