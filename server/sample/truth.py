"""What each sample person's ad request looks like, and what must be decided about it.

The expectation follows from how the person was made, by the rules of the built-in policy; it uses none of the code
that decides.
"""

from typing import NamedTuple

from adtargeting.v1 import targeting_pb2 as pb

from server.sample.person import Known, Person, WayOut

_COOKIE: dict[WayOut | None, str] = {
    WayOut.OPT_OUT_COOKIE: "TOptOut=1",
    WayOut.ANON_COOKIE: "ANON=A=5A3C0FFEE0DDBA11&E=1f2&O=1",
}
# Section 7 (usnat), version 1: SaleOptOutNotice 1, SaleOptOut 1, nothing else.
GPP_OPT_OUT = "DBABLA~BEAQAAAAAg"
_SEEN_IN_REQUEST = {
    WayOut.OPT_OUT_COOKIE: pb.REASON_COOKIE_OPT_OUT,
    WayOut.ANON_COOKIE: pb.REASON_COOKIE_OPT_OUT,
    WayOut.APP_SWITCH: pb.REASON_APP_OPT_OUT,
    WayOut.GPC: pb.REASON_GLOBAL_PRIVACY_CONTROL,
    WayOut.INDUSTRY_PAGE: pb.REASON_INDUSTRY_OPT_OUT,
    WayOut.AD_TRACKING: pb.REASON_LIMIT_AD_TRACKING,
    WayOut.US_PRIVACY: pb.REASON_US_PRIVACY_OPT_OUT,
    WayOut.GPP: pb.REASON_GPP_OPT_OUT,
}
_SEEN_IN_STORE = {
    WayOut.ACCOUNT_PAGE: pb.REASON_ACCOUNT_OPT_OUT,
    WayOut.LINKED_ACCOUNT: pb.REASON_ACCOUNT_OPT_OUT,
    WayOut.BROWSER: pb.REASON_DEVICE_OPT_OUT,
}


class Expected(NamedTuple):
    """The mode and all reasons, in the order of reporting."""

    mode: int
    reasons: tuple[int, ...]


def expected(person: Person) -> Expected:
    """Say what must be decided, under the built-in policy."""
    reasons = _of_request(person) or _of_store(person)
    return Expected(pb.MODE_LIMITED if reasons else pb.MODE_BEHAVIOURAL, tuple(sorted(reasons)))


def _of_request(person: Person) -> set[int]:
    reasons: set[int] = {_SEEN_IN_REQUEST[person.way_out]} if person.way_out in _SEEN_IN_REQUEST else set()
    if person.place.asks_consent:
        reasons.add(pb.REASON_TCF_NO_CONSENT)
    return reasons


def _of_store(person: Person) -> set[int]:
    """Where the request itself limits, nobody asks the store."""
    reasons: set[int] = {_SEEN_IN_STORE[person.way_out]} if person.way_out in _SEEN_IN_STORE else set()
    if person.is_child:
        reasons.add(pb.REASON_UNDER_AGE)
    if not reasons and person.known is not Known.PROFILE:
        reasons.add(pb.REASON_NO_PROFILE)
    return reasons


def ad_request(person: Person) -> pb.DecideRequest:
    """Give an ad request as this person's browser or app would cause it."""
    return pb.DecideRequest(
        request_id=f"sample-{person.number}",
        account_id=person.account_id,
        linked_account_ids=[person.linked_account_id] if person.linked_account_id else (),
        device_id="" if person.sends_muid else person.device_id,
        ip=person.ip,
        accept_language=f"{person.language},{person.language[:2]};q=0.8",
        cookie_header=_cookies(person),
        client=pb.ClientSettings(targeted_ads_off=person.way_out is WayOut.APP_SWITCH),
        signals=_signals(person.way_out),
        third_party_networks=("house", "partner") if person.asks_networks else (),
    )


def _cookies(person: Person) -> str:
    cookies = [f"CC={person.place.country}", "lang=x", _COOKIE.get(person.way_out, "")]
    if person.sends_muid:
        cookies.append(f"MUID={person.device_id}")
    return "; ".join(filter(None, cookies))


def _signals(way_out: WayOut | None) -> pb.PrivacySignals | None:
    match way_out:
        case WayOut.GPC:
            return pb.PrivacySignals(global_privacy_control=True)
        case WayOut.INDUSTRY_PAGE:
            return pb.PrivacySignals(industry_opt_outs=[pb.INDUSTRY_OPT_OUT_DAA])
        case WayOut.AD_TRACKING:
            return pb.PrivacySignals(limit_ad_tracking=True)
        case WayOut.US_PRIVACY:
            return pb.PrivacySignals(us_privacy="1YYN")
        case WayOut.GPP:
            return pb.PrivacySignals(gpp=GPP_OPT_OUT, gpp_section_ids=[7])
        case _:
            return None
