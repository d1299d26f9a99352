"""Callers: threads that send requests. What they are answered does not matter here; what the metrics say of it does."""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Self

import grpc
from adtargeting.v1 import preference_pb2, profile_pb2
from adtargeting.v1 import targeting_pb2 as pb
from adtargeting.v1.preference_pb2_grpc import PreferenceServiceStub
from adtargeting.v1.profile_pb2_grpc import ProfileServiceStub
from adtargeting.v1.targeting_pb2_grpc import TargetingServiceStub

from tests.monitor.traffic import Explanation, Request

_PAUSE_S, _TIMEOUT_S = 0.02, 5
_OWN_CONNECTION = (("grpc.use_local_subchannel_pool", 1),)


def _explain(channel: grpc.Channel) -> Callable[..., pb.ExplainResponse]:
    stub = TargetingServiceStub(channel)

    def explain(asked: Explanation, timeout: float) -> pb.ExplainResponse:
        answer: pb.ExplainResponse = stub.Explain(asked.request, timeout=timeout)
        return answer

    return explain


_METHODS: Final[dict[type[Request], Callable[[grpc.Channel], Any]]] = {
    Explanation: _explain,
    pb.DecideRequest: lambda channel: TargetingServiceStub(channel).Decide,
    pb.DecideBatchRequest: lambda channel: TargetingServiceStub(channel).DecideBatch,
    pb.PrepareBidRequestRequest: lambda channel: TargetingServiceStub(channel).PrepareBidRequest,
    profile_pb2.RecordActivityRequest: lambda channel: ProfileServiceStub(channel).RecordActivity,
    profile_pb2.GetProfileRequest: lambda channel: ProfileServiceStub(channel).GetProfile,
    profile_pb2.UpdateProfileRequest: lambda channel: ProfileServiceStub(channel).UpdateProfile,
    profile_pb2.DeleteProfileRequest: lambda channel: ProfileServiceStub(channel).DeleteProfile,
    preference_pb2.GetPreferencesRequest: lambda channel: PreferenceServiceStub(channel).GetPreferences,
    preference_pb2.SetPreferenceRequest: lambda channel: PreferenceServiceStub(channel).SetPreference,
}


def connect(address: str) -> grpc.Channel:
    """Return a connection of its own."""
    return grpc.insecure_channel(address, _OWN_CONNECTION)


class Client:
    """One client: threads that send requests over one connection, until the end of the block."""

    def __init__(self, channel: grpc.Channel, requests: Callable[[], Iterator[Request]], at_a_time: int = 1) -> None:
        self._channel = channel
        self._requests = requests
        self._done = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(at_a_time)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()
        self._channel.close()

    def _run(self) -> None:
        methods = {request: method(self._channel) for request, method in _METHODS.items()}
        for request in self._requests():
            with suppress(grpc.RpcError):
                methods[type(request)](request, timeout=_TIMEOUT_S)
            if self._done.wait(_PAUSE_S):
                return
