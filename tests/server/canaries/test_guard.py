"""No caller may use a canary's id: refused in a field, limiting in a cookie or in a bid request."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from adtargeting.v1 import preference_pb2 as pref
from adtargeting.v1 import profile_pb2 as prof
from adtargeting.v1 import targeting_pb2 as pb
from adtargeting.v1.preference_pb2_grpc import PreferenceServiceStub
from adtargeting.v1.profile_pb2_grpc import ProfileServiceStub
from adtargeting.v1.targeting_pb2_grpc import TargetingServiceStub

from server.canaries.guard import CALLER, CanaryGuard
from targeting.canaries.ids import CanaryIds
from targeting.decision import plan
from targeting.model import AdRequest, Identity, Signals
from targeting.policy.policy import DEFAULT_POLICY
from targeting.reasons import Reason
from tests.server.canaries.watched_service import WatchedService, watched_service

IDS = CanaryIds.of(bytes(32))
GUARD = CanaryGuard(IDS)
ACCOUNT, DEVICE = IDS.id_of("control/account"), IDS.id_of("device-opt-out/device")
US = pb.ClientSettings(country="US")
BID = {"id": "1", "imp": [{"id": "1"}], "site": {"id": "1"}, "regs": {"gdpr": 0}}


class Open:
    """The stubs of a running service."""

    def __init__(self, watched: WatchedService, channel: grpc.Channel) -> None:
        self.watched = watched
        self.targeting = TargetingServiceStub(channel)
        self.preferences = PreferenceServiceStub(channel)
        self.profiles = ProfileServiceStub(channel)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    with (
        watched_service(tmp_path_factory.mktemp("service")) as watched,
        grpc.insecure_channel(watched.address) as channel,
    ):
        yield Open(watched, channel)


Call = Callable[[Open, dict[str, Any]], Any]
DECISIONS: dict[str, Call] = {
    "Decide": lambda at, ids: at.targeting.Decide(pb.DecideRequest(**ids), timeout=5),
    "Explain": lambda at, ids: at.targeting.Explain(pb.DecideRequest(**ids), timeout=5),
    "PrepareBidRequest": lambda at, ids: at.targeting.PrepareBidRequest(
        pb.PrepareBidRequestRequest(bid_request=json.dumps(BID).encode(), **ids), timeout=5
    ),
}
SUBJECTS: dict[str, Call] = {
    "SetPreference": lambda at, ids: at.preferences.SetPreference(
        pref.SetPreferenceRequest(choice=pref.CHOICE_OPT_IN, source=pref.SOURCE_SUPPORT, **ids), timeout=5
    ),
    "GetPreferences": lambda at, ids: at.preferences.GetPreferences(pref.GetPreferencesRequest(**ids), timeout=5),
    "GetProfile": lambda at, ids: at.profiles.GetProfile(prof.GetProfileRequest(**ids), timeout=5),
    "UpdateProfile": lambda at, ids: at.profiles.UpdateProfile(
        prof.UpdateProfileRequest(update_mask={"paths": ["gender"]}, **ids), timeout=5
    ),
    "DeleteProfile": lambda at, ids: at.profiles.DeleteProfile(prof.DeleteProfileRequest(**ids), timeout=5),
}
CASES = [
    *((name, call, field) for name, call in DECISIONS.items() for field in ("account_id", "device_id", "linked")),
    *((name, call, field) for name, call in SUBJECTS.items() for field in ("account_id", "device_id")),
]


@pytest.mark.parametrize(("name", "call", "field"), CASES, ids=lambda value: value if isinstance(value, str) else "")
def test_in_a_field_it_is_refused_by_every_rpc(service: Open, name: str, call: Call, field: str) -> None:
    canary = service.watched.id_of("device-opt-out/device" if field == "device_id" else "control/account")
    named: dict[str, dict[str, Any]] = {
        "account_id": {field: canary},
        "device_id": {field: canary.upper()},
        "linked": {"linked_account_ids": ["bob", canary]},
    }
    with pytest.raises(grpc.RpcError) as caught:
        call(service, named[field])
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert str(caught.value.details()).startswith(
        "linked_account_ids[1]:" if field == "linked" else f"{field}: is reserved"
    )
    assert canary not in str(caught.value).lower()


def test_in_a_batch_the_item_is_refused_and_no_other(service: Open) -> None:
    requests = [pb.DecideRequest(account_id=each) for each in ("bob", service.watched.id_of("control/account"), "eve")]
    results = service.targeting.DecideBatch(pb.DecideBatchRequest(requests=requests), timeout=5).results
    assert [result.error.field for result in results] == ["", "account_id", ""]
    assert results[1].error.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]


def test_activities_are_rejected_or_suppressed(service: Open) -> None:
    seen: dict[str, Any] = {"kind": prof.ACTIVITY_KIND_PAGE_VIEW, "client": US}
    cookie = f"MUID={service.watched.id_of('device-opt-out/device')}"
    sent = [
        prof.Activity(account_id=service.watched.id_of("control/account"), **seen),
        prof.Activity(account_id="bob", cookie_header=cookie, **seen),
    ]
    rejected, suppressed = service.profiles.RecordActivity(
        prof.RecordActivityRequest(activities=sent), timeout=5
    ).results
    assert (rejected.outcome, rejected.field) == (prof.OUTCOME_REJECTED, "account_id")
    assert list(suppressed.reasons) == [pb.REASON_SIGNAL_UNREADABLE]


@pytest.mark.parametrize(
    ("cookie", "form"),
    [("MUID={}", str.lower), ("MUID={}", str.upper), ('x=1; MUID="{}"', str.lower), ("ANON=A={}", str.lower)],
)
def test_in_a_cookie_it_limits_and_nothing_is_stored(service: Open, cookie: str, form: Callable[[str], str]) -> None:
    canary = service.watched.id_of("device-opt-out/device")
    signals = pb.PrivacySignals(gdpr_applies=False, global_privacy_control=True)
    request = pb.DecideRequest(account_id="bob", client=US, cookie_header=cookie.format(form(canary)))
    assert list(service.targeting.Decide(request, timeout=5).reasons) == [pb.REASON_SIGNAL_UNREADABLE]
    request.signals.CopyFrom(signals)
    reasons = list(service.targeting.Decide(request, timeout=5).reasons)
    assert reasons == [pb.REASON_GLOBAL_PRIVACY_CONTROL, pb.REASON_SIGNAL_UNREADABLE]
    # The signal is stored for the account alone: the canary's device would no longer be what it is meant to be.
    service.watched.await_rounds()


def test_in_a_bid_request_it_limits(service: Open) -> None:
    for user, limits in (({"id": service.watched.id_of("control/account")}, True), ({"id": "bob"}, False)):
        call = pb.PrepareBidRequestRequest(
            bid_request=json.dumps({**BID, "user": user}).encode(), account_id="stranger", client=US
        )
        decision = service.targeting.PrepareBidRequest(call, timeout=5).decision
        assert (pb.REASON_SIGNAL_UNREADABLE in decision.reasons) is limits


def test_the_service_itself_may_name_them() -> None:
    request = AdRequest(identity=Identity(ACCOUNT, (ACCOUNT,), DEVICE), caller=CALLER.share)
    assert GUARD.checked(request) is request
    assert GUARD.limited_if_named(request, ACCOUNT.encode()) is request


def test_another_request_of_the_batch_keeps_its_plan() -> None:
    requests = [
        AdRequest(identity=Identity("bob"), client_country="US", cookie_header=f"MUID={muid}")
        for muid in (DEVICE, "0123456789abcdef" * 2)
    ]
    planned = plan(requests, DEFAULT_POLICY, 0)
    named, other = GUARD.withhold(planned).items
    assert (named.subjects, named.cookies.muid, named.cookies.device_doubt) == ((), "", True)
    assert other is planned.items[1]
    assert CanaryGuard().withhold(planned) is planned


@pytest.mark.parametrize("cookie", [f"MUID={DEVICE}", f"ANON=A={DEVICE}", f"MUID={DEVICE}; ANON=A={DEVICE}"])
def test_of_a_cookie_that_names_one_no_id_is_known_any_longer(cookie: str) -> None:
    planned = plan([AdRequest(identity=Identity("bob"), cookie_header=cookie)], DEFAULT_POLICY, 0)
    (item,) = GUARD.withhold(planned).items
    assert (item.cookies.muid, item.cookies.anon_id, item.subjects) == ("", "", ())
    assert item.verdict.reasons & Reason.SIGNAL_UNREADABLE.bit


def test_a_bid_request_that_names_one_is_unreadable_beside_what_was_before() -> None:
    request = AdRequest(signals=Signals(unreadable=("gpp",)))
    assert GUARD.limited_if_named(request, ACCOUNT.encode()).signals.unreadable == ("gpp", "bid_request")
    assert GUARD.limited_if_named(request, b"bob") is request
