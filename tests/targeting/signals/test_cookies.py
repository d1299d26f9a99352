"""The Cookie header: what it says, and that a doubt about an opt-out is one."""

import pytest

from targeting.signals.cookies import (
    MAX_LENGTH,
    MAX_MENTIONS,
    MAX_NAPS,
    MAX_PAIRS,
    NO_COOKIES,
    Cookies,
    browser_id,
    read_cookies,
)

MUID = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
OTHER_MUID = "f" * 32
ANID = "FBB3A3B37B6DCBB1DFFA33AAFFFFFFFF"


def test_all_six_cookies_of_an_ordinary_header() -> None:
    header = f"_ga=GA1.2.3; MUID={MUID.upper()}; MUIDB={OTHER_MUID}; ANON=A={ANID}&E=1f2e&W=1; ANONCHK=0; "
    header += "TOptOut=0; CC=gb; NAP=gAAAAA_-=; MH=MSFT; session=TOptOut"
    assert read_cookies(header) == Cookies(
        muid=MUID, anon_id=ANID, countries=("GB",), naps=("gAAAAA_-=",), co_brand="MSFT"
    )


@pytest.mark.parametrize("header", ["", "a=b", "a", ";", "; ;", "=", "a=b; c=d", "\0", "\ud800", "é=ü", "x" * 8192])
def test_other_cookies_say_nothing(header: str) -> None:
    assert read_cookies(header) == NO_COOKIES


@pytest.mark.parametrize(
    "header",
    [
        "TOptOut=0",
        "a=b; TOptOut=0; c=d",
        "TOptOut=0; TOptOut=0",
        pytest.param("a=b;TOptOut=0;c=d", id="no-space"),
        pytest.param("a=b; \t TOptOut=0", id="more-space"),
        pytest.param(" TOptOut=0", id="leading-space"),
        pytest.param("TOptOutSeen=1", id="longer-name"),
        pytest.param("MyTOptOut=1; My-TOptOut=1; my.toptout=1; _TOptOut=1", id="name-with-prefix"),
        pytest.param("TOptOut-seen=1; toptout.x=1; TOptOut_=1", id="name-with-suffix"),
        pytest.param("page=TOptOut", id="in-a-value"),
        pytest.param('page="TOptOut"', id="in-a-quoted-value"),
        pytest.param("a='x'TOptOut'y'", id="between-quoted-words"),
        pytest.param('a=("toptout"b)', id="before-a-word-in-quotes"),
        pytest.param("page=/choices/toptout?TOptOut=1&toptout=1", id="in-an-address"),
        pytest.param('state={"step":1,"toptout":true}', id="key-of-json"),
        pytest.param("state=%7B%22toptout%22%3Atrue%7D%3BTOptOut%3D1", id="percent-encoded-value"),
    ],
)
def test_no_opt_out(header: str) -> None:
    assert read_cookies(header) == NO_COOKIES


