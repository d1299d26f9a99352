"""Adding a signal never takes a limit away.

The GDPR makes the one exception: in its scope a TC string with consent lifts ``TCF_NO_CONSENT``, and so does the
statement that it does not apply. Nothing lifts any other reason.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from targeting.judge import judge_request
from targeting.model import AdRequest
from targeting.places.geo import IpLocation
from targeting.policy.policy import DEFAULT_POLICY, GdprPolicy, SignalPolicy
from targeting.reasons import Reason
from targeting.signals.cookies import read_cookies
from tests.targeting.signals.strings import STRINGS, VENDOR

Adding = Callable[[AdRequest], AdRequest]

POLICY = replace(DEFAULT_POLICY, gdpr=GdprPolicy(host_vendor_id=VENDOR), signals=SignalPolicy(honour_do_not_track=True))
IN_THE_US = AdRequest(ip_location=IpLocation("US", ""))
IN_SCOPE_WITH_CONSENT = AdRequest(ip_location=IpLocation("DE", ""))._replace(
    signals=AdRequest().signals._replace(tcf_consent=STRINGS["tcf-consent"])
)
STARTS = {"in the United States": IN_THE_US, "in Germany, with consent": IN_SCOPE_WITH_CONSENT}


def signal(**fields: Any) -> Adding:
    return lambda request: request._replace(signals=request.signals._replace(**fields))


def gpp(name: str, *section_ids: int) -> Adding:
    return signal(gpp=STRINGS.get(name, name), gpp_section_ids=section_ids)


def cookie(text: str) -> Adding:
    return lambda request: request._replace(cookie_header=f"{request.cookie_header}; {text}".strip("; "))


LIMITING: dict[str, Adding] = {
    "child-directed": signal(child_directed=True),
    "client switch": signal(targeted_ads_off=True),
    "GPC": signal(global_privacy_control=True),
    "DNT": signal(do_not_track=True),
    "LMT": signal(limit_ad_tracking=True),
    "industry opt-out": signal(industry_opt_outs=(2,)),
    "unknown industry opt-out": signal(industry_opt_outs=(99,)),
    "unreadable signal": signal(unreadable=("regs.coppa",)),
    "TOptOut=1": cookie("TOptOut=1"),
    "toptout, odd case": cookie("toptout=0"),
    "ANON, bound opt-out": cookie("ANON=A=abc&O=1"),
    "ANON, malformed": cookie("ANON=?"),
    "MUID, malformed": cookie("MUID=zzz"),
    "US Privacy Y": signal(us_privacy="1YYN"),
    "US Privacy, unreadable": signal(us_privacy="?"),
    "GPP sale opt-out": gpp("usnat-sale-opt-out", 7),
    "GPP child": gpp("usnat-child", 7),
    "GPP GPC": gpp("usnat-gpc", 7),
    "GPP section missing": gpp("usnat-allows", 8),
    "GPP unreadable": gpp("no such string", 7),
}
SILENT: dict[str, Adding] = {
    "nothing": lambda request: request,
    "US Privacy N": signal(us_privacy="1YNN"),
    "GPP allows": gpp("usnat-allows", 7),
    "GPP not applicable": gpp("usnat-sale-opt-out", -1),
    "TOptOut=0": cookie("TOptOut=0"),
    "ANON": cookie("ANON=A=abc"),
    "MUID": cookie(f"MUID={'0' * 32}"),
    "MH": cookie("MH=brand"),
}
ALL = LIMITING | SILENT
# Two values of one field cannot both be there; such a pair replaces instead of adding.
REPLACES = (
    {"US Privacy Y", "US Privacy, unreadable", "US Privacy N"},
    {"industry opt-out", "unknown industry opt-out"},
    {name for name in ALL if name.startswith("GPP")},
)


TODAY = 20_000


def reasons(request: AdRequest) -> int:
    return judge_request(request, read_cookies(request.cookie_header), POLICY, TODAY).reasons


def both_fit(first: str, second: str) -> bool:
    return not any({first, second} <= group for group in REPLACES)


@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
class TestPairs:
    @pytest.mark.parametrize("name", LIMITING)
    def test_each_limits_alone(self, start: AdRequest, name: str) -> None:
        assert reasons(start) == 0
        assert reasons(LIMITING[name](start))

    @pytest.mark.parametrize("name", SILENT)
    def test_each_of_the_others_does_not(self, start: AdRequest, name: str) -> None:
        assert reasons(SILENT[name](start)) == 0

    @pytest.mark.parametrize("first", ALL)
    def test_no_second_signal_takes_a_reason_of_the_first_away(self, start: AdRequest, first: str) -> None:
        before = reasons(ALL[first](start))
        for second in ALL:
            if first != second and both_fit(first, second):
                assert before & ~reasons(ALL[second](ALL[first](start))) == 0, second


@settings(max_examples=4 * settings().max_examples)
@given(st.sampled_from(list(STARTS)), st.lists(st.sampled_from(list(ALL)), max_size=12, unique=True))
def test_all_signals_at_once(start: str, names: list[str]) -> None:
    request = STARTS[start]
    added: list[str] = []
    for name in names:
        if all(both_fit(name, other) for other in added):
            before = reasons(request)
            request = ALL[name](request)
            added.append(name)
            assert before & ~reasons(request) == 0
    assert bool(reasons(request)) == any(name in LIMITING for name in added)


@pytest.mark.parametrize("name", LIMITING)
def test_consent_lifts_nothing_but_the_lack_of_consent(name: str) -> None:
    limited = LIMITING[name](AdRequest(ip_location=IpLocation("DE", "")))
    with_consent = limited._replace(signals=limited.signals._replace(tcf_consent=STRINGS["tcf-consent"]))
    assert reasons(limited) & ~reasons(with_consent) == Reason.TCF_NO_CONSENT.bit


def test_a_second_tc_string_never_helps() -> None:
    refusing = signal(tcf_consent=STRINGS["tcf-refusal"])(AdRequest(ip_location=IpLocation("DE", "")))
    both = signal(gpp=f"DBABMA~{STRINGS['tcf-consent']}", gpp_section_ids=(2,))(refusing)
    assert reasons(both) & Reason.TCF_NO_CONSENT.bit
