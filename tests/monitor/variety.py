"""One caller that sends something of every kind: each signal, each call, each source and outcome, over and over."""

from collections.abc import Iterator
from itertools import count
from typing import Any

from adtargeting.v1 import preference_pb2 as preferences
from adtargeting.v1 import profile_pb2 as profiles
from adtargeting.v1 import targeting_pb2 as pb

from server.messages.enums import enum
from tests.monitor.traffic import Explanation, Request
from tests.server.calls.direct_service import called, viewed
from tests.targeting.signals.tcf.tcf_encoder import Tc

NETWORKS = (
    *("house", "messenger", "partner", "acme", "borealis", "cobalt", "dahlia", "estuary", "fathom-resale"),
    "nameless",
)
"""Those of ``policy.example.toml``, and one that is not in it."""
_GPP_SALE_OPT_OUT = "DBABL~CVVaAAAAAABo"
_US = pb.ClientSettings(country="US")
_ODD_BID_REQUEST = b'{"id": "1", "imp": [{"id": "1"}], "site": {"id": "1"}, "regs": {"coppa": "of no number"}}'
_PHONE = "phone-of-the-monitor"
_CORRECTION: Any = {
    "declared": profiles.DeclaredAttributes(gender=pb.GENDER_FEMALE),
    "update_mask": {"paths": ["gender"]},
}


def everything() -> Iterator[Request]:
    """Yield requests of every kind, for ever."""
    for number in count():
        yield from _signals(f"signals-{number}")
        yield from _choices()
        yield from _records(f"known-{number}")


def every_call() -> Iterator[Request]:
    """Yield one request of each RPC that has a role, for ever."""
    while True:
        yield from (
            pb.DecideRequest(account_id="stranger"),
            Explanation(pb.DecideRequest(account_id="stranger")),
            preferences.GetPreferencesRequest(account_id="stranger"),
            profiles.GetProfileRequest(account_id="stranger"),
        )


def _signals(account: str) -> Iterator[Request]:
    """Yield a decision for each way in which a request limits itself, or cannot be read."""
    for signals in (
        pb.PrivacySignals(child_directed=True),
        pb.PrivacySignals(industry_opt_outs=[pb.INDUSTRY_OPT_OUT_DAA]),
        pb.PrivacySignals(global_privacy_control=True),
        pb.PrivacySignals(do_not_track=True),
        pb.PrivacySignals(limit_ad_tracking=True),
        pb.PrivacySignals(age_treatment=pb.AGE_TREATMENT_TEEN),
        pb.PrivacySignals(age_treatment=enum(99)),
        pb.PrivacySignals(gdpr_applies=True, tcf_consent=Tc(purposes=frozenset((1, 2, 3))).text()),
        pb.PrivacySignals(gpp=_GPP_SALE_OPT_OUT, gpp_section_ids=[7]),
        pb.PrivacySignals(gpp="garbled", gpp_section_ids=[7]),
        pb.PrivacySignals(us_privacy="1YYN"),
        pb.PrivacySignals(us_privacy="garbled"),
    ):
        yield pb.DecideRequest(account_id=account, client=_US, signals=signals)
    yield pb.DecideRequest(account_id=account, client=pb.ClientSettings(country="US", targeted_ads_off=True))
    yield pb.DecideRequest(account_id=account, client=pb.ClientSettings(country="CA"))
    yield pb.DecideRequest(account_id=account, client=_US, cookie_header="TOptOut=1")
    yield pb.DecideRequest(account_id=account, client=_US, cookie_header="c" * 70_000)
    yield pb.PrepareBidRequestRequest(bid_request=_ODD_BID_REQUEST, account_id=account)
    yield pb.DecideRequest(client=_US)
    yield pb.DecideRequest(device_id=_PHONE, client=_US)


def _choices() -> Iterator[Request]:
    """Yield each choice from each source, the last one of the phone an opt-out, and a question about it."""
    for choice in (preferences.CHOICE_OPT_IN, preferences.CHOICE_OPT_OUT):
        for source in preferences.Source.values():
            yield preferences.SetPreferenceRequest(device_id=_PHONE, choice=choice, source=enum(source))
    yield preferences.GetPreferencesRequest(device_id=_PHONE)


def _records(account: str) -> Iterator[Request]:
    """Yield the life of a profile: recorded, used, explained, corrected, erased; and activities of each outcome."""
    yield preferences.SetPreferenceRequest(
        account_id=account,
        choice=preferences.CHOICE_OPT_IN,
        country="US",
        birth_date={"year": 1980, "month": 5, "day": 1},
    )
    activity = viewed(account_id=account, activity_id=account)
    yield profiles.RecordActivityRequest(activities=[activity, activity, called(account_id=account, country="nowhere")])
    yield pb.DecideRequest(account_id=account, client=_US, third_party_networks=NETWORKS, cookie_header="NAP=garbled")
    yield Explanation(pb.DecideRequest(account_id=account, client=_US))
    yield profiles.UpdateProfileRequest(account_id=account, **_CORRECTION)
    yield profiles.GetProfileRequest(account_id=account)
    yield profiles.DeleteProfileRequest(account_id=account)
    yield profiles.UpdateProfileRequest(device_id=_PHONE, **_CORRECTION)
