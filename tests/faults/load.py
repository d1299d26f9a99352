"""People who opt out while something happens to the store, through a real service, and what they see afterwards."""

import threading
import time
from itertools import pairwise

import grpc
from adtargeting.v1 import preference_pb2 as preferences
from adtargeting.v1 import targeting_pb2 as pb
from adtargeting.v1.preference_pb2_grpc import PreferenceServiceStub
from adtargeting.v1.profile_pb2 import RecordActivityRequest
from adtargeting.v1.profile_pb2_grpc import ProfileServiceStub
from adtargeting.v1.targeting_pb2_grpc import TargetingServiceStub

from tests.server.calls.direct_service import viewed

_ACTIVITIES_PER_CALL = 256
_PAUSE_S = 0.01
_WATCH_PAUSE_S = 0.05
WITNESSES = tuple(f"witness {number}" for number in range(12))
"""People who never choose: one who is not behavioural shows that the store is not used, or not all of it."""

_SILENT = {pb.REASON_STORE_TIMEOUT, pb.REASON_STORE_UNAVAILABLE}
"""Reasons for which a decision says nothing about what is stored."""


class Load:
    """People opt out one after the other; of each it is kept whether a later decision was behavioural.

    Their profiles are recorded before the load begins: a store that then loses an opt-out has a profile to use.
    """

    def __init__(self, channel: grpc.Channel, people: int = 1024) -> None:
        self._channel = channel
        self._people = people
        self._done = threading.Event()
        self._threads = [threading.Thread(target=run) for run in (self._opt_out_all, self._watch)]
        self.confirmed: list[str] = []
        self.unconfirmed: list[str] = []
        self.wrong = 0
        self._behavioural = {account: _Times() for account in WITNESSES}
        self._stored, self._confirmed = _Times(), _Times()

    def __enter__(self) -> "Load":
        names = [*WITNESSES, *map(_name, range(self._people))]
        for start in range(0, len(names), _ACTIVITIES_PER_CALL):
            self.record(*names[start : start + _ACTIVITIES_PER_CALL])
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()

    def lost(self) -> list[str]:
        """Return those whose confirmed opt-out is gone, once the store has answered for every one."""
        while True:
            answers = {account: self._decide(account) for account in self.confirmed}
            if not any(_SILENT.intersection(answer.reasons) for answer in answers.values()):
                return [account for account, answer in answers.items() if answer.mode == pb.MODE_BEHAVIOURAL]
            time.sleep(_WATCH_PAUSE_S)

    def is_whole(self) -> bool:
        """Whether the store is used for everyone."""
        return all(self.behavioural(account) for account in WITNESSES)

    def behavioural(self, account: str) -> bool:
        return bool(self._decide(account).mode == pb.MODE_BEHAVIOURAL)

    def _decide(self, account: str) -> pb.DecideResponse:
        request = pb.DecideRequest(account_id=account, ip="8.8.8.8")
        answer: pb.DecideResponse = TargetingServiceStub(self._channel).Decide(request, timeout=10)
        return answer

    def record(self, *accounts: str) -> None:
        activities = RecordActivityRequest(activities=[viewed(account_id=account) for account in accounts])
        ProfileServiceStub(self._channel).RecordActivity(activities, timeout=10)

    def outage(self) -> str:
        """Return for how long a person was limited at most, and no choice was stored, or confirmed."""
        limited_s = max(times.longest_gap_s() for times in self._behavioural.values())
        stored_s, confirmed_s = self._stored.longest_gap_s(), self._confirmed.longest_gap_s()
        return f"limited {limited_s:.1f} s, no choice stored {stored_s:.1f} s, none confirmed {confirmed_s:.1f} s"

    def _opt_out_all(self) -> None:
        for number in range(self._people):
            if self._done.is_set():
                return
            try:
                self._opt_out(_name(number))
            except grpc.RpcError:
                time.sleep(_PAUSE_S)

    def _opt_out(self, account: str) -> None:
        request = preferences.SetPreferenceRequest(
            account_id=account, choice=preferences.CHOICE_OPT_OUT, source=preferences.SOURCE_ACCOUNT_PAGE
        )
        answer = PreferenceServiceStub(self._channel).SetPreference(request, timeout=10)
        self._stored.add()
        if answer.durability != preferences.DURABILITY_CONFIRMED:
            self.unconfirmed.append(account)
            return
        self.confirmed.append(account)
        self._confirmed.add()
        self.wrong += self.behavioural(account)

    def _watch(self) -> None:
        while not self._done.is_set():
            for account in WITNESSES:
                if self.behavioural(account):
                    self._behavioural[account].add()
            time.sleep(_WATCH_PAUSE_S)


class _Times:
    """When something happened (``time.monotonic``)."""

    def __init__(self) -> None:
        self._times_s: list[float] = []

    def add(self) -> None:
        self._times_s.append(time.monotonic())

    def longest_gap_s(self) -> float:
        """Return the most seconds from one to the next."""
        return max((later - earlier for earlier, later in pairwise(self._times_s)), default=0.0)


def _name(number: int) -> str:
    return f"person {number}"
