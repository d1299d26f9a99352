"""RecordActivity: an outcome for each activity, and its fields and signals."""

from typing import Any

import pytest
from adtargeting.v1 import profile_pb2 as pb
from adtargeting.v1 import targeting_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from server.errors import InvalidRequest
from targeting.model import AdRequest
from targeting.signals.cookies import Cookies
from tests.server.calls.direct_service import AMERICAN, MUID, NOW_S, Service, called, saw, service, viewed
from tests.server.store.fake_store import FakeStore

CLIENT = targeting_pb2.ClientSettings
SIGNALS = targeting_pb2.PrivacySignals


def activity(**fields: Any) -> pb.Activity:
    base = viewed()
    base.MergeFrom(pb.Activity(**fields))
    return base


def at(seconds: float) -> Timestamp:
    return Timestamp(seconds=int(NOW_S + seconds))


REJECTED = {
    "no subject": (pb.Activity(kind=pb.ACTIVITY_KIND_CONTENT, segment_ids=["386"], client=AMERICAN), "account_id"),
    "an account id that is too long": (viewed(account_id="a" * 257), "account_id"),
    "a device id that is too long": (viewed(device_id="é" * 129), "device_id"),
    "an activity id that is too long": (viewed("a" * 257), "activity_id"),
    "a placeholder as account": (viewed(account_id="null"), "account_id"),
    "a placeholder as device": (viewed(device_id="00000000-0000-0000-0000-000000000000"), "device_id"),
    "a placeholder as activity id": (viewed("undefined"), "activity_id"),
    "no kind": (pb.Activity(account_id="alice", client=AMERICAN), "kind"),
    "an unknown kind": (activity(kind=99), "kind"),
    "too many segments": (viewed("", *map(str, range(17))), "segment_ids"),
    "an empty segment": (viewed("", "386", ""), "segment_ids[1]"),
    "a long segment": (viewed("", "s" * 65), "segment_ids[0]"),
    "a segment that is long in UTF-8": (viewed("", "é" * 33), "segment_ids[0]"),
    "an e-mail address as segment": (viewed("", "386", "bob@example.com"), "segment_ids[1]"),
    "a control in a segment": (viewed("", "a\nb"), "segment_ids[0]"),
    "a purchase of nothing": (pb.Activity(account_id="alice", kind=pb.ACTIVITY_KIND_PURCHASE), "segment_ids"),
    "no outside segment": (pb.Activity(account_id="alice", kind=pb.ACTIVITY_KIND_EXTERNAL_SEGMENT), "segment_ids"),
    "a call to nowhere": (called(country=""), "destination_country"),
    "a call to no country": (called(country="XX"), "destination_country"),
    "an impression of no ad": (saw(ad_id=""), "ad_id"),
    "a click on no ad": (pb.Activity(account_id="alice", kind=pb.ACTIVITY_KIND_AD_CLICK), "ad_id"),
    "a long ad id": (saw(ad_id="a" * 129), "ad_id"),
    "a phone number as ad": (saw(ad_id="+1 415 555 2671"), "ad_id"),
    "an e-mail address where the kind looks for nothing": (activity(ad_id="bob%40example.com"), "ad_id"),
    "a client in no country": (viewed(client=CLIENT(country="Nowhere")), "client.country"),
    "older than all that is kept": (activity(occurred_at=at(-397 * 86_400)), "occurred_at"),
    "before 1970": (activity(occurred_at=Timestamp(seconds=-1)), "occurred_at"),
}  # fmt: skip


@pytest.mark.parametrize(("sent", "field"), REJECTED.values(), ids=REJECTED)
def test_what_may_not_enter_a_profile_is_named(sent: pb.Activity, field: str) -> None:
    calls = service()
    assert calls.outcomes(viewed("good", account_id="bob"), sent) == ["RECORDED", f"REJECTED {field}"]
    assert not calls.get(account_id="alice").profile_held
    assert calls.get(account_id="bob").profile_held


