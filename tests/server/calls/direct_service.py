"""The handlers of profiles and preferences, called directly on any store, with messages in and out."""

from collections.abc import Callable, Iterable
from typing import Any

from adtargeting.v1 import preference_pb2, profile_pb2, targeting_pb2

from server.calls.activity import record_activity
from server.calls.call_context import CallContext, DecisionParts
from server.calls.preference import get_preferences, set_preference
from server.calls.profile import delete_profile, get_profile, update_profile
from server.choices.signal_opt_outs import ignore_signal_opt_out
from server.decisions.containment import observe_all
from server.decisions.decider import Decided, Decider
from server.decisions.fetcher import Fetcher
from server.decisions.signal_observer import SignalObserver
from server.metrics.metrics import Metrics
from server.store.ports import DecisionStore, RecordStore
from targeting.decision import Decision, Rulebook
from targeting.model import AdRequest, Identity
from targeting.places.geo import IpLocation
from targeting.policy.policy import DEFAULT_POLICY, Policy
from targeting.signals.cookies import Cookies
from targeting.signals.nap import Nap
from tests.server.store.fake_store import FakeStore

MUID = "0123456789abcdef" * 2
NOW_S = 1_780_000_000.0
AMERICAN = targeting_pb2.ClientSettings(country="US")
"""A country where no consent string is needed; without a country one would be."""


class Nowhere:
    """A locator without addresses."""

    def locate(self, ip_text: str) -> IpLocation:
        return IpLocation("", "")


def no_nap(_: str) -> Nap | None:
    return None


class Service:
    """All calls of one worker, without a gate: messages in, messages out, errors raised."""

    def __init__(
        self,
        store: DecisionStore,
        records: RecordStore,
        policy: Policy = DEFAULT_POLICY,
        *,
        on_signal_opt_out: Callable[[AdRequest, Cookies], None] = ignore_signal_opt_out,
        open_nap: Callable[[str], Nap | None] = no_nap,
    ) -> None:
        self.now_s = NOW_S
        self.policy = policy
        self.metrics = Metrics()
        decider, fetcher = Decider(self.rulebook, open_nap), Fetcher(store, self.metrics)
        self.decisions = DecisionParts(decider, fetcher, SignalObserver(self.metrics, on_signal_opt_out))
        self.tools = CallContext(
            records, self.decisions, self.rulebook, Nowhere(), open_nap, self.metrics, lambda: self.now_s, 5.0
        )

    def rulebook(self) -> Rulebook:
        return Rulebook(self.policy)

    def record(self, *activities: profile_pb2.Activity) -> list[profile_pb2.ActivityResult]:
        payload = profile_pb2.RecordActivityRequest(activities=activities).SerializeToString()
        return list(profile_pb2.RecordActivityResponse.FromString(record_activity(payload, self.tools)).results)

    def outcomes(self, *activities: profile_pb2.Activity) -> list[str]:
        return [outcome_name(result) for result in self.record(*activities)]

    def get(self, **subject: str) -> profile_pb2.GetProfileResponse:
        payload = profile_pb2.GetProfileRequest(**subject).SerializeToString()
        return profile_pb2.GetProfileResponse.FromString(get_profile(payload, self.tools))

    def update(
        self, paths: Iterable[str], declared: profile_pb2.DeclaredAttributes, **subject: Any
    ) -> profile_pb2.UpdateProfileResponse:
        request = profile_pb2.UpdateProfileRequest(declared=declared, **subject)
        request.update_mask.paths.extend(paths)
        return profile_pb2.UpdateProfileResponse.FromString(update_profile(request.SerializeToString(), self.tools))

    def delete(self, **subject: str) -> profile_pb2.DeleteProfileResponse:
        payload = profile_pb2.DeleteProfileRequest(**subject).SerializeToString()
        return profile_pb2.DeleteProfileResponse.FromString(delete_profile(payload, self.tools))

    def choose(self, choice: preference_pb2.Choice, **fields: Any) -> preference_pb2.SetPreferenceResponse:
        payload = preference_pb2.SetPreferenceRequest(choice=choice, **fields).SerializeToString()
        return preference_pb2.SetPreferenceResponse.FromString(set_preference(payload, self.tools))

    def opt_out(self, **fields: Any) -> preference_pb2.SetPreferenceResponse:
        return self.choose(preference_pb2.CHOICE_OPT_OUT, **fields)

    def opt_in(self, **fields: Any) -> preference_pb2.SetPreferenceResponse:
        return self.choose(preference_pb2.CHOICE_OPT_IN, **fields)

    def preferences(self, **subject: str) -> preference_pb2.GetPreferencesResponse:
        payload = preference_pb2.GetPreferencesRequest(**subject).SerializeToString()
        return preference_pb2.GetPreferencesResponse.FromString(get_preferences(payload, self.tools))

    def decide(self, account_id: str = "", device_id: str = "", **more: Any) -> Decision:
        request = AdRequest(identity=Identity(account_id, (), device_id), client_country="US")._replace(**more)
        return self.decide_request(request).decision

    def decide_request(self, request: AdRequest) -> Decided:
        decider, fetcher, observer = self.decisions
        planned = decider.plan([request], self.policy)
        observe_all(observer, planned.items)
        (decided,) = decider.decide(planned, fetcher.fetch(planned.subjects, 5.0), self.rulebook())
        return decided


def outcome_name(result: profile_pb2.ActivityResult) -> str:
    """Return RECORDED, DUPLICATE, SUPPRESSED with its reasons or REJECTED with its field, for each activity."""
    name = profile_pb2.Outcome.Name(result.outcome).removeprefix("OUTCOME_")
    reasons = [targeting_pb2.Reason.Name(reason).removeprefix("REASON_") for reason in result.reasons]
    return " ".join([name, *reasons, *([result.field] if result.field else [])])


def viewed(activity_id: str = "", *segment_ids: str, **fields: Any) -> profile_pb2.Activity:
    return _activity(activity_id, profile_pb2.ACTIVITY_KIND_CONTENT, segment_ids=segment_ids or ("386",), **fields)


def saw(activity_id: str = "", ad_id: str = "ad-1", **fields: Any) -> profile_pb2.Activity:
    return _activity(activity_id, profile_pb2.ACTIVITY_KIND_AD_IMPRESSION, ad_id=ad_id, **fields)


def called(activity_id: str = "", country: str = "GB", **fields: Any) -> profile_pb2.Activity:
    return _activity(activity_id, profile_pb2.ACTIVITY_KIND_CALL, destination_country=country, **fields)


def _activity(activity_id: str, kind: profile_pb2.ActivityKind, **fields: Any) -> profile_pb2.Activity:
    who = {} if {"account_id", "device_id"} & fields.keys() else {"account_id": "alice"}
    return profile_pb2.Activity(activity_id=activity_id, kind=kind, **{"client": AMERICAN, **who, **fields})


def service(store: FakeStore | None = None) -> Service:
    """Return a service on a store of its own."""
    store = store or FakeStore()
    return Service(store, store)
