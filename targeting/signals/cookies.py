"""The cookies of an ad request, from the raw ``Cookie`` header (RFC 6265 section 4.2.1).

Invariant: never an exception, and never an opt-out lost. What may be a ``TOptOut`` or an ``ANON`` and is
not exactly one that allows targeting is an opt-out: a name in odd case or in an odd place, a value in quotes,
a pair without ``=``, a second cookie that says otherwise, a header too long to read. Knows nothing of the
store, of keys, and of what a decision makes of the values.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from itertools import islice
from typing import Final, NamedTuple, TypeAlias

from targeting.places.locale import parse_country

_Pairs: TypeAlias = Sequence[tuple[str, str]]

MAX_LENGTH: Final = 16_384
"""Characters of the longest header that is read; most servers take no more than 8 KiB."""
MAX_PAIRS: Final = 512
"""Cookies of the fullest header that is read; browsers send at most 50 to 200 (RFC 6265 section 6.1)."""
MAX_MENTIONS: Final = 64
"""How often a header may hold the name of one cookie, also as a part of other words."""
MAX_NAPS: Final = 4
"""How many different ``NAP`` cookies a header may hold: each of them costs a decryption."""


class Cookies(NamedTuple):
    """What the cookies say. Absent and unreadable ones are empty."""

    muid: str = ""
    """The browser's id: 32 hexadecimal digits in lower case."""
    device_doubt: bool = False
    """``MUID`` is there, but not as one id: a choice stored for this browser cannot be looked up by it."""
    anon_id: str = ""
    """The account's advertising id (ANID)."""
    anon_opt_out: bool = False
    """The opt-out bound to the account's advertising id, or a doubt about it."""
    opt_out: bool = False
    """The opt-out of the browser, or a doubt about it."""
    countries: tuple[str, ...] = ()
    """Every different ``CC``: ISO 3166-1 alpha-2, empty for one that cannot be read."""
    naps: tuple[str, ...] = ()
    """Every different ``NAP``, still encrypted."""
    co_brand: str = ""
    """``MH``: 1 to 64 visible ASCII characters."""

    @property
    def country(self) -> str:
        """The country; several that disagree are none."""
        return self.countries[0] if len(self.countries) == 1 else ""

    @property
    def nap(self) -> str:
        """The ``NAP`` cookie; several that disagree are none."""
        return self.naps[0] if len(self.naps) == 1 else ""

    def __repr__(self) -> str:
        """Show nothing of the person."""
        return f"Cookies(opt_out={self.opt_out}, anon_opt_out={self.anon_opt_out})"


NO_COOKIES: Final = Cookies()
UNREAD_COOKIES: Final = Cookies(device_doubt=True, anon_opt_out=True, opt_out=True)
"""What a header that is not read may hide."""

_NAMES: Final = frozenset(("TOptOut", "MUID", "ANON", "CC", "NAP", "MH"))
# A name at the beginning of a pair, in any case, and its value if it has one. The search for one literal character
# that it begins with is what makes it fast.
_PAIRS: Final = re.compile(
    r";[ \t]*+(M(?:UID|H)|ANON|TOptOut|CC|NAP)(?:=|(?=[%;]|\Z))([^;]*+)", re.ASCII | re.IGNORECASE
).findall
# What names and values are made of (RFC 6265 section 4.1.1, and a few characters more).
_ORDINARY: Final = bytes(code for code in range(33, 127) if chr(code) not in ";,\"'")
_WATCHED: Final = tuple(
    (name, re.compile(name.lower().encode() + rb"(?![\w.-])")) for name in ("TOptOut", "MUID", "ANON")
)
_LONG: Final = 4096
"""Characters of a header that is short enough not to count its cookies first."""

_MUID: Final = re.compile(r"[0-9A-Fa-f]{32}").fullmatch
_CO_BRAND: Final = re.compile(r"[!-~]{1,64}")
# The id, then any other fields, of which O may only be 0: "A=<ANID>&E=1234&O=0".
_ANON: Final = re.compile(r"A=([0-9A-Za-z._~-]{1,128}+)(?:&(?:O=0|[B-NP-Z][0-9A-Za-z]{0,15}+=[0-9A-Za-z._~-]*+))*+")
_NOBODY: Final = ("", False)
_MAX_ANON_LENGTH: Final = 512
# White space around a value, and its quotes (RFC 6265 section 4.1.1).
_PADDING: Final = ' \t"'
_QUOTES: Final = frozenset("\"'")
# The end of the text, separators, white space and controls.
_BREAKS: Final = frozenset(["", ";", ",", "\x7f", *map(chr, range(33))])
_AFTER: Final = _BREAKS | {"=", "%"}