TAKEN = {
    "a page without segments": pb.Activity(account_id="alice", kind=pb.ACTIVITY_KIND_PAGE_VIEW, client=AMERICAN),
    "as many segments as may be": viewed("", *map(str, range(100, 116))),
    "a segment as long as may be": viewed("", "s" * 64),
    "an ad id as long as may be": saw(ad_id="a" * 128),
    "an ad id with a date": saw(ad_id="creative-20260101"),
    "a country in three letters": called(country="gbr"),
    "as old as may be": activity(occurred_at=at(-396 * 86_400)),
    "of the future": activity(occurred_at=at(86_400)),
    "without an activity id": viewed(),
    "a number as ad id": saw(ad_id="81234567"),
    "numbers as segments": viewed("", "17203344", "12345678901234567890"),
    "of a device": viewed(device_id="phone"),
}


@pytest.mark.parametrize("sent", TAKEN.values(), ids=TAKEN)
def test_what_may_enter_does(sent: pb.Activity) -> None:
    assert service().outcomes(sent) == ["RECORDED"]


@pytest.mark.parametrize("count", [0, 257])
def test_the_number_of_activities_is_the_requests_own_fault(count: int) -> None:
    with pytest.raises(InvalidRequest, match="activities"):
        service().record(*[viewed()] * count)


def test_as_many_as_may_be() -> None:
    assert service().outcomes(*(saw(f"a{number}", f"ad-{number}") for number in range(256))) == ["RECORDED"] * 256


SUPPRESSED = {
    "GPC": (viewed(signals=SIGNALS(global_privacy_control=True)), "GLOBAL_PRIVACY_CONTROL"),
    "the browser's opt-out": (viewed(cookie_header="TOptOut=1"), "COOKIE_OPT_OUT"),
    "the client's switch": (viewed(client=CLIENT(country="US", targeted_ads_off=True)), "APP_OPT_OUT"),
    "the client's switch among signals": (
        viewed(client=CLIENT(country="US", targeted_ads_off=True), signals=SIGNALS(gdpr_applies=False)),
        "APP_OPT_OUT",
    ),
    "a child": (viewed(signals=SIGNALS(child_directed=True)), "CHILD_DIRECTED"),
    "no country, no flag, no string": (viewed(client=CLIENT()), "TCF_NO_CONSENT"),
    "nothing at all of where": (
        pb.Activity(account_id="alice", kind=pb.ACTIVITY_KIND_CONTENT, segment_ids=["386"]),
        "TCF_NO_CONSENT",
    ),
    "two limits": (
        viewed(cookie_header="TOptOut=1", signals=SIGNALS(limit_ad_tracking=True)),
        "COOKIE_OPT_OUT LIMIT_AD_TRACKING",
    ),
}


@pytest.mark.parametrize(("sent", "reasons"), SUPPRESSED.values(), ids=SUPPRESSED)
def test_what_would_limit_a_decision_suppresses(sent: pb.Activity, reasons: str) -> None:
    calls = service()
    assert calls.outcomes(sent) == [f"SUPPRESSED {reasons}"]
    assert not calls.get(account_id="alice").profile_held


def test_signals_worth_storing_are_handed_on() -> None:
    offered: list[tuple[AdRequest, Cookies]] = []
    store = FakeStore()
    calls = Service(store, store, on_signal_opt_out=lambda request, cookies: offered.append((request, cookies)))
    calls.record(viewed(), viewed(cookie_header="TOptOut=1"))
    assert not offered
    seen: dict[str, Any] = {"signals": SIGNALS(global_privacy_control=True), "cookie_header": f"MUID={MUID}"}
    calls.record(viewed(**seen))
    ((request, cookies),) = offered
    assert (request.identity.account_id, cookies.muid) == ("alice", MUID)
    assert calls.outcomes(viewed("a1", "bob@example.com", **seen)) == ["REJECTED segment_ids[0]"]
    nowhere = targeting_pb2.ClientSettings(country="nowhere")
    assert calls.outcomes(viewed("a1", client=nowhere, **seen)) == ["REJECTED client.country"]
    assert len(offered) == 3, "a signal outlasts an activity that cannot be taken"


def test_outcomes_are_counted() -> None:
    calls = service()
    calls.record(saw("a1"), saw("a1"), saw(ad_id=""), viewed(cookie_header="TOptOut=1"))
    counted = {
        outcome: calls.metrics.registry.get_sample_value("adtargeting_profile_writes_total", {"outcome": outcome})
        for outcome in ("recorded", "duplicate", "rejected", "suppressed")
    }
    assert set(counted.values()) == {1.0}
