"""The cost of the cookies, languages and addresses of a request: ``python -m benchmarks.micro.signals_cookies``.

Headers are made up, always the same. "Ours" are the six cookies that the service reads.
"""

import string
from functools import partial
from itertools import cycle
from random import Random

from benchmarks.micro.timing import REFERENCE_US, MicroCase, timed
from server.geo.country_table import load_country_table
from targeting.places.geo import mask_ip, parse_ip
from targeting.places.locale import best_language
from targeting.signals.cookies import MAX_LENGTH, read_cookies
from targeting.signals.nap import parse_nap

_RANDOM = Random(7)
_LETTERS = string.ascii_letters + string.digits + "-_."
_NAMES = ("_ga", "_gid", "_gcl_au", "MUIDB", "SRCHD", "SRCHUID", "SRCHUSR", "ANONCHK", "session", "csrf", "prefs")
_OTHERS = [f"{name}={''.join(_RANDOM.choices(_LETTERS, k=38))}" for name in _NAMES]
_MORE = [f"c{number}={''.join(_RANDOM.choices(_LETTERS, k=46))}" for number in range(9)]
_BROWSER = ["MUID=0A1B2C3D4E5F60718293A4B5C6D7E8F9", "CC=GB", "TOptOut=0"]
_ACCOUNT = ["ANON=A=FBB3A3B37B6DCBB1DFFA33AAFFFFFFFF&E=13a4&W=1", "MH=MSFT"]
_REGISTRATION = "NAP=" + "".join(_RANDOM.choices(_LETTERS, k=200))

_NONE_OF_OURS = "; ".join(_OTHERS + _MORE)
_THREE_OF_OURS = "; ".join(_OTHERS[:7] + _BROWSER + _OTHERS[7:] + _MORE[:6])
_ALL_OF_OURS = "; ".join(_OTHERS[:7] + _BROWSER + _ACCOUNT + _OTHERS[7:] + _MORE[:3] + [_REGISTRATION])
_LANGUAGES = "en-GB,en-US;q=0.9,en;q=0.8,de;q=0.7,fr;q=0.6"
# More than are remembered, so that none is when its turn comes again.
_NEW_LANGUAGES = cycle([f"{_LANGUAGES},en-{number}" for number in range(4096)])
_NAP = b"country=GB&postal_code=SW1A+1AA&age=34&gender=female&language=en-GB&occupation=teacher"

_ORDINARY_US = 8.0
_HOSTILE_US = 200.0
_HOSTILE = {
    "white space": " " * MAX_LENGTH,
    "semicolons": ";" * MAX_LENGTH,
    "a name inside words": ("xtoptout" * MAX_LENGTH)[:MAX_LENGTH],
    "a name all over": ("toptout," * MAX_LENGTH)[:MAX_LENGTH],
    "not ASCII": "\u00e9" * MAX_LENGTH,
    "too long": "x" * (MAX_LENGTH + 1),
}


def cases() -> list[MicroCase]:
    """Return the name, the call and the target in µs of each case."""
    address = parse_ip("81.2.69.160")
    assert address is not None
    ordinary: list[MicroCase] = [
        (f"cookies: 1 KiB, 20 cookies, {name}", partial(read_cookies, header), _ORDINARY_US)
        for name, header in (
            ("none of ours", _NONE_OF_OURS),
            ("3 of ours", _THREE_OF_OURS),
            ("6 of ours", _ALL_OF_OURS),
        )
    ]
    hostile: list[MicroCase] = [
        (f"cookies: 16 KiB of {name}", partial(read_cookies, header), _HOSTILE_US) for name, header in _HOSTILE.items()
    ]
    return [
        ("cookies: none", partial(read_cookies, ""), 0.2),
        *ordinary,
        *hostile,
        ("nap: plain text", partial(parse_nap, _NAP), 15.0),
        ("language: seen before", partial(best_language, "", _LANGUAGES), 0.5),
        ("language: not seen before", lambda: best_language("", next(_NEW_LANGUAGES)), 10.0),
        ("ip: parse IPv4", partial(parse_ip, "81.2.69.160"), 1.5),
        ("ip: parse IPv6", partial(parse_ip, "2001:470::1:2:3"), 1.5),
        ("ip: mask", partial(mask_ip, address), 2.5),
        ("ip: bundled country", partial(load_country_table().locate, "81.2.69.160"), 2.0),
    ]


def main() -> None:
    """Print the median of each case, as measured and as scaled to the reference machine."""
    print(f"{'µs':>9} {'scaled':>9} {'target':>9}   (scaled: a BLAKE2b of 36 bytes takes {REFERENCE_US} µs)")
    for case in cases():
        name, median_us, scaled_us, target_us, _ = timed(case, loops=25)
        print(f"{median_us:9.2f} {scaled_us:9.2f} {target_us:9.2f}   {name}")


if __name__ == "__main__":
    main()
