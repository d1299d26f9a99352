"""GPP and US Privacy strings: what a decision pays for them, and what the worst strings cost."""

from collections.abc import Callable

from benchmarks.micro.timing import MicroCase, timed
from targeting.signals.bits import MAX_LENGTH
from targeting.signals.gpp.read import read_gpp_string
from targeting.signals.gpp.string import read_header_ids
from targeting.signals.us_privacy import read_us_privacy

_NATIONAL = "DBABLA~CVVVVVVVVVWo.YA"
_NATIONAL_QUIET = "DBABLA~CVVqQAAAAABo.QA"
_CALIFORNIA = "DBABBg~BVVqAAACI.QA"
_SEVERAL = "DBABrGA~CoBCKIBqhgGE.QA~BpYqkQBU.YA~BlVEYWI~BCpIplA.QA~BImghqRA~BihAmoqA"
_CANADIAN_HEAD = "DBABDA~BP1R2oBP1R2oBAfACBFRB-CAAAAAAAAAA"
_CANADIAN = "DBABDA~BP2sccFPsbHgcVEqUwEND2BHmIc9M73gUwPZAEQkQNJCkySJMihMAfoAOuiYAAA.cF33ZIzngSg.IAjQAY0j"
_ALL = range(2, 28)
_LOOPS = 21
_ONE_SECTION, _HOSTILE = 10.0, 200.0

_HOSTILE_STRINGS = {
    "tildes": "DBAA".ljust(MAX_LENGTH, "~"),
    "header without an end": "DBAB".ljust(MAX_LENGTH, "A"),
    "header of 127 ids": "~".join(["DB" + "B_" + "2222" * 31, *["B"] * 127]),
    "long core": "DBABLA~CVVVVVVVVVWo".ljust(MAX_LENGTH, "A"),
    "long core, illegal at the end": "DBABLA~CVVVVVVVVVWo".ljust(MAX_LENGTH - 1, "A") + "!",
    "dots": "DBABLA~CVVVVVVVVVWo".ljust(MAX_LENGTH, "."),
    "24 long sections": "~".join(["DBACOcGA", *["B" + "A" * 511] * 24]),
    "Canadian, long": _CANADIAN_HEAD.ljust(MAX_LENGTH, "b"),
    "Canadian, lists": (_CANADIAN_HEAD + "TSgJC").ljust(1024, "G"),
    "Canadian, restrictions": (_CANADIAN_HEAD + "P_").ljust(1024, "_"),
}


def cases() -> list[MicroCase]:
    """Return the name, the call and the target in µs of each case."""
    read_header = read_header_ids.__wrapped__
    named = [
        ("gpp: national, opted out", lambda: read_gpp_string(_NATIONAL, (7,)), _ONE_SECTION),
        ("gpp: national, nothing withheld", lambda: read_gpp_string(_NATIONAL_QUIET, (7,)), _ONE_SECTION),
        ("gpp: California", lambda: read_gpp_string(_CALIFORNIA, (8,)), _ONE_SECTION),
        ("gpp: header not seen before", lambda: read_header("DBABLA", 3), _ONE_SECTION),
        ("gpp: one of six sections", lambda: read_gpp_string(_SEVERAL, (12,)), _ONE_SECTION),
        ("gpp: Canada", lambda: read_gpp_string(_CANADIAN, (5,)), _HOSTILE),
        ("usp: 1YNN", lambda: read_us_privacy("1YNN"), _ONE_SECTION),
    ]
    return named + [(f"gpp: {name}", _reading(text), _HOSTILE) for name, text in _HOSTILE_STRINGS.items()]


def _reading(text: str) -> Callable[[], object]:
    return lambda: read_gpp_string(text, _ALL)


def main() -> None:
    """Print every case, as measured and as on the reference machine."""
    for case in cases():
        took = timed(case, _LOOPS)
        print(f"{took.name:40} {took.median_us:8.2f} µs, scaled {took.scaled_us:8.2f}, target {took.target_us:g}")


if __name__ == "__main__":
    main()
