"""What a decision costs without any I/O, by the size of its batch: parse, plan and decide, serialise."""

import hashlib
import time
from collections.abc import Sequence
from functools import partial
from statistics import median
from typing import NamedTuple

from adtargeting.v1 import targeting_pb2 as pb

from benchmarks import people
from benchmarks.micro.timing import time_us
from server.geo.ip_location import IpLocator, open_locator
from server.messages import wire
from server.messages.translate import ad_request
from targeting.decision import Decision, Rulebook, decide, plan
from targeting.model import AdRequest, Mode, Subject, SubjectKind
from targeting.policy.policy import DEFAULT_POLICY
from targeting.records.preference import encode_preference
from targeting.records.profile import encode_profile
from targeting.records.stored_records import StoredRecords
from targeting.rejudging.batch import DecidedBatch

SIZES = (1, 4, 16, 32, 64, 256)

_RULEBOOK = Rulebook(DEFAULT_POLICY, b"key of the ids that networks get")


class Parts(NamedTuple):
    """What one decision of a batch costs, in ns."""

    size: int
    parse: float
    decide: float
    serialise: float

    @property
    def whole(self) -> float:
        """All of it."""
        return self.parse + self.decide + self.serialise


class Bench:
    """A batch at every stage of its way; every request asks about the same networks."""

    def __init__(self, size: int, locator: IpLocator, networks: Sequence[str] = ()) -> None:
        self._locator = locator
        self._records = [record for number in range(size) for record in _records(number)]
        self._now_s = time.time()
        self.messages = [_message(number, networks) for number in range(size)]
        self.requests = self.parse()
        self.decisions = self.decide()
        if any(each.mode is not Mode.BEHAVIOURAL for each in self.decisions):
            raise AssertionError("the people of the benchmark must get behavioural decisions")

    def parse(self) -> list[AdRequest]:
        """From bytes to requests."""
        return [ad_request(pb.DecideRequest.FromString(each), self._locator) for each in self.messages]

    def decide(self) -> list[Decision]:
        """From requests and records to decisions."""
        planned = plan(self.requests, DEFAULT_POLICY, self._now_s)
        return decide(planned, self._records, [()] * len(self.requests), _RULEBOOK, self._now_s)

    def batch(self) -> DecidedBatch:
        """Return the decisions with what they were made from."""
        planned, naps = plan(self.requests, DEFAULT_POLICY, self._now_s), [()] * len(self.requests)
        return DecidedBatch(planned, self._records, naps, self.decisions, DEFAULT_POLICY, self._now_s)

    def whole(self) -> list[bytes]:
        """From bytes to bytes."""
        self.requests = self.parse()
        self.decisions = self.decide()
        return self.serialise()

    def serialise(self) -> list[bytes]:
        """From decisions to bytes."""
        return wire.responses(self.decisions)


def measure_core(repeats: int, loops: int, sizes: Sequence[int] = SIZES) -> list[Parts]:
    """Time every size in turn, repeatedly, and return the medians."""
    locator = open_locator("")
    benches = {size: Bench(size, locator) for size in sizes}
    found: dict[int, list[Parts]] = {size: [] for size in sizes}
    for _ in range(repeats):
        for size, bench in benches.items():
            found[size].append(_parts(size, bench, loops))
    return [_middle(size, each) for size, each in found.items()]


def _parts(size: int, bench: Bench, loops: int) -> Parts:
    per_item = partial(_ns_an_item, size=size, loops=loops)
    return Parts(size, per_item(bench.parse), per_item(bench.decide), per_item(bench.serialise))


def _ns_an_item(work: object, size: int, loops: int) -> float:
    assert callable(work)
    return time_us(work, loops) * 1000 / size


def _middle(size: int, found: Sequence[Parts]) -> Parts:
    return Parts(
        size,
        median(each.parse for each in found),
        median(each.decide for each in found),
        median(each.serialise for each in found),
    )


def _records(number: int) -> tuple[StoredRecords, StoredRecords]:
    """The account has a preference record and a profile; of the device nothing is known."""
    owner, device = _owner(people.account(number)), Subject(SubjectKind.DEVICE, people.request(number).device_id)
    return (
        StoredRecords(
            SubjectKind.ACCOUNT,
            owner,
            encode_preference(people.preference(number), owner),
            encode_profile(people.profile(number), owner),
        ),
        StoredRecords(SubjectKind.DEVICE, _owner(device)),
    )


def _message(number: int, networks: Sequence[str]) -> bytes:
    message = people.request(number)
    message.third_party_networks.extend(networks)
    return message.SerializeToString()


def _owner(subject: Subject) -> bytes:
    return hashlib.blake2b(subject.id.encode(), digest_size=16).digest()