@pytest.mark.parametrize(
    "header",
    [
        "TOptOut=1",
        "a=b; TOptOut=1; c=d",
        pytest.param("TOptOut=", id="empty"),
        pytest.param("TOptOut", id="no-equals"),
        pytest.param("a=b; TOptOut; c=d", id="no-equals-between"),
        pytest.param("TOptOut=00", id="two-zeros"),
        pytest.param("TOptOut=0.0", id="zero-as-a-fraction"),
        pytest.param("TOptOut=-0", id="negative-zero"),
        pytest.param("TOptOut=false", id="a-word"),
        pytest.param("TOptOut==0", id="two-equals"),
        pytest.param('TOptOut="0"', id="quoted-zero"),
        pytest.param('TOptOut="1"', id="quoted-one"),
        pytest.param("TOptOut=%30", id="percent-encoded-zero"),
        pytest.param("TOptOut=0 ; a=b", id="space-after"),
        pytest.param("TOptOut= 0", id="space-before"),
        pytest.param("TOptOut =0", id="space-in-the-name"),
        pytest.param("TOptOut=0\r\n", id="line-break-after"),
        pytest.param("TOptOut=0\0", id="zero-byte-after"),
        pytest.param("TOptOut=\uff10", id="full-width-zero"),
        pytest.param("TOptOut=\ud800", id="lone-surrogate"),
        pytest.param("TOptOut=0, a=b", id="comma-after"),
        pytest.param("toptout=0", id="lower-case"),
        pytest.param("TOPTOUT=0", id="upper-case"),
        pytest.param("TOptOut=0; TOptout=0", id="also-in-odd-case"),
        pytest.param("TOptOut=0; TOptOut=1", id="second-says-otherwise"),
        pytest.param("TOptOut=1; TOptOut=0", id="first-says-otherwise"),
        pytest.param("TOptOut=0; TOptOut", id="second-without-equals"),
        pytest.param("a=b, TOptOut=0", id="comma-before"),
        pytest.param("a=b,TOptOut=1", id="comma-and-no-space"),
        pytest.param("a=b\r\nTOptOut=1", id="line-break-before"),
        pytest.param("a=b\nCookie: TOptOut=1", id="header-in-the-header"),
        pytest.param("a=b\0TOptOut=1", id="zero-byte-before"),
        pytest.param("a=b;\x7fTOptOut=1", id="control-before"),
        pytest.param("a=b TOptOut=1", id="space-instead-of-semicolon"),
        pytest.param("a=b;TOptOut =1", id="space-in-the-name-after-a-bare-semicolon"),
        pytest.param("a=b;TOptOut =0", id="zero-with-a-space-in-the-name"),
        pytest.param("a=b;c TOptOut=1", id="after-another-name"),
        pytest.param("a=b; c TOptOut=1", id="after-another-name-and-a-space"),
        pytest.param("TOptOut=0;TOptOut =1", id="second-with-a-space-in-the-name"),
        pytest.param("TOptOut=0;c TOptOut=0", id="second-after-another-name"),
        pytest.param("TOptOut=0; a=b;TOptOut =0", id="second-after-both-separators"),
        pytest.param('"TOptOut"=1', id="quoted-name"),
        pytest.param("a=b; 'TOptOut'=1", id="name-in-single-quotes"),
        pytest.param('a="x; TOptOut=1"', id="inside-a-quoted-string"),
        pytest.param("TOptOut%3D1", id="percent-encoded-equals"),
        pytest.param("\ufeffTOptOut=1", id="byte-order-mark"),
        pytest.param("a=b;\u00a0TOptOut=1", id="no-break-space"),
        pytest.param("TOptOut\u200b=1", id="zero-width-space"),
        pytest.param("é" * 8192 + ";TOptOut=1", id="after-8-ki-characters-that-are-not-ascii"),
        pytest.param("x" * 8192 + "; TOptOut=1", id="after-8-kib-of-junk"),
        pytest.param(";" * MAX_PAIRS + "TOptOut=1", id="after-many-semicolons"),
    ],
)
def test_an_opt_out_or_a_doubt_about_one(header: str) -> None:
    assert read_cookies(header).opt_out


@pytest.mark.parametrize(
    ("header", "anon_id"),
    [
        (f"ANON=A={ANID}", ANID),
        (f"ANON=A={ANID}&O=0", ANID),
        (f"ANON=A={ANID}&E=1f2e&W=1", ANID),
        (f"ANON=A={ANID}&O=0&E=&O=0", ANID),
        (f"ANON=A={ANID}; ANON=A={ANID}", ANID),
        (f"ANONCHK=1; anonymous=1; canon=1; x=ANON; ANON=A={ANID}", ANID),
        ("ANONCHK=1", ""),
        ('user={"anon":true,"b":"anon"}', ""),
    ],
)
def test_an_account_that_is_not_opted_out(header: str, anon_id: str) -> None:
    assert read_cookies(header) == Cookies(anon_id=anon_id)


