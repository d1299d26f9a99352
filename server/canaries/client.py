"""The client of the canaries: asks through the real gate, over a Unix socket, as any caller does."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from adtargeting.v1 import targeting_pb2 as pb

from server.canaries.connection import Unanswered, connected
from server.canaries.leaks import Examiner, Fault
from server.canaries.requests import Asking
from server.gate.methods import DECIDE, DECIDE_BATCH, PREPARE_BID_REQUEST
from server.security.own_credential import OwnCredential
from targeting.canaries.people import Canary

_TIMEOUT_S: Final = 0.5


class Answer(NamedTuple):
    """What one call answered about one canary. ``is_unserved``: without a fault it says nothing about the canary."""

    canary: Canary
    call: str
    faults: Sequence[Fault] = ()
    is_unserved: bool = False


class CanaryClient:
    """Asks in every call, over a connection for each round."""

    def __init__(self, path: str, credential: OwnCredential, examiner: Examiner) -> None:
        """``path`` is that of the gate's socket."""
        self._path = path
        self._credential = credential
        self._examiner = examiner

    def ask(self, canaries: Sequence[Canary], asking: Asking) -> Iterator[Answer]:
        """Ask about every canary in every call, and yield the answers. Raises ``Unanswered``."""
        if not canaries:
            return
        try:
            with connected(self._path, self._credential.header, _TIMEOUT_S) as connection:
                yield from self._asked(canaries, asking, connection.call)
        except OSError as problem:
            raise Unanswered(f"the gate is out of reach: {problem.strerror or 'timed out'}") from problem

    def _asked(
        self, canaries: Sequence[Canary], asking: Asking, call: Callable[[str, bytes], bytes]
    ) -> Iterator[Answer]:
        requests = [asking.decide_request(canary) for canary in canaries]
        for canary, request in zip(canaries, requests, strict=True):
            decided = pb.DecideResponse.FromString(call(DECIDE.path, request.SerializeToString()))
            yield self._decided(canary, "Decide", decided)
        batch = call(DECIDE_BATCH.path, pb.DecideBatchRequest(requests=requests).SerializeToString())
        for canary, result in zip(canaries, pb.DecideBatchResponse.FromString(batch).results, strict=True):
            if result.HasField("response"):
                yield self._decided(canary, "DecideBatch", result.response)
            else:
                yield Answer(canary, "DecideBatch", is_unserved=True)
        for canary in canaries:
            asked = asking.bid_request_call(canary).SerializeToString()
            prepared = pb.PrepareBidRequestResponse.FromString(call(PREPARE_BID_REQUEST.path, asked))
            faults = self._examiner.prepared(canary, prepared)
            yield Answer(canary, "PrepareBidRequest", faults, self._examiner.is_unserved(canary, prepared.decision))

    def _decided(self, canary: Canary, call: str, answer: pb.DecideResponse) -> Answer:
        return Answer(canary, call, self._examiner.decided(canary, answer), self._examiner.is_unserved(canary, answer))
