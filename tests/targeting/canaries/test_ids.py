"""The ids of canaries: forms that every place takes, and that no other id has."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targeting.canaries.ids import NO_CANARY_IDS, CanaryIds
from targeting.canaries.people import CANARIES
from targeting.signals.cookies import browser_id, read_cookies
from targeting.subjects.identifiers import canonical, is_placeholder

IDS = CanaryIds.of(bytes(32))
ALL = [subject.id for canary in CANARIES for subject, _ in canary.subjects(IDS)]


def test_each_subject_has_an_id_of_its_own_in_the_form_of_a_browser_id() -> None:
    assert len(set(ALL)) == len(ALL) > len(CANARIES)
    for text in ALL:
        assert browser_id(text.upper()) == text == canonical(text) == read_cookies(f"MUID={text}").muid
        assert not is_placeholder(text)
        assert IDS.include(text)
        assert IDS.occur_in(f"… {text} …".encode())


def test_another_key_has_other_ids() -> None:
    others = CanaryIds.of(b"\1" * 32)
    assert not any(others.include(text) for text in ALL)
    assert others.mark_of("control") != IDS.mark_of("control") != IDS.mark_of("child")


@given(st.text())
def test_no_other_text_is_a_canarys_nor_becomes_one_as_nfc(text: str) -> None:
    assert not IDS.include(text)
    assert IDS.include(unicodedata.normalize("NFC", ALL[0] + text)), "only the beginning counts"


@pytest.mark.parametrize("text", ["", "alice", ALL[0]])
def test_without_a_key_there_are_none(text: str) -> None:
    assert not NO_CANARY_IDS.include(text)
    assert not NO_CANARY_IDS.occur_in(text.encode())


def test_the_repr_shows_nothing() -> None:
    assert repr(IDS) == "CanaryIds(***)"