def test_the_longest_anon_cookie() -> None:
    longest = f"A={ANID}&B=".ljust(512, "1")
    assert read_cookies(f"ANON={longest}") == Cookies(anon_id=ANID)
    assert read_cookies(f"ANON={longest}1") == Cookies(anon_opt_out=True)


@pytest.mark.parametrize(
    "value",
    [
        f"A={ANID}&O=1",
        f"A={ANID}&E=1f2e&O=1&W=1",
        pytest.param(f"A={ANID}&O=2", id="another-value"),
        pytest.param(f"A={ANID}&O=", id="empty"),
        pytest.param(f"A={ANID}&O", id="no-equals"),
        pytest.param(f"A={ANID}&O=00", id="two-zeros"),
        pytest.param(f"A={ANID}&O=0 ", id="space-after"),
        pytest.param(f"A={ANID}&o=0", id="odd-case"),
        pytest.param(f"A={ANID}&O=0&O=1", id="twice"),
        pytest.param(f"A={ANID}&OX=0", id="longer-key"),
        pytest.param(f"A={ANID}&amp;O=1", id="html-escape"),
        pytest.param(f"A={ANID}%26O%3D1", id="percent-encoded"),
        pytest.param(f'"A={ANID}"', id="quoted"),
        pytest.param(f"A={ANID}&A={ANID}", id="id-twice"),
        pytest.param(f"A={ANID}&", id="trailing-ampersand"),
        pytest.param(f"O=0&A={ANID}", id="id-not-first"),
        pytest.param(f"a={ANID}", id="id-in-odd-case"),
        pytest.param(f" A={ANID}", id="space-before"),
        pytest.param(f"A={ANID}\r\n", id="line-break"),
        pytest.param(f"A={ANID}\0", id="zero-byte"),
        pytest.param("A=é", id="not-ascii"),
        pytest.param("A=\ud800", id="lone-surrogate"),
        pytest.param("A=" + "x" * 129, id="long-id"),
        pytest.param(f"A={ANID}" + "&B=1" * 200, id="long-value"),
        *["", "A", "A=", "A=&E=1", "&", "=", ANID],
    ],
)
def test_an_account_that_is_opted_out_or_in_doubt(value: str) -> None:
    assert read_cookies(f"ANON={value}") == Cookies(anon_opt_out=True)
    assert read_cookies(f"ANON=A={ANID}; ANON={value}") == Cookies(anon_opt_out=True)


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(f"ANON=A={ANID}; ANON=A={OTHER_MUID}", id="two-accounts"),
        pytest.param(f"anon=A={ANID}", id="odd-case"),
        pytest.param(f"ANON=A={ANID}; Anon=A={ANID}", id="also-in-odd-case"),
        pytest.param(f"a=b, ANON=A={ANID}", id="odd-place"),
        pytest.param("ANON", id="no-equals"),
        pytest.param("a=b; ANON; c=d", id="no-equals-between"),
        pytest.param(f"a=b;ANON =A={ANID}", id="space-in-the-name"),
        pytest.param(f"a=b;c ANON=A={ANID}", id="after-another-name"),
        pytest.param(f"ANON=A={ANID};ANON =A={ANID}", id="second-with-a-space-in-the-name"),
    ],
)
def test_an_account_in_an_odd_place_is_in_doubt(header: str) -> None:
    assert read_cookies(header) == Cookies(anon_opt_out=True)


