"""Pseudonyms and key names."""

import hashlib
import re
from base64 import urlsafe_b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.store.keys import Pseudonyms, seen_key
from server.store.redis.cluster.slots import slot_of
from targeting.model import Subject, SubjectKind

SECRET = b"0123456789abcdef"
PSEUDONYMS = Pseudonyms(SECRET)
IDS = st.text(st.characters(), max_size=256)
SUBJECTS = st.builds(Subject, st.sampled_from(SubjectKind), IDS)


@pytest.mark.parametrize(
    ("kind", "person"), [(SubjectKind.ACCOUNT, b"adt/account"), (SubjectKind.DEVICE, b"adt/device")], ids=str
)
def test_a_pseudonym_is_a_keyed_blake2b_of_the_id(kind: SubjectKind, person: bytes) -> None:
    expected = hashlib.blake2b("Zoë".encode(), digest_size=16, key=SECRET, person=person).digest()
    assert PSEUDONYMS.owner(Subject(kind, "Zoë")) == expected


@pytest.mark.fault(row=16)
@given(SUBJECTS)
def test_no_id_can_bend_a_key(subject: Subject) -> None:
    owner, preference, profile = PSEUDONYMS.locate(subject)
    form = rb"adt:\{%b:([A-Za-z0-9_-]{22})\}:" % subject.kind.value.encode()
    tags = [
        re.fullmatch(form + name, key)
        for name, key in ((b"pref", preference), (b"prof", profile), (b"seen", seen_key(profile)))
    ]
    assert {urlsafe_b64decode(tag[1] + b"==") for tag in tags if tag} == {owner}
    assert all(tags)
    assert owner == PSEUDONYMS.owner(subject)


HOSTILE = ["}x", "{}x", "{}", "{", "x}:pref", "a}{b", "*?[a]", "x\0y", "\r\n", "z" * 70_000]


def locate_in_clear(subject: Subject) -> tuple[bytes, bytes, bytes]:
    """Return keys that have the id itself in their hash tag."""
    stem = b"adt:{%b}:" % subject.id.encode()
    return b"", stem + b"pref", stem + b"prof"


@pytest.mark.fault(row=16)
@pytest.mark.parametrize("protected", [True, False], ids=["protected", "unprotected"])
def test_whatever_the_id_is_all_keys_of_a_subject_are_in_one_slot(protected: bool) -> None:
    locate = PSEUDONYMS.locate if protected else locate_in_clear
    located = [locate(Subject(SubjectKind.ACCOUNT, text)) for text in HOSTILE]
    slots = [{slot_of(key) for key in (preference, profile)} for _, preference, profile in located]
    assert (max(map(len, slots)) == 1) == protected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a", "b"),
        ("a", "a\0"),
        ("", "\0"),
        ("}x", "{}x"),
        ("caf\N{LATIN SMALL LETTER E WITH ACUTE}", "cafe\N{COMBINING ACUTE ACCENT}"),
        ("\ud800", "\ud801"),
        ("\ud800", "?"),
        ("x" * 70_000, "x" * 70_001),
    ],
    ids=["letters", "NUL", "only NUL", "braces", "NFC and NFD", "surrogates", "surrogate", "70 kB"],
)
def test_different_ids_are_different_people(one: str, other: str) -> None:
    owners = {PSEUDONYMS.owner(Subject(kind, text)) for kind in SubjectKind for text in (one, other)}
    assert len(owners) == 4


def test_another_secret_gives_other_pseudonyms() -> None:
    subject = Subject(SubjectKind.ACCOUNT, "anne")
    assert Pseudonyms(b"another secret of 16").owner(subject) != PSEUDONYMS.owner(subject)


@pytest.mark.parametrize("secret", [b"", b"x" * 15, b"x" * 65], ids=["none", "short", "long"])
def test_a_secret_that_protects_nothing_is_refused(secret: bytes) -> None:
    with pytest.raises(ValueError, match="16 to 64 bytes"):
        Pseudonyms(secret)


def test_the_secret_is_not_shown() -> None:
    assert repr(PSEUDONYMS) == "Pseudonyms(***)"
