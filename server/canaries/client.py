"""The client of the canaries: asks through the real gate, over a Unix socket, as any caller does."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import grpc
from adtargeting.v1 import targeting_pb2 as pb
from adtargeting.v1.targeting_pb2_grpc import TargetingServiceStub

from server.canaries.leaks import Examiner, Fault
from server.canaries.requests import Asking
from server.security.own_credential import OwnCredential
from targeting.canaries.people import Canary

_TIMEOUT_S: Final = 0.5


class Answer(NamedTuple):
    """What one call answered about one canary. ``is_unserved``: nothing that says anything about it."""

    canary: Canary
    call: str
    faults: Sequence[Fault] = ()
    is_unserved: bool = False


class CanaryClient:
    """Asks in every call. Used on one thread."""

    def __init__(self, target: str, credential: OwnCredential, examiner: Examiner) -> None:
        self._channel = grpc.insecure_channel(target)
        self._stub = TargetingServiceStub(self._channel)
        self._metadata = (credential.header,)
        self._examiner = examiner

    def ask(self, canaries: Sequence[Canary], asking: Asking) -> Iterator[Answer]:
        """Ask about every canary in every call, and yield the answers. Raises ``grpc.RpcError``."""
        requests = [asking.decide_request(canary) for canary in canaries]
        for canary, request in zip(canaries, requests, strict=True):
            decided = self._stub.Decide(request, timeout=_TIMEOUT_S, metadata=self._metadata)
            yield self._decided(canary, "Decide", decided)
        batch = pb.DecideBatchRequest(requests=requests)
        results = self._stub.DecideBatch(batch, timeout=_TIMEOUT_S, metadata=self._metadata).results
        for canary, result in zip(canaries, results, strict=True):
            if result.HasField("response"):
                yield self._decided(canary, "DecideBatch", result.response)
            else:
                yield Answer(canary, "DecideBatch", is_unserved=True)
        for canary in canaries:
            call = asking.bid_request_call(canary)
            prepared = self._stub.PrepareBidRequest(call, timeout=_TIMEOUT_S, metadata=self._metadata)
            faults = self._examiner.prepared(canary, prepared)
            yield Answer(canary, "PrepareBidRequest", faults, self._examiner.is_unserved(canary, prepared.decision))

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()

    def _decided(self, canary: Canary, call: str, answer: pb.DecideResponse) -> Answer:
        return Answer(canary, call, self._examiner.decided(canary, answer), self._examiner.is_unserved(canary, answer))
