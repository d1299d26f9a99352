"""Countries and languages in one spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targeting.places.iso3166 import COUNTRIES
from targeting.places.locale import MAX_HEADER_LENGTH, MAX_LANGUAGES, best_language, parse_country, parse_place

ANYTHING = st.text(st.characters(codec=None), max_size=64)


def test_the_table_holds_every_assigned_country_and_kosovo() -> None:
    assert len(COUNTRIES) == 250
    assert len(set(COUNTRIES.values())) == 250
    assert all(len(code) == 2 and len(long) == 3 for code, long in COUNTRIES.items())
    assert COUNTRIES["XK"] == "XKX"


@pytest.mark.parametrize(("code", "long"), COUNTRIES.items())
def test_a_country_is_read_from_either_code_in_any_case(code: str, long: str) -> None:
    spellings = (code, code.lower(), long, long.lower(), long.title())
    assert {parse_country(text) for text in spellings} == {code}


@pytest.mark.parametrize(("text", "code"), [("UK", "GB"), ("uk", "GB"), ("EL", "GR"), ("el", "GR")])
def test_the_codes_of_the_european_union_are_read(text: str, code: str) -> None:
    assert parse_country(text) == code


@pytest.mark.parametrize(
    "text",
    [
        *["G", "EU", "ZZ", "AN", "SU", "AP", "UKR-", "GBRX", "826", "DEUTSCHLAND"],
        pytest.param("", id="empty"),
        pytest.param(" GB", id="leading-space"),
        pytest.param("GB\n", id="line-break"),
        pytest.param("\0\0", id="zero-bytes"),
        pytest.param("e\u017f", id="long-s-is-no-s"),
        pytest.param("\u0130T", id="dotted-i-is-no-i"),
        pytest.param("\uff27\uff22", id="full-width"),
        pytest.param("\ud800", id="lone-surrogate"),
        pytest.param("X" * 1_000_000, id="a-million-letters"),
    ],
)
def test_anything_else_is_no_country(text: str) -> None:
    assert parse_country(text) is None


@given(ANYTHING)
def test_a_country_is_always_one_of_the_table(text: str) -> None:
    assert (parse_country(text) or "GB") in COUNTRIES


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("en", "en"),
        ("EN", "en"),
        ("pt-br", "pt-BR"),
        ("zh-hant-tw", "zh-Hant-TW"),
        ("SR-LATN", "sr-Latn"),
        ("es-419", "es-419"),
        ("gsw-CH", "gsw-CH"),
        pytest.param("en_US", "en-US", id="underscore"),
        pytest.param("zh_Hans_CN", "zh-Hans-CN", id="underscores"),
        pytest.param("en-uk", "en-GB", id="european-union-alias"),
        pytest.param("sq-xk", "sq-XK", id="kosovo"),
        pytest.param("en-zz", "en", id="no-such-country"),
        pytest.param("zh-yue-HK", "zh-HK", id="extended-language"),
        pytest.param("de-DE-1996", "de-DE", id="variant"),
        pytest.param("th-TH-u-nu-thai", "th-TH", id="extension"),
        pytest.param("en-GB-x-user4711", "en-GB", id="private-use"),
    ],
)
def test_a_language_is_written_canonically(tag: str, language: str) -> None:
    assert best_language(tag, "") == language
    assert best_language("", tag) == language


@pytest.mark.parametrize(
    "tag",
    [
        *["e", "-", "en-", "-en", "en--GB", "english", "x-private", "i-klingon", "1a", "*", "C"],
        *["und", "mul", "zxx", "mis", "en-GB;", "en-toolongsubtag", "en_US.UTF-8"],
        pytest.param("", id="empty"),
        pytest.param("en GB", id="space"),
        pytest.param("en\n", id="line-break"),
        pytest.param("\0", id="zero-byte"),
        pytest.param("d\u017f", id="long-s-is-no-s"),
        pytest.param("\ud800", id="lone-surrogate"),
        pytest.param("en" + "-abc12345" * 8, id="too-long"),
        pytest.param("en" * 1_000_000, id="far-too-long"),
    ],
)
def test_what_is_no_tag_is_no_language(tag: str) -> None:
    assert best_language(tag, "") == ""
    assert best_language(tag, "fr") == "fr"


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("iw", "he"),
        ("iw-IL", "he-IL"),
        ("IW_il", "he-IL"),
        ("in-ID", "id-ID"),
        ("ji", "yi"),
        ("jw", "jv"),
        ("mo-MD", "ro-MD"),
        ("iw-Hebr-IL", "he-Hebr-IL"),
        ("it", "it"),
    ],
)
def test_a_deprecated_language_becomes_the_preferred_one(tag: str, language: str) -> None:
    assert best_language(tag, "") == best_language("", f"{tag},fr;q=0.1") == language


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("US", "US"),
        ("usa", "US"),
        ("UK", "GB"),
        ("EU", "EU"),
        ("eu", "EU"),
        *((code, "") for code in ("", "XX", "ZZ", "T1", "A1", "A2", "O1", "AP", "xx", "t1")),
        *((text, None) for text in ("EUR", "XXX", "EU ", "T2", "\uff25\uff35", "Europe", "\ud800", "99")),
    ],
)
def test_places(text: str, place: str | None) -> None:
    assert parse_place(text) == place
    assert parse_country(text) == (None if place in {"EU", ""} else place)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        pytest.param("de", "de", id="one"),
        pytest.param("en-GB,en;q=0.9,de;q=0.8", "en-GB", id="browser"),
        pytest.param("en;q=0.8, fr;q=0.9", "fr", id="highest-weight"),
        pytest.param("en;q=0.8,fr;q=0.8", "en", id="tie-goes-to-the-first"),
        pytest.param("en;q=0.9,fr", "fr", id="no-weight-is-1"),
        pytest.param("en;q=0.999,fr;q=1.000", "fr", id="three-decimals"),
        pytest.param("en;Q=0.1,fr;Q=0.2", "fr", id="odd-case-of-q"),
        pytest.param("en ; q=0.1\t,\tfr ; q=0.2 ", "fr", id="white-space"),
        pytest.param(",, ,fr,", "fr", id="empty-elements"),
        pytest.param("en;q=0", "", id="zero-excludes"),
        pytest.param("en;q=0.000,fr;q=0.001", "fr", id="zero-with-decimals-excludes"),
        pytest.param("en;q=0.,fr;q=0.1", "fr", id="zero-with-a-point-excludes"),
        pytest.param("*", "", id="any"),
        pytest.param("*;q=1,fr;q=0.1", "fr", id="any-is-passed-over"),
        pytest.param("en;q=2,en;q=-1,en;q=.5,en;q=1.001,en;q=0.1234,en;q=,en;x=1,fr;q=0.1", "fr", id="no-weights"),
        pytest.param("en;q=0.5;q=0.9,fr;q=0.1", "fr", id="two-weights"),
        pytest.param("en;q=\u0661,fr;q=0.1", "fr", id="digits-of-another-script"),
        pytest.param("\ud800,\u017fv,sv;q=0.2", "sv", id="not-ascii"),
        pytest.param("en\r\nfr", "", id="line-break"),
    ],
)
def test_the_best_accepted_language_wins(header: str, language: str) -> None:
    assert best_language("", header) == language


def test_the_setting_of_the_person_comes_first() -> None:
    assert best_language("nl", "de,en;q=0.5") == "nl"


def test_a_long_header_is_read_up_to_its_last_whole_element() -> None:
    header = "fr;q=0.1,zh-Hant"
    padded = "x" * (MAX_HEADER_LENGTH - len(header)) + "," + header
    assert len(padded) == MAX_HEADER_LENGTH + 1
    assert best_language("", padded) == "fr"
    assert best_language("", "e" * MAX_HEADER_LENGTH * 1000) == ""


def test_only_so_many_languages_are_looked_at() -> None:
    junk = "-," * (MAX_LANGUAGES - 1)
    assert best_language("", junk + "fr") == "fr"
    assert best_language("", junk + "-,fr") == ""


PIECES = st.sampled_from(["en", "de-AT", "*", ";q=0", ";q=1", ",", " ", "\ud800"])


@given(ANYTHING, ANYTHING | st.lists(PIECES).map("".join))
def test_the_result_is_stable_whatever_comes_in(client: str, header: str) -> None:
    language = best_language(client, header)
    assert best_language(language, "") == language
