"""People who opt out while something happens to the store, through a real service, and what they see afterwards."""

import threading
import time

import grpc
from adtargeting.v1 import preference_pb2 as preferences
from adtargeting.v1 import targeting_pb2 as pb
from adtargeting.v1.preference_pb2_grpc import PreferenceServiceStub
from adtargeting.v1.profile_pb2 import RecordActivityRequest
from adtargeting.v1.profile_pb2_grpc import ProfileServiceStub
from adtargeting.v1.targeting_pb2_grpc import TargetingServiceStub

from tests.server.calls.direct_service import viewed

_ACTIVITIES_PER_CALL = 256


class Load:
    """People opt out one after the other; of each it is kept whether a later decision was behavioural.

    Their profiles are recorded before the load begins: a store that then loses an opt-out has a profile to use.
    """

    def __init__(self, channel: grpc.Channel, people: int = 1024) -> None:
        self._channel = channel
        self._people = people
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.confirmed: list[str] = []
        self.unconfirmed: list[str] = []
        self.confirmed_at_s: list[float] = []
        self.wrong = 0

    def __enter__(self) -> "Load":
        names = [_name(number) for number in range(self._people)]
        for start in range(0, len(names), _ACTIVITIES_PER_CALL):
            self.record(*names[start : start + _ACTIVITIES_PER_CALL])
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def lost(self) -> list[str]:
        """Return those whose confirmed opt-out is gone."""
        return [account for account in self.confirmed if self.behavioural(account)]

    def behavioural(self, account: str) -> bool:
        request = pb.DecideRequest(account_id=account, ip="8.8.8.8")
        answer = TargetingServiceStub(self._channel).Decide(request, timeout=10)
        return bool(answer.mode == pb.MODE_BEHAVIOURAL)

    def _run(self) -> None:
        for number in range(self._people):
            if self._done.is_set():
                return
            try:
                self._opt_out(_name(number))
            except grpc.RpcError:
                time.sleep(0.01)

    def record(self, *accounts: str) -> None:
        activities = RecordActivityRequest(activities=[viewed(account_id=account) for account in accounts])
        ProfileServiceStub(self._channel).RecordActivity(activities, timeout=10)

    def _opt_out(self, account: str) -> None:
        request = preferences.SetPreferenceRequest(
            account_id=account, choice=preferences.CHOICE_OPT_OUT, source=preferences.SOURCE_ACCOUNT_PAGE
        )
        answer = PreferenceServiceStub(self._channel).SetPreference(request, timeout=10)
        if answer.durability != preferences.DURABILITY_CONFIRMED:
            self.unconfirmed.append(account)
            return
        self.confirmed.append(account)
        self.confirmed_at_s.append(time.monotonic())
        self.wrong += self.behavioural(account)


def _name(number: int) -> str:
    return f"person {number}"
