"""The cookies of an ad request, from the raw ``Cookie`` header (RFC 6265 section 4.2.1).

Invariant: no exception, and no lost opt-out. Anything that may be a ``TOptOut`` or an ``ANON`` and is not exactly one
that allows targeting is an opt-out: a name in unusual case or in an unusual place, a quoted value, a pair without
``=``, a second cookie with another value, a header that is too long. Knows nothing of the store, of keys, and of how
a decision uses the values.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from itertools import islice
from typing import Final, NamedTuple, TypeAlias

from targeting.places.locale import parse_place
from targeting.subjects.identifiers import is_placeholder

_Pairs: TypeAlias = Sequence[tuple[str, str]]

MAX_LENGTH: Final = 16_384
"""Characters of the longest header that is read; most servers take no more than 8 KiB."""
MAX_PAIRS: Final = 512
"""The most cookies in a header that is read; browsers send at most 50 to 200 (RFC 6265 section 6.1)."""
MAX_MENTIONS: Final = 64
"""The most occurrences of one cookie's name in a header, inside other words included."""
MAX_NAPS: Final = 4
"""The most different ``NAP`` cookies in a header: each costs a decryption."""


class Cookies(NamedTuple):
    """The values of the cookies. Absent and unreadable ones are empty."""

    muid: str = ""
    """The browser's id: 32 hexadecimal digits in lower case."""
    device_doubt: bool = False
    """``MUID`` is present but is not one id, so the choice stored for this browser cannot be looked up."""
    anon_id: str = ""
    """The account's advertising id (ANID)."""
    anon_opt_out: bool = False
    """The opt-out bound to the account's advertising id, or a doubt about it."""
    opt_out: bool = False
    """The opt-out of the browser, or a doubt about it."""
    countries: tuple[str, ...] = ()
    """Every different ``CC``: ISO 3166-1 alpha-2 or ``EU``, empty for one that cannot be read or names no country."""
    naps: tuple[str, ...] = ()
    """Every different ``NAP``, still encrypted."""
    co_brand: str = ""
    """``MH``: 1 to 64 visible ASCII characters."""

    @property
    def country(self) -> str:
        """The country; empty if several disagree."""
        return self.countries[0] if len(self.countries) == 1 else ""

    @property
    def nap(self) -> str:
        """The ``NAP`` cookie; empty if several disagree."""
        return self.naps[0] if len(self.naps) == 1 else ""

    def __repr__(self) -> str:
        """Show nothing of the person."""
        return f"Cookies(opt_out={self.opt_out}, anon_opt_out={self.anon_opt_out})"


NO_COOKIES: Final = Cookies()
UNREAD_COOKIES: Final = Cookies(device_doubt=True, anon_opt_out=True, opt_out=True)
"""What an unread header may hide."""

_NAMES: Final = frozenset(("TOptOut", "MUID", "ANON", "CC", "NAP", "MH"))
# A name at the beginning of a pair, in any case, and its value if it has one. It begins with a literal character,
# which makes the search fast.
_PAIRS: Final = re.compile(
    r";[ \t]*+(M(?:UID|H)|ANON|TOptOut|CC|NAP)(?:=|(?=[%;]|\Z))([^;]*+)", re.ASCII | re.IGNORECASE
).findall
# The characters of names and values (RFC 6265 section 4.1.1, and a few more).
_ORDINARY: Final = bytes(code for code in range(33, 127) if chr(code) not in ";,\"'")
# Where every semicolon stands directly before a space, and no other separator occurs, the two translations of a header
# are the same but for one place. A space at the beginning and a semicolon at the end hide no name.
_SEMICOLONS: Final = bytes(1 if chr(code) == ";" else 0 if code in _ORDINARY + b" " else 2 for code in range(256))
_SPACES: Final = bytes(chr(code) == " " for code in range(256))
_WATCHED: Final = tuple(
    (name, re.compile(name.lower().encode() + rb"(?![\w.-])")) for name in ("TOptOut", "MUID", "ANON")
)
_LONG: Final = 4096
"""Characters up to which the cookies of a header are not counted first."""

