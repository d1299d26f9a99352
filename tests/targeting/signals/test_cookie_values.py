"""The cookies that identify no account and no browser: country, encrypted registration, co-branding advertiser."""

import pytest

from targeting.signals.cookies import Cookies, read_cookies


@pytest.mark.parametrize(
    ("header", "countries", "country"),
    [
        ("CC=GB", ("GB",), "GB"),
        ("CC=gbr", ("GB",), "GB"),
        pytest.param('CC="de"', ("DE",), "DE", id="quoted"),
        pytest.param("CC=US; CC=usa; CC=US", ("US",), "US", id="the-same-three-times"),
        pytest.param("CC=US; CC=DE", ("US", "DE"), "", id="two-countries"),
        pytest.param("CC=US; CC=??", ("US", ""), "", id="one-is-unreadable"),
        pytest.param("CC=Germany", ("",), "", id="unreadable"),
        pytest.param("CC=", ("",), "", id="empty"),
        pytest.param("CC=\ud800", ("",), "", id="lone-surrogate"),
        pytest.param("cc=DE; XCC=DE; a=CC=DE", (), "", id="other-names"),
    ],
)
def test_countries(header: str, countries: tuple[str, ...], country: str) -> None:
    cookies = read_cookies(header)
    assert (cookies.countries, cookies.country) == (countries, country)
    assert cookies == Cookies(countries=countries)


@pytest.mark.parametrize(
    ("header", "naps", "nap"),
    [
        ("NAP=gAAAA==", ("gAAAA==",), "gAAAA=="),
        pytest.param("NAP=x; NAP=x", ("x",), "x", id="twice"),
        pytest.param("NAP=x; NAP=y", ("x", "y"), "", id="two-that-differ"),
        pytest.param("nap=x; SNAP=x", (), "", id="other-names"),
    ],
)
def test_encrypted_registrations(header: str, naps: tuple[str, ...], nap: str) -> None:
    cookies = read_cookies(header)
    assert (cookies.naps, cookies.nap) == (naps, nap)
    assert cookies == Cookies(naps=naps)


@pytest.mark.parametrize(
    ("header", "co_brand"),
    [
        ("MH=MSFT", "MSFT"),
        ('MH="MSFT"', "MSFT"),
        ("MH=MSFT; MH=MSFT", "MSFT"),
        ("MH=" + "x" * 64, "x" * 64),
        pytest.param("MH=" + "x" * 65, "", id="too-long"),
        pytest.param("MH=MSFT; MH=ACME", "", id="two-that-differ"),
        pytest.param("MH=", "", id="empty"),
        pytest.param("MH=a b", "", id="space-inside"),
        pytest.param("MH=a\r\nb", "", id="line-break"),
        pytest.param("MH=é", "", id="not-ascii"),
        pytest.param("MH=\x7f", "", id="control"),
        pytest.param("mh=MSFT", "", id="odd-case"),
    ],
)
def test_co_brands(header: str, co_brand: str) -> None:
    assert read_cookies(header) == Cookies(co_brand=co_brand)
