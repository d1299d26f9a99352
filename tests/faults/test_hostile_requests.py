"""Hostile cookies, addresses and consent strings, through a running service: always answered, and a doubt limits."""

import re
from collections.abc import Iterator
from http.cookies import CookieError, SimpleCookie

import pytest
from adtargeting.v1 import targeting_pb2 as pb

from server.geo import country_table
from targeting import consent, decision
from targeting.places import geo
from targeting.signals import us_privacy
from targeting.signals.cookies import Cookies
from targeting.signals.tcf import restrictions
from targeting.signals.tcf.read import TcConsent, read_tc_string
from targeting.signals.unreadable import Unreadable
from targeting.signals.us_privacy import UsPrivacy
from tests.faults.known_person import VENDOR, KnownPerson, known_person
from tests.faults.matrix.marks import Figure
from tests.targeting.signals.tcf.tcf_encoder import BitField, Restriction, Tc, Vendors

PROTECTED = pytest.mark.parametrize("protected", [True, False], ids=["protected", "unprotected"])


@pytest.fixture(scope="module")
def alice(tmp_path_factory: pytest.TempPathFactory, store_url: str) -> Iterator[KnownPerson]:
    with known_person(tmp_path_factory.mktemp("service"), redis_url=store_url) as person:
        yield person


OPT_OUTS = [
    *("TOptOut=1", "TOptOut", "TOptOut=", "TOptOut=00", "TOptOut=-0", "TOptOut==0", 'TOptOut="0"', "TOptOut=%30"),
    *("TOptOut= 0", "TOptOut =0", "TOptOut=0\r\n", "TOptOut=0\0", "TOptOut=\uff10", "TOptOut=0, a=b", "toptout=0"),
    *("TOptOut=0; TOptOut=1", "TOptOut=1; TOptOut=0", "TOptOut=0; TOptOut", "a=b, TOptOut=1", "a=b\r\nTOptOut=1"),
    *("a=b\nCookie: TOptOut=1", "a=b\0TOptOut=1", "a=b TOptOut=1", "a=b;TOptOut =1", "a=b;c TOptOut=1"),
    *('"TOptOut"=1', 'a="x; TOptOut=1"', "TOptOut%3D1", "\ufeffTOptOut=1", "a=b;\u00a0TOptOut=1", "TOptOut\u200b=1"),
    *("x" * 8192 + "; TOptOut=1", "é" * 8192 + ";TOptOut=1", ";" * 512 + "TOptOut=1", "a=b; " * 100 + "toptout"),
]
"""Forms in which a browser, a proxy or an attacker may send the cookie of the opt-out."""


def by_the_standard_library(header: str) -> Cookies:
    """Read the header as most services do: what cannot be read says nothing."""
    try:
        cookie = SimpleCookie(header).get("TOptOut")
    except CookieError:
        return Cookies()
    return Cookies(opt_out=cookie is not None and cookie.value == "1")


@pytest.mark.fault(row=14)
@PROTECTED
def test_any_doubt_about_an_opt_out_in_a_cookie_limits(
    alice: KnownPerson, monkeypatch: pytest.MonkeyPatch, figure: Figure, protected: bool
) -> None:
    if not protected:
        monkeypatch.setattr(decision, "read_cookies", by_the_standard_library)
    lifted = [header for header in OPT_OUTS if alice.is_behavioural(cookie_header=header)]
    figure(f"{len(lifted)} of {len(OPT_OUTS)} hostile cookie headers lifted the limit")
    assert (lifted == []) == protected


MAPPED = "::ffff:8.8.8.8"
"""The same address as 8.8.8.8 (RFC 4291, section 2.5.5.2)."""
ADDRESSES = [
    *("fe80::1%eth0", "::1%" + "z" * 1000, "010.008.8.8", "8.8.8.8:443", "[::1]:80", "10.0.0.1"),
    *(
        "127.0.0.1",
        "0.0.0.0",
        "::",
        "256.1.1.1",
        "8.8.8",
        "8.8.8.8.8",
        "0x8.8.8.8",
        "\u0668.8.8.8",
        "8.8.8.8\r\n",
        "\0",
    ),
    *("8.8.8.8, 9.9.9.9", "1" * 50_000, ":" * 50_000, "::ffff:999.1.1.1", "\ufeff8.8.8.8", "", " 8.8.8.8 "),
]


def as_far_as_it_makes_sense(text: str) -> bytes | None:
    """Read an address as many services do: the first thing in the text that looks like one."""
    found = re.search(r"\d{1,3}(\.\d{1,3}){3}", text)
    return geo.parse_ip(".".join(str(int(part)) for part in found[0].split("."))) if found else None


