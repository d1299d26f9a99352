"""What is wrong with an answer about a canary. Reads answers as their receivers do; knows no store and no clock."""

import json
from collections.abc import Iterator
from typing import Final, NamedTuple

from adtargeting.v1 import targeting_pb2 as pb

from server.canaries.requests import ADDRESS
from targeting.canaries.ids import CanaryIds
from targeting.canaries.people import Canary

_STORE_FAILED: Final = frozenset((pb.REASON_STORE_TIMEOUT, pb.REASON_STORE_UNAVAILABLE))


class Fault(NamedTuple):
    """Something wrong, in words that show nothing of a canary. ``is_limit``: the control was limited."""

    text: str
    is_limit: bool = False


class Examiner(NamedTuple):
    """Examines the answers about canaries."""

    ids: CanaryIds

    def decided(self, canary: Canary, answer: pb.DecideResponse) -> list[Fault]:
        """Return the faults of a decision."""
        return list(self._control(canary, answer) if canary.is_control else self._limited(canary, answer))

    def prepared(self, canary: Canary, answer: pb.PrepareBidRequestResponse) -> list[Fault]:
        """Return the faults of a decision, and of the bid requests that came with it."""
        faults = self.decided(canary, answer.decision)
        for each in answer.bid_requests:
            if self._shows(canary, each.bid_request):
                faults.append(Fault(f"its id or mark in the bid request for {each.network_id}"))
            if not canary.is_control:
                faults += self._limited_payload(each)
        return faults

    @staticmethod
    def is_unserved(canary: Canary, answer: pb.DecideResponse) -> bool:
        """Whether an answer without a fault says nothing about its canary.

        So it is for a control that the store did not serve, and for anyone who is limited for a reason that is not
        its own: by a store that failed, the guard that this canary watches was not even asked.
        """
        if canary.is_control:
            return bool(answer.reasons) and _STORE_FAILED.issuperset(answer.reasons)
        return canary.reason not in {int(reason) for reason in answer.reasons}

    def _control(self, canary: Canary, answer: pb.DecideResponse) -> Iterator[Fault]:
        if answer.mode != pb.MODE_BEHAVIOURAL:
            if not self.is_unserved(canary, answer):
                names = ", ".join(pb.Reason.Name(reason).removeprefix("REASON_") for reason in answer.reasons)
                yield Fault(f"the control is LIMITED: {names}", is_limit=True)
            return
        if answer.behavioural.demographics.occupation != self.ids.mark_of(canary.name):
            yield Fault("the control's features are not its own")
        for network in answer.networks:
            if self._shows(canary, network.SerializeToString()):
                yield Fault(f"its id or mark in the answer for {network.network_id}")

    def _limited(self, canary: Canary, answer: pb.DecideResponse) -> Iterator[Fault]:
        if answer.mode != pb.MODE_LIMITED:
            yield Fault("a BEHAVIOURAL answer")
        if answer.HasField("behavioural"):
            yield Fault("behavioural features")
        for network in answer.networks:
            if network.HasField("profile") or network.profile_shared:
                yield Fault(f"a profile for {network.network_id}")
            if network.network_user_id or network.id_shared:
                yield Fault(f"an id for {network.network_id}")
            if network.precise_geo_allowed or network.masked_ip == ADDRESS:
                yield Fault(f"the exact place for {network.network_id}")
        if self._shows(canary, answer.SerializeToString()):
            yield Fault("its id or mark in the answer")

    def _shows(self, canary: Canary, text: bytes) -> bool:
        return self.ids.occur_in(text) or self.ids.mark_of(canary.name).encode() in text

    @staticmethod
    def _limited_payload(prepared: pb.PreparedBidRequest) -> Iterator[Fault]:
        user = json.loads(prepared.bid_request).get("user", {})
        if {"data", "eids", "id", "buyeruid"} & {*user, *user.get("ext", {})}:
            yield Fault(f"a profile or an id in the bid request for {prepared.network_id}")
        if ADDRESS.encode() in prepared.bid_request:
            yield Fault(f"the whole address in the bid request for {prepared.network_id}")
