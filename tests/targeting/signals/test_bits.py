"""Six bits a character: what is read, what is refused, and that nothing is read past the end."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targeting.signals.bits import MAX_LENGTH, Bits, to_bytes
from targeting.signals.unreadable import Unreadable

ALPHABET = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
TEXTS = st.text(ALPHABET, min_size=1, max_size=40)


def plain_bits(text: str) -> str:
    """The slow way: one character at a time."""
    return "".join(f"{ALPHABET.index(character):06b}" for character in text)


@given(TEXTS, st.data())
def test_any_field_is_what_the_slow_reading_gives(text: str, data: st.DataObject) -> None:
    expected, bits = plain_bits(text), Bits(text)
    start = data.draw(st.integers(0, len(expected)))
    end = data.draw(st.integers(start, len(expected)))
    assert bits.length == len(expected)
    assert bits.uint(start, end - start) == int("0" + expected[start:end], 2)
    assert [bits.bit(offset) for offset in range(bits.length)] == [bit == "1" for bit in expected]


@given(TEXTS, st.lists(st.integers(0, 40)))
def test_a_reader_reads_one_field_after_the_other(text: str, widths: list[int]) -> None:
    bits, expected = Bits(text), plain_bits(text)
    reader, position = bits.reader(), 0
    for width in widths:
        assert reader.remaining == bits.length - position
        if position + width > len(expected):
            with pytest.raises(Unreadable):
                reader.uint(width)
            return
        assert reader.uint(width) == int("0" + expected[position : position + width], 2)
        position += width
        assert reader.position == position


def test_a_reader_reads_bits_and_skips() -> None:
    reader = Bits("gA").reader(offset=0)
    assert [reader.bit(), reader.bit()] == [True, False]
    reader.skip(9)
    assert reader.bit() is False
    with pytest.raises(Unreadable):
        reader.bit()
    with pytest.raises(Unreadable):
        reader.skip(1)
    with pytest.raises(Unreadable):
        reader.skip(-1)


@pytest.mark.parametrize(("offset", "width"), [(0, 13), (12, 1), (-1, 1), (3, -1), (100, 0), (0, 10**9)])
def test_a_field_that_does_not_lie_inside_is_unreadable(offset: int, width: int) -> None:
    with pytest.raises(Unreadable):
        Bits("AB").uint(offset, width)


@pytest.mark.parametrize("offset", [-1, 12, 10**9])
def test_a_bit_that_does_not_lie_inside_is_unreadable(offset: int) -> None:
    with pytest.raises(Unreadable):
        Bits("__").bit(offset)


ILLEGAL = {
    "plus": "+",
    "slash": "/",
    "equals": "=",
    "tilde": "~",
    "bang": "!",
    "space": " ",
    "newline": "\n",
    "nul": "\0",
    "latin": "é",
    "full width": "\uff21",
    "arabic digit": "\u0663",
    "emoji": "😀",
    "lone surrogate": "\ud800",
}


@pytest.mark.parametrize("character", ILLEGAL.values(), ids=ILLEGAL)
@pytest.mark.parametrize("around", [("", ""), ("", "AAA"), ("A", "AA"), ("AAA", ""), ("AAAA", "AAAAAAA")], ids=str)
def test_a_character_outside_the_alphabet_is_unreadable(character: str, around: tuple[str, str]) -> None:
    with pytest.raises(Unreadable, match="alphabet"):
        Bits(character.join(around))


@pytest.mark.parametrize("text", [".", "A.A", "AAAA.", ".AAAA", "AA=.", "AAA."])
def test_a_segment_has_no_dot(text: str) -> None:
    with pytest.raises(Unreadable):
        Bits(text)


def test_the_message_does_not_repeat_the_text() -> None:
    with pytest.raises(Unreadable) as caught:
        Bits("secret!")
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


@given(st.text(max_size=12))
def test_exactly_the_alphabet_is_accepted(text: str) -> None:
    legal = text != "" and all(character in ALPHABET for character in text)
    try:
        to_bytes(text)
    except Unreadable:
        assert not legal
    else:
        assert legal


def test_an_empty_text_is_unreadable() -> None:
    with pytest.raises(Unreadable, match="empty"):
        Bits("")


def test_the_longest_text_is_read_and_one_character_more_is_not() -> None:
    assert MAX_LENGTH == 32_768
    assert Bits("_" * MAX_LENGTH).uint(MAX_LENGTH * 6 - 9, 9) == 0x1FF
    with pytest.raises(Unreadable, match="too long"):
        Bits("A" * (MAX_LENGTH + 1))
