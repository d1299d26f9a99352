"""The ad request of each sample person, and the expected decision.

The expectation follows from how the person was drawn and from the rules of the built-in policy; it uses none of the
code that decides.
"""

from typing import NamedTuple

from adtargeting.v1 import targeting_pb2 as pb

from server.sample.person import OptOutWay, Person, Stored

_COOKIE: dict[OptOutWay | None, str] = {
    OptOutWay.OPT_OUT_COOKIE: "TOptOut=1",
    OptOutWay.ANON_COOKIE: "ANON=A=5A3C0FFEE0DDBA11&E=1f2&O=1",
}
# Section 7 (usnat), version 1: SaleOptOutNotice 1, SaleOptOut 1, nothing else.
GPP_OPT_OUT = "DBABLA~BEAQAAAAAg"
_REASONS_OF_REQUEST = {
    OptOutWay.OPT_OUT_COOKIE: pb.REASON_COOKIE_OPT_OUT,
    OptOutWay.ANON_COOKIE: pb.REASON_COOKIE_OPT_OUT,
    OptOutWay.APP_SWITCH: pb.REASON_APP_OPT_OUT,
    OptOutWay.GPC: pb.REASON_GLOBAL_PRIVACY_CONTROL,
    OptOutWay.INDUSTRY_PAGE: pb.REASON_INDUSTRY_OPT_OUT,
    OptOutWay.AD_TRACKING: pb.REASON_LIMIT_AD_TRACKING,
    OptOutWay.US_PRIVACY: pb.REASON_US_PRIVACY_OPT_OUT,
    OptOutWay.GPP: pb.REASON_GPP_OPT_OUT,
}
_REASONS_OF_STORE = {
    OptOutWay.ACCOUNT_PAGE: pb.REASON_ACCOUNT_OPT_OUT,
    OptOutWay.LINKED_ACCOUNT: pb.REASON_ACCOUNT_OPT_OUT,
    OptOutWay.BROWSER: pb.REASON_DEVICE_OPT_OUT,
}


class Expected(NamedTuple):
    """The mode and all reasons, in the order of reporting."""

    mode: int
    reasons: tuple[int, ...]


def expected(person: Person) -> Expected:
    """Return the decision that the built-in policy requires."""
    reasons = _of_request(person) or _of_store(person)
    return Expected(pb.MODE_LIMITED if reasons else pb.MODE_BEHAVIOURAL, tuple(sorted(reasons)))


def _of_request(person: Person) -> set[int]:
    reasons: set[int] = (
        {_REASONS_OF_REQUEST[person.opt_out_way]} if person.opt_out_way in _REASONS_OF_REQUEST else set()
    )
    if person.place.asks_consent:
        reasons.add(pb.REASON_TCF_NO_CONSENT)
    return reasons


def _of_store(person: Person) -> set[int]:
    """Return the reasons of the store, which count only if the request itself shows none."""
    reasons: set[int] = {_REASONS_OF_STORE[person.opt_out_way]} if person.opt_out_way in _REASONS_OF_STORE else set()
    if person.is_child:
        reasons.add(pb.REASON_UNDER_AGE)
    if not reasons and person.stored is not Stored.PROFILE:
        reasons.add(pb.REASON_NO_PROFILE)
    return reasons


def ad_request(person: Person) -> pb.DecideRequest:
    """Return the ad request that this person's browser or app would cause."""
    return pb.DecideRequest(
        request_id=f"sample-{person.number}",
        account_id=person.account_id,
        linked_account_ids=[person.linked_account_id] if person.linked_account_id else (),
        device_id="" if person.sends_muid else person.device_id,
        ip=person.ip,
        accept_language=f"{person.language},{person.language[:2]};q=0.8",
        cookie_header=_cookies(person),
        client=pb.ClientSettings(targeted_ads_off=person.opt_out_way is OptOutWay.APP_SWITCH),
        signals=_signals(person.opt_out_way),
        third_party_networks=("house", "partner") if person.asks_networks else (),
    )


def _cookies(person: Person) -> str:
    cookies = [f"CC={person.place.country}", "lang=x", _COOKIE.get(person.opt_out_way, "")]
    if person.sends_muid:
        cookies.append(f"MUID={person.device_id}")
    return "; ".join(filter(None, cookies))


def _signals(opt_out_way: OptOutWay | None) -> pb.PrivacySignals | None:
    match opt_out_way:
        case OptOutWay.GPC:
            return pb.PrivacySignals(global_privacy_control=True)
        case OptOutWay.INDUSTRY_PAGE:
            return pb.PrivacySignals(industry_opt_outs=[pb.INDUSTRY_OPT_OUT_DAA])
        case OptOutWay.AD_TRACKING:
            return pb.PrivacySignals(limit_ad_tracking=True)
        case OptOutWay.US_PRIVACY:
            return pb.PrivacySignals(us_privacy="1YYN")
        case OptOutWay.GPP:
            return pb.PrivacySignals(gpp=GPP_OPT_OUT, gpp_section_ids=[7])
        case _:
            return None
