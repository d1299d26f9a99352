"""Any Cookie header: other cookies never lift a limit, and what is read has its normal form."""

from hypothesis import example, given
from hypothesis import strategies as st

from targeting.signals.cookies import MAX_NAPS, UNREAD_COOKIES, Cookies, read_cookies
from tests.targeting.signals.test_cookies import ANID, MUID, OTHER_MUID

NAMES = st.sampled_from(
    ["TOptOut", "toptout", "ANON", "Anon", "MUID", "muid", "CC", "NAP", "MH", "MUIDB", "a", '"', ""]
)
VALUES = st.sampled_from(["0", "1", "", f"A={ANID}", f"A={ANID}&O=1", MUID, OTHER_MUID, "GB", "DE", '"', "é", "\ud800"])
PIECES = NAMES | VALUES | st.sampled_from(["=", ";", "; ", ",", " ", "\r\n", "\0", "%3D", "'"])
HEADERS = st.lists(PIECES, max_size=24).map("".join) | st.text(st.characters(codec=None))
PAIRS = st.tuples(NAMES, VALUES).map("=".join)
SEPARATORS = st.sampled_from(["; ", ";", ";\t"])
LIMITING = st.sampled_from(
    [
        "TOptOut=1",
        "TOptOut",
        "TOptOut =0",
        "c TOptOut=1",
        "toptout=0",
        f"ANON=A={ANID}&O=1",
        f"ANON =A={ANID}",
        "MUID=x",
    ]
)
"""Headers that limit on their own."""

OTHER_COOKIES = st.lists(
    PAIRS | st.sampled_from(["TOptOut=0", f"ANON=A={ANID}", f"MUID={MUID}", "a", "a=b c"]), max_size=6
)


def limits(cookies: Cookies) -> set[str]:
    """Return the cookie values that limit the decision."""
    return {name for name in ("opt_out", "anon_opt_out", "device_doubt") if getattr(cookies, name)}


@given(HEADERS, PAIRS, SEPARATORS)
@example("TOptOut=1", "TOptOut=0", "; ")
@example("CC=DE", "CC=US", ";")
def test_one_cookie_more_never_takes_a_limit_away(header: str, pair: str, separator: str) -> None:
    alone = read_cookies(header)
    for beside in (read_cookies(f"{header}{separator}{pair}"), read_cookies(f"{pair}{separator}{header}")):
        assert limits(alone) <= limits(beside)
        assert set(alone.countries) <= set(beside.countries) or beside == UNREAD_COOKIES
        assert set(alone.naps) <= {*beside.naps, ""} or beside == UNREAD_COOKIES


@given(LIMITING, OTHER_COOKIES, OTHER_COOKIES, SEPARATORS)
@example("TOptOut =0", ["a=b"], [], ";")
@example("c TOptOut=1", ["a=b"], [], ";")
def test_other_cookies_before_and_after_never_lift_a_limit(
    header: str, before: list[str], after: list[str], separator: str
) -> None:
    assert limits(read_cookies(header))
    assert limits(read_cookies(header)) <= limits(read_cookies(separator.join([*before, header, *after])))


@given(HEADERS)
def test_what_is_read_has_its_normal_form(header: str) -> None:
    cookies = read_cookies(header)
    assert cookies.muid == "" or (len(cookies.muid) == 32 and not cookies.device_doubt)
    assert cookies.anon_id == "" or not cookies.anon_opt_out
    assert cookies.co_brand.isascii()
    assert len(cookies.co_brand) <= 64
    assert len(cookies.naps) <= MAX_NAPS