def read_cookies(header: str) -> Cookies:
    """Read the header; an empty one holds no cookies. A header over the limits is in doubt as a whole."""
    if not header:
        return NO_COOKIES
    if len(header) > _LONG and (len(header) > MAX_LENGTH or header.count(";") > MAX_PAIRS):
        return UNREAD_COOKIES
    pairs: _Pairs = _PAIRS(";" + header)
    found = dict(pairs)
    cookies = _cookies(found) if found else NO_COOKIES
    if len(found) == len(pairs) and _NAMES.issuperset(found) and _is_well_formed(header):
        return cookies
    return _in_doubt(cookies, pairs, _doubtful(header, pairs, found))


def _cookies(found: Mapping[str, str]) -> Cookies:
    """Give what cookies say of which there is one each."""
    muid, device_doubt = _device(found["MUID"]) if "MUID" in found else _NOBODY
    anon_id, anon_opt_out = _account(found["ANON"]) if "ANON" in found else _NOBODY
    return Cookies(
        muid,
        device_doubt,
        anon_id,
        anon_opt_out,
        "TOptOut" in found and found["TOptOut"] != "0",
        (_country(found["CC"]),) if "CC" in found else (),
        (found["NAP"].strip(_PADDING),) if "NAP" in found else (),
        _co_brand(found["MH"]) if "MH" in found else "",
    )


def _in_doubt(cookies: Cookies, pairs: _Pairs, doubtful: Collection[str]) -> Cookies:
    """Give all that cookies of one name say, and take back what the doubtful ones said."""
    countries = tuple(dict.fromkeys(_country(value) for name, value in pairs if name == "CC"))
    naps = tuple(dict.fromkeys(value.strip(_PADDING) for name, value in pairs if name == "NAP"))
    if len(naps) > MAX_NAPS:
        return UNREAD_COOKIES
    cookies = cookies._replace(countries=countries, naps=naps)
    if "TOptOut" in doubtful:
        cookies = cookies._replace(opt_out=True)
    if "MUID" in doubtful:
        cookies = cookies._replace(muid="", device_doubt=True)
    if "ANON" in doubtful:
        cookies = cookies._replace(anon_id="", anon_opt_out=True)
    if "MH" in doubtful:
        cookies = cookies._replace(co_brand="")
    return cookies


def browser_id(device_id: str) -> str:
    """Give the one spelling of a device id: a browser's, the 32 hex digits of ``MUID``, may come in either case."""
    return device_id.lower() if _MUID(device_id) else device_id


def _device(value: str) -> tuple[str, bool]:
    """Give the browser's id, and whether it is in doubt."""
    muid = _MUID(value) or _MUID(value.strip(_PADDING))
    return (muid[0].lower(), False) if muid else ("", True)


def _account(value: str) -> tuple[str, bool]:
    """Give the advertising id, and whether it is opted out or in doubt."""
    match = _ANON.fullmatch(value) if len(value) <= _MAX_ANON_LENGTH else None
    return (match[1], False) if match else ("", True)


def _co_brand(value: str) -> str:
    brand = value.strip(_PADDING)
    return brand if _CO_BRAND.fullmatch(brand) else ""


def _country(value: str) -> str:
    return parse_country(value) or parse_country(value.strip(_PADDING)) or ""


def _is_well_formed(header: str) -> bool:
    """Tell whether the header is names and values parted by "; ": only at beginnings can a name stand in it."""
    skeleton = header.encode("ascii", "replace").translate(None, _ORDINARY)
    return skeleton == b"; " * (len(skeleton) // 2) and header.isascii()


def _doubtful(header: str, pairs: _Pairs, found: Mapping[str, str]) -> Collection[str]:
    """Name the cookies of which a second one says otherwise, and the watched ones in odd case or place."""
    doubtful = {name for name, value in pairs if value != found[name]}
    # Every character keeps its place.
    lowered = header.encode("ascii", "replace").lower()
    for name, mention in _WATCHED:
        places = [match.span() for match in islice(mention.finditer(lowered), MAX_MENTIONS + 1)]
        alone = sum(_stands_alone(header, *place) for place in places)
        if len(places) > MAX_MENTIONS or alone != [each for each, _ in pairs].count(name):
            doubtful.add(name)
    return doubtful


def _stands_alone(header: str, start: int, end: int) -> bool:
    """Tell whether a sloppy reader could take this for a cookie's name: no part of a word or of a value."""
    before, after = header[start - 1 : start], header[end : end + 1]
    if before in _QUOTES:
        before = header[start - 2 : start - 1]
    if after in _QUOTES:
        after = header[end + 1 : end + 2]
    return (before in _BREAKS or before > "~") and (after in _AFTER or after > "~")
