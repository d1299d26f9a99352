"""PrepareBidRequest without gate and store: what a call of 4 KiB for three networks costs beyond an echo.

Like decisions, calls that wait are decided together; a case says how many. ``python -m benchmarks.prepare`` shows
each step. With gate, store and an echo beside it: ``python -m benchmarks`` ("PrepareBidRequest, 3 networks").
"""

import hashlib
import json
import time
from pathlib import Path
from typing import NamedTuple

from adtargeting.v1 import targeting_pb2 as pb

from benchmarks import people
from benchmarks.micro.timing import REFERENCE_US, MicroCase, reference, time_us
from server.decisions.bid_requests import PreparedAnswer, read_call
from server.geo.ip_location import IpLocator, open_locator
from server.messages import wire
from server.policy.policy_file import load_policy
from targeting.decision import Decision, Rulebook, decide, plan
from targeting.model import AdRequest, Mode, SubjectKind
from targeting.openrtb.bid_request import BidRequest
from targeting.records.preference import encode_preference
from targeting.records.profile import encode_profile
from targeting.records.stored_records import StoredRecords

_TARGET_US = 250.0
_TOGETHER = 16
_ROOT = Path(__file__).parents[1]
_RULEBOOK = Rulebook(load_policy(_ROOT / "policy.example.toml"), b"key of the ids that networks get")
_NETWORKS = ("house", "acme", "unknown-network")


class Steps(NamedTuple):
    """What each step of serving one call costs (µs), and how many calls are served together."""

    together: int
    read: float
    decide: float
    serialise: float
    prepare: float


class _Desk:
    """Serves copies of the same call together: read, decide, serialise, prepare."""

    def __init__(self, bid_request: dict[str, object], together: int, mode: Mode) -> None:
        text = json.dumps(bid_request, separators=(",", ":")).encode()
        account = people.account(0)
        call = pb.PrepareBidRequestRequest(bid_request=text, account_id=account.id, third_party_networks=_NETWORKS)
        self._payloads = [call.SerializeToString()] * together
        self._locator: IpLocator = open_locator("")
        self._records = [_record(account.id)] * together
        self._now_s = time.time()
        self.serve()
        if any(each.mode is not mode for each in self._decisions):
            raise AssertionError("the person of the benchmark must get a decision of the case's mode")

    def serve(self) -> list[bytes]:
        """Take all steps."""
        self.read()
        self.decide()
        self.serialise()
        return self.prepare()

    def read(self) -> None:
        """From bytes to requests."""
        self._calls: list[tuple[AdRequest, BidRequest]] = [read_call(each, self._locator) for each in self._payloads]

    def decide(self) -> None:
        """From requests and records to decisions."""
        planned = plan([request for request, _ in self._calls], _RULEBOOK.policy, self._now_s)
        records = self._records if planned.subjects else []
        naps = [()] * len(self._calls)
        self._decisions: list[Decision] = decide(planned, records, naps, _RULEBOOK, self._now_s)

    def serialise(self) -> None:
        """From decisions to bytes."""
        self._responses = wire.responses(self._decisions)

    def prepare(self) -> list[bytes]:
        """From decisions and bid requests to answers."""
        answers = zip(self._calls, self._decisions, self._responses, strict=True)
        built = [
            PreparedAnswer(bid, decision, text, _RULEBOOK.policy).build(64) for (_, bid), decision, text in answers
        ]
        return [answer for answer in built if answer is not None]

    def steps(self, loops: int) -> Steps:
        """Time each step, for one call."""
        thunks = (self.read, self.decide, self.serialise, self.prepare)
        size = len(self._payloads)
        read, decided, serialised, prepared = (time_us(thunk, loops) / size for thunk in thunks)
        return Steps(size, read, decided, serialised, prepared)


def cases() -> list[MicroCase]:
    """Return each case's name, what to time and its target in µs."""
    return [(f"prepare: {name}", desk.serve, _TARGET_US * together) for name, together, desk in _desks()]


def _desks() -> list[tuple[str, int, _Desk]]:
    request = json.loads((_ROOT / "docs" / "examples" / "web-display-gdpr.json").read_text(encoding="utf-8"))
    limiting = request | {"device": request["device"] | {"lmt": 1}}
    return [
        (f"4 KiB, 3 networks, {_TOGETHER} together", _TOGETHER, _Desk(request, _TOGETHER, Mode.BEHAVIOURAL)),
        (f"4 KiB, 3 networks, limited, {_TOGETHER} together", _TOGETHER, _Desk(limiting, _TOGETHER, Mode.LIMITED)),
        ("4 KiB, 3 networks, limited, alone", 1, _Desk(limiting, 1, Mode.LIMITED)),
    ]


def _record(account_id: str) -> StoredRecords:
    owner = hashlib.blake2b(account_id.encode(), digest_size=16).digest()
    preference, profile = encode_preference(people.preference(0), owner), encode_profile(people.profile(0), owner)
    return StoredRecords(SubjectKind.ACCOUNT, owner, preference, profile)


def main() -> None:
    """Print what each step costs one call, in µs as measured, and all of them on the reference machine."""
    print(f"{'µs a call':48} {'read':>8} {'decide':>8} {'serialise':>10} {'prepare':>8} {'all':>8} {'scaled':>8}")
    for name, _, desk in _desks():
        before_us = time_us(reference, 15)
        _, *steps = desk.steps(25)
        scaled = sum(steps) * REFERENCE_US * 2 / (before_us + time_us(reference, 15))
        read, decided, serialised, prepared = steps
        print(
            f"{name:48} {read:8.1f} {decided:8.1f} {serialised:10.1f} {prepared:8.1f} {sum(steps):8.1f} {scaled:8.1f}"
        )


if __name__ == "__main__":
    main()
