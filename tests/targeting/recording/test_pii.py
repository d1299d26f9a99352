"""What is shaped like an e-mail address or a phone number, and what only looks like it at first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targeting.recording.pii import has_invisible, is_identifying, is_identifying_prose

HARMLESS = {
    "a segment of the IAB taxonomy": "386",
    "the longest id of the taxonomy": "1679",
    "a taxonomy and a segment": "600:12345",
    "a segment of an outside source": "acxiom:auto-intender",
    "an ad with a date": "creative-20260101",
    "an ad with a written date and a size": "banner_300x250_2026-01-01",
    "an ad with a long number": "cr-138412345678",
    "an ad with zeros in front": "creative-000012345",
    "a UUID": "550e8400-e29b-41d4-a716-446655440000",
    "a number longer than any phone number": "1234567890123456",
    "a version": "v1.2.3.4",
    "a plus without digits": "c++17",
    "a percent sign": "50%-off",
    "an ampersand": "r&d",
    "a percentage that is encoded": "50%25-off",
    "a time": "2026-01-01T10:20:30",
    "a date": "2026-01-01",
    "a date and a time": "2026-01-01 12:00",
    "a UUID of digits": "12345678-1234-1234-1234-123456789012",
    "a range": "Income 50000 - 75000",
    "two numbers": "segment 1234 5678",
    "a season": "Summer (2026) 1",
    "announced, with a date": "mobile_20260101",
    "announced, with a size": "mobile-300x250-2026",
    "a file": "look-at-this.jpg",
    "words": "shop at home",
    "six digits": "123-456",
    "not ASCII": "città-vecchia",
    "digits of another script, few": "١٢٣",
    "a path": "autos/electric/2026",
    "nothing": "",
}

E_MAIL = {
    "plain": "bob@example.com",
    "with a name around": "Bob <bob@example.com>",
    "percent-encoded": "bob%40example.com",
    "percent-encoded twice": "bob%2540example.com",
    "a character reference": "bob&#64;example.com",
    "a named character reference": "bob&commat;example.com",
    "with spaces": "bob at example.com",
    "with hyphens": "bob-at-example.com",
    "with underscores": "bob_at_example.co.uk",
    "with a spelt dot": "bob at example dot com",
    "in bars": "bob|at|example.com",
    "in quotes": 'bob"at"example.com',
    "in guillemets": "bob \u00abat\u00bb example.com",
    "in ornamental brackets": "bob\u2768at\u2769example.com",
    "with an accent": "bob(\u00e4t)example.com",
    "as JavaScript": "bob\\u0040example.com",
    "as Python": "bob\\x40example.com",
    "as old JavaScript": "bob%u0040example.com",
    "quoted-printable": "bob=40example.com",
    "wrapped deeper than is looked": "bob%25252525252540example.com",
    "a full-width at-sign": "bob\uff20example.com",
    "a small at-sign": "bob\ufe6bexample.com",
    "all full-width": "\uff42\uff4f\uff42\uff20\uff45\uff58.com",
    "spelt": "bob (at) example.com",
    "spelt in brackets": "bob[AT]example.com",
    "no domain": "bob@localhost",
    "a handle": "@bob",
    "mailto": "mailto:bob@example.com",
    "inside an id": "seg-bob@example.com-2026",
}

NUMBERS = {
    "six digits": "123456",
    "seven digits": "5552671",
    "a creative": "81234567",
    "a segment": "17203344",
    "ten digits": "4155552671",
    "with an international prefix": "0041791234567",
    "fifteen digits": "123456789012345",
    "twenty digits": "12345678901234567890",
}
"""Ids as they are; in words they would be too much."""

PHONE = {
    "E.164": "+14155552671",
    "with hyphens": "415-555-2671",
    "with dots": "415.555.2671",
    "with underscores": "415_555_2671",
    "with spaces": "020 7946 0958",
    "with parentheses": "(415) 555-2671",
    "international with zeros": "0041 44 668 18 00",
    "with slashes": "030/123456-78",
    "in pairs": "06.12.34.56.78",
    "with a scheme": "tel:4155552671",
    "with a scheme and a plus": "tel:+1-415-555-2671",
    "after letters": "call-415-555-2671",
    "after letters with a plus": "abc+4155552671",
    "after letters in pairs": "fr-06.12.34.56.78",
    "after letters with spaces": "office 020 7946 0958",
    "after letters with parentheses": "home(415)5552671",
    "a plus that is encoded": "x%2B14155552671",
    "full-width digits": "\uff14\uff11\uff15\uff15\uff15\uff15\uff12\uff16\uff17\uff11",
    "Arabic-Indic digits": "\u0664\u0661\u0665\u0665\u0665\u0665\u0662\u0666\u0667\u0661",
    "with Unicode hyphens": "415\u2010555\u20102671",
    "with Unicode hyphens among letters": "ad 415\u2010555\u20102671",
    "one of its digits full-width": "415555267\uff11",
    "percent-encoded digits": "%34155552671",
    "with a blank in front": " 4155552671",
    "with en dashes": "415\u2013555\u20132671",
    "with minus signs": "415\u2212555\u22122671",
    "two numbers": "4155552671, 4155552672",
    "an IPv4 address": "192.168.100.200",
    "announced as a phone's": "phone:4155552671",
    "announced as a parameter": "msisdn=4155552671",
    "of a messenger": "https://wa.me/4155552671",
    "announced without a colon": "tel4155552671",
    "announced with a hyphen": "phone-4155552671",
    "announced with colons between": "mob:415:555:2671",
    "in quotes": '"4155552671"',
    "in brackets": "[4155552671]",
    "after a sharp": "#4155552671",
    "after a colon": ":4155552671",
    "with equals signs": "415=555=2671",
    "with stars": "415*555*2671",
    "with zeros, in one": "ad-0041791234567",
    "in pairs with hyphens": "ad-06-12-34-56-78",
    "keycap digits": "4\ufe0f\u20e31\ufe0f\u20e35\ufe0f\u20e35\ufe0f\u20e35\ufe0f\u20e35\ufe0f\u20e32\ufe0f\u20e36",
    "dingbat digits": "\u2779\u2776\u277a\u277a\u277a\u277a\u2777\u277b",
    "digits with marks": "4\u03051\u03055\u03055\u03055\u03055\u03052\u03056",
    "with zeros among letters": "ch-0041-79-123-45-67",
    "with colons": "415:555:2671",
    "with bars": "x|415|555|2671",
    "with katakana dots": "415\u30fb555\u30fb2671",
}


@pytest.mark.parametrize("text", HARMLESS.values(), ids=HARMLESS)
def test_ordinary_names_are_taken(text: str) -> None:
    assert not is_identifying(text)


@pytest.mark.parametrize("text", [*E_MAIL.values(), *PHONE.values()], ids=[*E_MAIL, *PHONE])
def test_what_is_shaped_like_an_address_or_a_number_is_not(text: str) -> None:
    assert is_identifying(text)
    assert is_identifying_prose(text)


@pytest.mark.parametrize("text", NUMBERS.values(), ids=NUMBERS)
def test_a_bare_number_is_an_id(text: str) -> None:
    assert not is_identifying(text)
    assert is_identifying_prose(text) is (len(text) > 6)


PROSE = {
    "nurse": False,
    "Ingénieure, 2e classe": False,
    "teacher (grades 1-6)": False,
    "driver of line 4711": False,
    "agent 0815 4711": True,
    "ISO 9001:2015 auditor": False,
    "Soldier 1914-1918": False,
    "id 1234567": True,
    "x1y2z3a4b5c6d7": True,
}


@pytest.mark.parametrize(("text", "identifies"), PROSE.items(), ids=PROSE)
def test_words_need_no_seven_digits(text: str, *, identifies: bool) -> None:
    assert is_identifying_prose(text) is identifies


INVISIBLE = {
    "a control": "a\x00b",
    "a line feed": "a\nb",
    "a zero-width space": "a\u200bb",
    "a soft hyphen": "a\u00adb",
    "a direction": "a\u202eb",
    "a no-break space": "a\u00a0b",
    "a private character": "a\ue000b",
    "a Hangul filler": "a\u3164b",
    "a blank of Braille": "a\u2800b",
}


@pytest.mark.parametrize("text", INVISIBLE.values(), ids=INVISIBLE)
def test_what_cannot_be_seen_is_found(text: str) -> None:
    assert has_invisible(text)


@pytest.mark.parametrize("text", ["nurse", "café au lait", "日本語", ""])
def test_what_can_be_seen_is_not(text: str) -> None:
    assert not has_invisible(text)


NAME = st.text("abcdefghijklmnopqrstuvwxyz0123456789._-", min_size=1, max_size=12)


@given(NAME, NAME, NAME)
def test_no_at_sign_gets_through(before: str, local: str, domain: str) -> None:
    assert is_identifying(f"{before} {local}@{domain}")


@given(st.integers(10**6, 10**15 - 1), st.sampled_from([" ", "-", "."]), st.integers(2, 4))
def test_no_number_gets_through_in_groups(number: int, separator: str, size: int) -> None:
    digits = str(number)
    assert is_identifying(separator.join(digits[at : at + size] for at in range(0, len(digits), size)))


@given(st.integers(10**6, 10**15 - 1), st.sampled_from(["+", "tel:", "phone ", "(0)", "%2B", "call-"]))
def test_no_number_gets_through_with_a_sign_of_a_phone(number: int, sign: str) -> None:
    assert is_identifying(f"{sign}{number}")


@given(st.integers(10**5, 10**20 - 1))
def test_every_bare_number_is_an_id(number: int) -> None:
    assert not is_identifying(str(number))


@given(st.text(max_size=60))
def test_any_text_gets_an_answer(text: str) -> None:
    is_identifying(text)
    is_identifying_prose(text)
    has_invisible(text)