_MUID: Final = re.compile(r"[0-9A-Fa-f]{32}").fullmatch
_CO_BRAND: Final = re.compile(r"[!-~]{1,64}")
# The id, then any other fields, of which O may only be 0: "A=<ANID>&E=1234&O=0".
_ANON: Final = re.compile(r"A=([0-9A-Za-z._~-]{1,128}+)(?:&(?:O=0|[B-NP-Z][0-9A-Za-z]{0,15}+=[0-9A-Za-z._~-]*+))*+")
_NO_ID: Final = ("", False)
_MAX_ANON_LENGTH: Final = 512
# Whitespace and quotes around a value (RFC 6265 section 4.1.1).
_PADDING: Final = ' \t"'
_QUOTES: Final = frozenset("\"'")
# The end of the text, separators, whitespace and controls.
_BREAKS: Final = frozenset(["", ";", ",", "\x7f", *map(chr, range(33))])
_AFTER: Final = _BREAKS | {"=", "%"}


def read_cookies(header: str) -> Cookies:
    """Read the header; an empty one holds no cookies. A header over the limits is doubtful as a whole."""
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
    """Return the values of a header that has at most one cookie of each name."""
    muid, device_doubt = _device(found["MUID"]) if "MUID" in found else _NO_ID
    anon_id, anon_opt_out = _account(found["ANON"]) if "ANON" in found else _NO_ID
    return Cookies(
        muid=muid,
        device_doubt=device_doubt,
        anon_id=anon_id,
        anon_opt_out=anon_opt_out,
        opt_out="TOptOut" in found and found["TOptOut"] != "0",
        countries=(_country(found["CC"]),) if "CC" in found else (),
        naps=(found["NAP"].strip(_PADDING),) if "NAP" in found else (),
        co_brand=_co_brand(found["MH"]) if "MH" in found else "",
    )


def _in_doubt(cookies: Cookies, pairs: _Pairs, doubtful: Collection[str]) -> Cookies:
    """Add every value of repeated cookies, and drop the values of doubtful ones."""
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
    """Return the canonical form of a device id: the 32 hex digits of a ``MUID`` may come in either case."""
    return device_id.lower() if _MUID(device_id) else device_id


def _device(value: str) -> tuple[str, bool]:
    """Return the browser's id, and whether it is doubtful."""
    muid = _MUID(value) or _MUID(value.strip(_PADDING))
    if muid is None:
        # A blank value may be half of an id; a word for "no value" is none.
        return "", not (value.strip(_PADDING) and is_placeholder(value))
    name = muid[0].lower()
    return ("", False) if name[0] == "0" and is_placeholder(name) else (name, False)


def _account(value: str) -> tuple[str, bool]:
    """Return the advertising id, and whether it is opted out or doubtful."""
    match = _ANON.fullmatch(value) if len(value) <= _MAX_ANON_LENGTH else None
    return (match[1], False) if match else ("", True)


def _co_brand(value: str) -> str:
    brand = value.strip(_PADDING)
    return brand if _CO_BRAND.fullmatch(brand) else ""


def _country(value: str) -> str:
    return parse_place(value) or parse_place(value.strip(_PADDING)) or ""


def _is_well_formed(header: str) -> bool:
    """Return whether the header is pairs separated by "; ", so that names occur only at the beginning of pairs."""
    text = header.encode("ascii", "replace")
    semicolons, spaces = text.translate(_SEMICOLONS), text.translate(_SPACES)
    return semicolons[:-1] == spaces[1:] and header.isascii()


def _doubtful(header: str, pairs: _Pairs, found: Mapping[str, str]) -> Collection[str]:
    """Return the cookies with contradicting values, and the watched ones in unusual case or place."""
    doubtful = {name for name, value in pairs if value != found[name]}
    # Every character keeps its position.
    lowered = header.encode("ascii", "replace").lower()
    for name, mention in _WATCHED:
        places = [match.span() for match in islice(mention.finditer(lowered), MAX_MENTIONS + 1)]
        alone = sum(_stands_alone(header, *place) for place in places)
        if len(places) > MAX_MENTIONS or alone != [found_name for found_name, _ in pairs].count(name):
            doubtful.add(name)
    return doubtful


def _stands_alone(header: str, start: int, end: int) -> bool:
    """Return whether a lenient parser could take this for a cookie's name: it is no part of a word or of a value."""
    before, after = header[start - 1 : start], header[end : end + 1]
    if before in _QUOTES:
        before = header[start - 2 : start - 1]
    if after in _QUOTES:
        after = header[end + 1 : end + 2]
    return (before in _BREAKS or before > "~") and (after in _AFTER or after > "~")