@pytest.mark.fault(row=14)
@pytest.mark.fault(row=19)
@PROTECTED
def test_any_address_is_answered_and_a_doubt_about_it_limits(
    alice: KnownPerson, monkeypatch: pytest.MonkeyPatch, figure: Figure, protected: bool
) -> None:
    """An address that cannot be read is in no country, so the strictest rules apply."""
    if not protected:
        monkeypatch.setattr(country_table, "parse_ip", as_far_as_it_makes_sense)
    answers = [alice.decide(ip=address, request_id=str(n)) for n, address in enumerate(ADDRESSES)]
    assert [answer.request_id for answer in answers] == [str(n) for n in range(len(ADDRESSES))]
    lifted = [address for address, answer in zip(ADDRESSES, answers, strict=True) if answer.mode != pb.MODE_LIMITED]
    figure(f"{len(answers)} hostile addresses answered, {len(lifted)} of them taken for one in a country")
    assert (lifted == []) == protected
    assert alice.is_behavioural(ip=MAPPED)


EVERYTHING = frozenset(range(1, 11))
DISCLOSING = Tc(
    last_updated=17_800_000_000,
    purposes=EVERYTHING,
    consents=BitField(frozenset({VENDOR}), VENDOR + 6),
    others=(Vendors(BitField(frozenset({VENDOR}), VENDOR + 6)),),
).text()
"""Consents to everything, of a day since which the vendor must be disclosed: its last bits count."""
ONES = "_"


def ones_past_the_end(text: str) -> TcConsent:
    """Read a string that ends early as if ones followed."""
    core, _, rest = text.partition(".")
    whole, _, disclosed = DISCLOSING.partition(".")
    return read_tc_string(f"{core.ljust(len(whole), ONES)}.{rest.ljust(len(disclosed), ONES)}")


def in_europe(tcf: str) -> pb.PrivacySignals:
    return pb.PrivacySignals(gdpr_applies=True, tcf_consent=tcf)


@pytest.mark.fault(row=15)
@PROTECTED
def test_a_consent_string_that_ends_early_grants_nothing(
    alice: KnownPerson, monkeypatch: pytest.MonkeyPatch, figure: Figure, protected: bool
) -> None:
    assert alice.is_behavioural(signals=in_europe(DISCLOSING))
    if not protected:
        monkeypatch.setattr(consent, "read_tc_string", ones_past_the_end)
    beginnings = [DISCLOSING[:length] for length in range(1, len(DISCLOSING))]
    granting = [text for text in beginnings if alice.is_behavioural(signals=in_europe(text))]
    figure(f"{len(granting)} of {len(beginnings)} truncated strings grant anything")
    assert (granting == []) == protected


DOUBTFUL = {
    "version 1": "B" + DISCLOSING[1:],
    "version 3": "D" + DISCLOSING[1:],
    "version 63": "_" + DISCLOSING[1:],
    "oversized": DISCLOSING + "A" * 40_000,
    "a fifth, sixth and seventh segment": DISCLOSING + ".IAAA" * 5,
    "two strings": f"{DISCLOSING},{DISCLOSING}",
    "padding inside": DISCLOSING.replace(".", "=."),
}


def what_looks_familiar(text: str) -> TcConsent:
    """Read a string of another version or form as far as this one goes."""
    return read_tc_string("C" + text.replace("=", "")[1 : len(DISCLOSING)])


@pytest.mark.fault(row=15)
@PROTECTED
def test_a_consent_string_of_an_unknown_form_grants_nothing(
    alice: KnownPerson, monkeypatch: pytest.MonkeyPatch, protected: bool
) -> None:
    if not protected:
        monkeypatch.setattr(consent, "read_tc_string", what_looks_familiar)
    granting = [name for name, text in DOUBTFUL.items() if alice.is_behavioural(signals=in_europe(text))]
    assert (granting == []) == protected


UNREADABLE = ["1YY", "1Y-N-", "2YNN", "1ynn1", "1\0NN", "\u0661YNN", "null", "1Y?N", "----", "1YNY" * 1000]


def silent_when_unreadable(text: str) -> UsPrivacy:
    """Read a string as most services do: what cannot be read says nothing."""
    try:
        return us_privacy.read_us_privacy(text)
    except Unreadable:
        return us_privacy.read_us_privacy("1---")


@pytest.mark.fault(row=15)
@PROTECTED
def test_a_us_privacy_string_that_cannot_be_read_limits(
    alice: KnownPerson, monkeypatch: pytest.MonkeyPatch, protected: bool
) -> None:
    if not protected:
        monkeypatch.setattr(consent, "read_us_privacy", silent_when_unreadable)
    lifted = [text for text in UNREADABLE if alice.is_behavioural(signals=pb.PrivacySignals(us_privacy=text))]
    assert (lifted == []) == protected


COSTLY = Tc(
    purposes=EVERYTHING,
    consents=BitField(frozenset({VENDOR}), VENDOR),
    restrictions=tuple(Restriction(2, 1, ((number, None),)) for number in range(100, 400)),
).text()
"""Valid, consenting, and with more restrictions than any encoder writes."""


@pytest.mark.fault(row=15)
@PROTECTED
def test_a_string_that_costs_too_much_is_given_up(
    alice: KnownPerson, monkeypatch: pytest.MonkeyPatch, protected: bool
) -> None:
    if not protected:
        monkeypatch.setattr(restrictions, "MAX_RESTRICTIONS", 1 << 12)
    assert alice.is_behavioural(signals=in_europe(COSTLY)) == (not protected)