@pytest.mark.parametrize(
    "header",
    [
        f"MUID={MUID}",
        f"MUID={MUID.upper()}",
        pytest.param(f"MUID={MUID}; MUID={MUID}", id="twice"),
        pytest.param(f'MUID="{MUID}"', id="quoted"),
        pytest.param(f"MUID= {MUID} ; a=b", id="white-space"),
        pytest.param(f"MUIDB={OTHER_MUID}; SMUID={OTHER_MUID}; MUID={MUID}", id="beside-similar-names"),
    ],
)
def test_a_browser_with_an_id(header: str) -> None:
    assert read_cookies(header) == Cookies(muid=MUID)


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(f"MUID={MUID}; MUID={OTHER_MUID}", id="two-ids"),
        pytest.param(f"MUID={MUID}; MUID=", id="one-is-empty"),
        pytest.param("MUID=", id="empty"),
        pytest.param("MUID", id="no-equals"),
        pytest.param(f"MUID={MUID[1:]}", id="31-digits"),
        pytest.param(f"MUID={MUID}0", id="33-digits"),
        pytest.param(f"MUID={MUID[1:]}g", id="no-digit"),
        pytest.param(f"MUID={MUID[1:]}\uff11", id="full-width-digit"),
        pytest.param(f"MUID={{{MUID}}}", id="braces"),
        pytest.param(f"MUID={MUID}\r\n", id="line-break"),
        pytest.param(f"muid={MUID}", id="odd-case"),
        pytest.param(f"a=b, MUID={MUID}", id="odd-place"),
        pytest.param(f"a=b;MUID ={MUID}", id="space-in-the-name"),
        pytest.param(f"a=b;c MUID={MUID}", id="after-another-name"),
        pytest.param(f"MUID={MUID}; x=1, MUID={OTHER_MUID}", id="also-in-an-odd-place"),
    ],
)
def test_a_browser_whose_id_is_in_doubt(header: str) -> None:
    assert read_cookies(header) == Cookies(device_doubt=True)


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("x" * (MAX_LENGTH + 1), id="too-long"),
        pytest.param("a;" * MAX_PAIRS + "a" * 4096 + ";", id="too-many-cookies"),
        pytest.param("; ".join(f"NAP={number}" for number in range(MAX_NAPS + 1)), id="too-many-registrations"),
    ],
)
def test_a_header_over_the_limits_is_in_doubt_as_a_whole(header: str) -> None:
    assert read_cookies(header) == Cookies(opt_out=True, anon_opt_out=True, device_doubt=True)


@pytest.mark.parametrize(
    ("header", "cookies"),
    [
        pytest.param("x" * MAX_LENGTH, NO_COOKIES, id="longest"),
        pytest.param("a;" * MAX_PAIRS + "a" * 4096, NO_COOKIES, id="most-cookies"),
        pytest.param("MUID;" + "muid." * (MAX_MENTIONS + 1), Cookies(device_doubt=True), id="parts-of-words"),
        pytest.param("TOptOut=0;" * MAX_MENTIONS, NO_COOKIES, id="most-mentions"),
        pytest.param("TOptOut=0;" * (MAX_MENTIONS + 1), Cookies(opt_out=True), id="too-many-mentions"),
        pytest.param("a/muid?" * (MAX_MENTIONS + 1), NO_COOKIES, id="in-addresses"),
        pytest.param("a/muid?," * (MAX_MENTIONS + 1), Cookies(device_doubt=True), id="too-many-to-tell"),
    ],
)
def test_limits(header: str, cookies: Cookies) -> None:
    assert read_cookies(header) == cookies


def test_a_repr_shows_nothing_of_the_person() -> None:
    text = repr(read_cookies(f"MUID={MUID}; ANON=A={ANID}; CC=GB; NAP=secret; MH=MSFT; TOptOut=1"))
    assert text == "Cookies(opt_out=True, anon_opt_out=False)"


@pytest.mark.parametrize("other", ["Device-1", "A" * 31, "A" * 33, "G" * 32, f"{'A' * 32} ", ""])
def test_only_the_form_of_a_muid_has_no_case(other: str) -> None:
    assert browser_id("0123456789ABCDEF" * 2) == "0123456789abcdef" * 2
    assert browser_id(other) == other


@pytest.mark.parametrize("zeros", ["0" * 32, f'"{"0" * 32}"'])
def test_a_browser_id_of_zeros_names_no_browser(zeros: str) -> None:
    cookies = read_cookies(f"MUID={zeros}")
    assert (cookies.muid, cookies.device_doubt) == ("", False)
    assert read_cookies(f"MUID={'0' * 31}1").muid == "0" * 31 + "1"
