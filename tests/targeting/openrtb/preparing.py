"""Prepare bid requests without a server: read, plan, decide, answer, as the worker does."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from adtargeting.v1 import targeting_pb2 as pb

from server.decisions.bid_requests import PreparedAnswer, read_call
from server.messages import wire
from server.policy.policy_file import load_policy
from targeting.decision import Rulebook, decide, plan
from targeting.model import Subject, SubjectKind
from targeting.places.geo import IpLocation
from targeting.policy.policy import Policy
from targeting.reasons import Reason
from targeting.records.preference import Preference, encode_preference
from targeting.records.profile import HeldDestination, HeldExposure, HeldInterest, Profile, SegmentKind, encode_profile
from targeting.records.stored_records import StoredRecords

ROOT = Path(__file__).parents[3]
POLICY = load_policy(ROOT / "policy.example.toml")
EXAMPLES: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "docs" / "examples").glob("*.json"))
}
NOW_S = 1_780_000_000
ALL_NETWORKS = tuple(network.id for network in POLICY.networks)
ALICE = Subject(SubjectKind.ACCOUNT, "alice")
SEGMENTS = ("663", "727", "246")
PROFILE = Profile(
    occupation="baker",
    postal_code="98052",
    interests=tuple(
        HeldInterest(segment, SegmentKind.CONTENT, 0.87 - 0.2 * index, NOW_S) for index, segment in enumerate(SEGMENTS)
    ),
    destinations=(HeldDestination("MX", 3, NOW_S),),
    exposures=(HeldExposure("ad-1", 3, 1, NOW_S - 600),),
    version=1,
    created_s=NOW_S,
    updated_s=NOW_S,
)
NO_CHOICE = Preference()

Json = dict[str, Any]
Stored = Mapping[Subject, StoredRecords]


class TableLocator:
    """Places the addresses of a table, and no others."""

    def __init__(self, table: Mapping[str, IpLocation]) -> None:
        self._table = table

    def locate(self, ip_text: str) -> IpLocation:
        return self._table.get(ip_text, IpLocation("", ""))


NOWHERE = TableLocator({})


class Prepared(NamedTuple):
    """An answer: as bytes, the decision in it, and the bid requests by network, as bytes and read."""

    answer: bytes
    decision: pb.DecideResponse
    texts: dict[str, bytes]
    bid_requests: dict[str, Json]

    @property
    def networks(self) -> dict[str, pb.NetworkDecision]:
        return {each.network_id: each for each in self.decision.networks}


def owner_of(subject: Subject) -> bytes:
    return hashlib.blake2b(f"{subject.kind}{subject.id}".encode(), digest_size=16).digest()


def record(
    subject: Subject = ALICE, preference: Preference | None = NO_CHOICE, profile: Profile | None = PROFILE
) -> StoredRecords:
    """The stored records of a subject; None for a missing record."""
    owner = owner_of(subject)
    return StoredRecords(
        subject.kind,
        owner,
        None if preference is None else encode_preference(preference, owner),
        None if profile is None else encode_profile(profile, owner),
    )


def asking(
    bid_request: Json | bytes, networks: Sequence[str] = ALL_NETWORKS, account_id: str = "alice", **others: Any
) -> pb.PrepareBidRequestRequest:
    text = bid_request if isinstance(bid_request, bytes) else json.dumps(bid_request).encode()
    return pb.PrepareBidRequestRequest(bid_request=text, third_party_networks=networks, account_id=account_id, **others)


def prepare(
    call: pb.PrepareBidRequestRequest,
    *,
    policy: Policy = POLICY,
    stored: Stored | Reason | None = None,
    locator: TableLocator = NOWHERE,
) -> Prepared:
    """Answer a call; by default the store holds Alice, who made no choice."""
    request, bid_request = read_call(call.SerializeToString(), locator)
    planned = plan([request], policy, NOW_S)
    known = {ALICE: record()} if stored is None else stored
    fetched = (
        known
        if isinstance(known, Reason)
        else [known.get(each, StoredRecords(each.kind, owner_of(each))) for each in planned.subjects]
    )
    (decision,) = decide(planned, fetched, [()], Rulebook(policy, b"key of the ids"), NOW_S)
    answer = PreparedAnswer(bid_request, decision, wire.responses([decision])[0], policy).build(64)
    assert answer is not None
    message = pb.PrepareBidRequestResponse.FromString(answer)
    texts = {each.network_id: each.bid_request for each in message.bid_requests}
    return Prepared(answer, message.decision, texts, {name: json.loads(text) for name, text in texts.items()})
