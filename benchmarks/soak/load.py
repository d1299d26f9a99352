"""The load of a soak: decisions at a steady rate by the open-loop client, and beside them every other kind of call."""

import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import grpc
from adtargeting.v1 import preference_pb2, profile_pb2
from adtargeting.v1.preference_pb2_grpc import PreferenceServiceStub
from adtargeting.v1.profile_pb2_grpc import ProfileServiceStub
from adtargeting.v1.targeting_pb2_grpc import TargetingServiceStub

from benchmarks import people
from benchmarks.load.h2load import Target
from benchmarks.open_loop.plan import run_open_loop
from benchmarks.soak.windows import Answers

_PAUSE_S: Final = 0.05
_TIMEOUT_S: Final = 5.0
_PERSON: Final = 7
"""Whose choices and profile the other calls change; not a person about whom decisions are watched."""


class SteadyDecisions:
    """Calls that arrive at a steady rate, a window at a time."""

    def __init__(self, target: Target, rate: float, window_s: float, scratch: Path) -> None:
        self._target, self._rate, self._window_s, self._scratch = target, rate, window_s, scratch

    def __call__(self) -> Answers:
        """Run one window."""
        outcome = run_open_loop(self._target, self._scratch, rate=self._rate, seconds=self._window_s)
        return Answers(
            calls=outcome.calls,
            unanswered=outcome.refused + outcome.lost,
            p50_ms=outcome.percentile_ms(50),
            p99_ms=outcome.percentile_ms(99),
        )


class OtherCalls:
    """One call of another kind every 50 ms, so that no path of the service stays unused; a context manager."""

    def __init__(self, address: str) -> None:
        self.made = 0
        self.failed = 0
        self._channel = grpc.insecure_channel(address)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="other-calls", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()
        self._channel.close()

    def _run(self) -> None:
        calls = self._calls()
        while not self._done.wait(_PAUSE_S):
            try:
                calls[self.made % len(calls)]()
            except grpc.RpcError:
                self.failed += 1
            self.made += 1

    def _calls(self) -> list[Callable[[], object]]:
        targeting, profiles = TargetingServiceStub(self._channel), ProfileServiceStub(self._channel)
        choices = PreferenceServiceStub(self._channel)
        account = people.account(_PERSON).id
        seen = profile_pb2.RecordActivityRequest(
            activities=[
                profile_pb2.Activity(account_id=account, kind=profile_pb2.ACTIVITY_KIND_AD_IMPRESSION, ad_id="ad-1")
            ]
        )
        bid_request, batch = people.bid_request(_PERSON + 1), people.batch(_PERSON + 1, 32)

        def choose(choice: preference_pb2.Choice) -> object:
            return choices.SetPreference(
                preference_pb2.SetPreferenceRequest(
                    account_id=account, choice=choice, source=preference_pb2.SOURCE_ACCOUNT_PAGE
                ),
                timeout=_TIMEOUT_S,
            )

        return [
            lambda: targeting.PrepareBidRequest(bid_request, timeout=_TIMEOUT_S),
            lambda: profiles.RecordActivity(seen, timeout=_TIMEOUT_S),
            lambda: choose(preference_pb2.CHOICE_OPT_OUT),
            lambda: targeting.DecideBatch(batch, timeout=_TIMEOUT_S),
            lambda: choose(preference_pb2.CHOICE_OPT_IN),
            lambda: profiles.GetProfile(profile_pb2.GetProfileRequest(account_id=account), timeout=_TIMEOUT_S),
        ]
