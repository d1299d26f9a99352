"""What the commit script is told agrees with the codec that wrote the records."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.store.ports import Committed, StoreError, StoreUnavailable, StoreUnreachable
from server.store.redis.commit import CHOICE_AT, UNREADABLE, committed_of
from server.store.redis.connection import Reply
from server.store.redis.errors import ErrorReply
from targeting.records.envelope import RecordUnreadable
from targeting.records.preference import (
    CHOICES_THAT_ALLOW,
    Choice,
    Preference,
    Source,
    decode_preference,
    encode_preference,
)
from targeting.records.profile import read_profile

OWNER = bytes(range(16))


PREFERENCES = st.builds(
    Preference,
    choice=st.sampled_from(Choice),
    source=st.sampled_from(Source),
    changed_at_ms=st.integers(0, 2**48),
    version=st.integers(0, 2**32 - 1),
    country=st.sampled_from(["", "DE"]),
    language=st.sampled_from(["", "pt-BR"]),
    birth_day=st.none() | st.integers(-50_000, 50_000),
    history=st.just(()),
    expires_s=st.integers(0, 2**32 - 1),
)


@given(PREFERENCES)
def test_the_choice_stands_where_the_script_looks_for_it(preference: Preference) -> None:
    record = encode_preference(preference, OWNER)
    assert record[CHOICE_AT] == preference.choice
    assert decode_preference(record, OWNER).choice == preference.choice


def test_only_these_choices_let_anything_be_recorded() -> None:
    assert {Choice(each) for each in CHOICES_THAT_ALLOW} == set(Choice) - {Choice.OPT_OUT}


@pytest.mark.parametrize("read", [decode_preference, read_profile])
def test_the_core_refuses_what_stands_for_a_wrong_type(read: object) -> None:
    assert callable(read)
    with pytest.raises(RecordUnreadable):
        read(UNREADABLE, OWNER)


@pytest.mark.parametrize(
    ("answer", "committed"),
    [(0, Committed(landed=False)), (1, Committed(landed=True)), (4, Committed(landed=True, removed=3))],
)
def test_the_answer_of_the_script_is_what_became_of_the_change(answer: int, committed: Committed) -> None:
    assert committed_of(answer) == committed


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (ErrorReply("OOM command not allowed"), StoreUnavailable),
        *((answer, StoreUnreachable) for answer in (-1, None, b"OK", [1])),
    ],
    ids=str,
)
def test_no_other_answer_is_taken_for_one(answer: Reply, kind: type[StoreError]) -> None:
    with pytest.raises(kind) as caught:
        committed_of(answer)
    assert type(caught.value) is kind
