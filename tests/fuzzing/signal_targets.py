"""Targets for the parsers of signals: what each may raise, and what must hold for whatever it accepts.

A target takes bytes and returns nothing. Any exception that escapes is a fault that a fuzzer reports.
"""

from targeting.places.geo import format_ip, mask_ip, parse_ip
from targeting.places.locale import best_language, parse_country, parse_place
from targeting.signals.cookies import UNREAD_COOKIES, read_cookies
from targeting.signals.gpp.decode import decode_gpp_string
from targeting.signals.gpp.layouts import LAYOUTS
from targeting.signals.gpp.read import NONE_APPLIES, NOT_YET_KNOWN, read_gpp_string
from targeting.signals.nap import parse_nap, render_nap
from targeting.signals.tcf.decode import decode_tc_string
from targeting.signals.tcf.read import read_tc_string
from targeting.signals.unreadable import GivenUp, Unreadable
from targeting.signals.us_privacy import decode_us_privacy, read_us_privacy
from tests.targeting.signals.tcf import tcf_reference

_VENDORS = (0, 1, 2, 12, 755, 65_535)


def text_of(data: bytes) -> str:
    """The text of bytes; invalid UTF-8 becomes lone surrogates, as JSON may hold."""
    return data.decode("utf-8", "surrogateescape")


def tc_string(data: bytes) -> None:
    """Whatever a decision reads a full decoder reads, too, and no basis is found that the plain rules do not give."""
    text = text_of(data)
    try:
        consent = read_tc_string(text)
    except GivenUp:
        return
    except Unreadable:
        assert _is_refused(text), "a decision refuses what is well formed"
        return
    decode_tc_string(text)
    truth = tcf_reference.read_for_decisions(text)
    for purpose in range(1, 13):
        for vendor in (*_VENDORS, *truth["vendorConsents"][:2], *truth["vendorLegitimateInterests"][-2:]):
            assert consent.has_basis(purpose, vendor) == tcf_reference.has_basis(truth, purpose, vendor)


def _is_refused(text: str) -> bool:
    try:
        decode_tc_string(text)
    except Unreadable:
        return True
    return False


def gpp_string(data: bytes) -> None:
    """A reading never raises, an unreadable section withholds everything, and an unnamed one grants nothing."""
    text = text_of(data)
    for section_ids in ((), (NOT_YET_KNOWN,), (NONE_APPLIES,), (2, 5, 6), tuple(LAYOUTS)):
        reading = read_gpp_string(text, section_ids)
        assert reading.withholds == 7 or not reading.unreadable
        _ = (reading.tc_string, reading.us_privacy, reading.canada, reading.withholding_fields)
    try:
        decoded = decode_gpp_string(text)
    except Unreadable:
        return
    unnamed = read_gpp_string(text, ())
    for section_id in decoded["sectionIds"]:
        assert read_gpp_string(text, [section_id]).opt_outs & ~unnamed.opt_outs == 0


def us_privacy(data: bytes) -> None:
    """Four characters, or Unreadable."""
    try:
        answers = read_us_privacy(text_of(data))
    except Unreadable:
        return
    assert answers.opted_out == (text_of(data)[2] in "yY")
    assert decode_us_privacy(text_of(data))["Version"] == 1


def cookie_header(data: bytes) -> None:
    """A header never raises, and cookies that allow, before or after it, never lift a limit of it."""
    header = text_of(data)
    cookies = read_cookies(header)
    limits = (cookies.opt_out, cookies.anon_opt_out, cookies.device_doubt)
    for beside in (f"{header}; TOptOut=0", f"a=b;{header}", f"ANON=A=x&O=0; {header};c"):
        others = read_cookies(beside)
        found = (others.opt_out, others.anon_opt_out, others.device_doubt)
        assert others == UNREAD_COOKIES or all(map(int.__le__, limits, found))


def nap_plaintext(data: bytes) -> None:
    """What is parsed can be rendered, and parses to the same."""
    try:
        nap = parse_nap(data)
    except Unreadable:
        return
    assert parse_nap(render_nap(nap)) == nap


def accept_language(data: bytes) -> None:
    """The language is a short tag in its canonical form, whatever the header and the client's setting."""
    text = text_of(data)
    for language in (best_language("", text), best_language(text, ""), best_language(text, text)):
        assert best_language(language, "") == language
        assert len(language) <= 11
        assert language.isascii()


def ip_address(data: bytes) -> None:
    """An address survives being written, and a masked one holds no further bits."""
    text = text_of(data)
    assert parse_country(text) in {None, parse_place(text)}
    ip = parse_ip(text)
    if ip is None:
        return
    assert parse_ip(format_ip(ip)) == ip
    masked = parse_ip(mask_ip(ip))
    assert masked is not None
    assert mask_ip(masked) == format_ip(masked)
