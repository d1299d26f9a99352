"""A store that is emptied while it serves: an opted-out person stays limited, and nothing is recorded."""

from pathlib import Path

import grpc
import pytest
from adtargeting.v1.profile_pb2 import RecordActivityRequest
from adtargeting.v1.profile_pb2_grpc import ProfileServiceStub

from server.store.redis.url import RedisAddress
from server.store.trust import StoreTrust
from tests.faults.known_person import KnownPerson, known_person
from tests.faults.matrix.marks import Figure
from tests.faults.matrix.staging import empty
from tests.server.calls.direct_service import viewed
from tests.server.running_service import opt_out

PEOPLE = 50


def record(alice: KnownPerson, account_id: str) -> bool:
    """Whether an activity of the account was taken."""
    activities = RecordActivityRequest(activities=[viewed(account_id=account_id)])
    try:
        ProfileServiceStub(alice.channel).RecordActivity(activities, timeout=10)
    except grpc.RpcError:
        return False
    return True


@pytest.mark.fault(row=3)
@pytest.mark.parametrize("protected", [True, False], ids=["protected", "unprotected"])
def test_no_opt_out_is_forgotten_with_the_store(
    tmp_path: Path, empty_store_url: str, monkeypatch: pytest.MonkeyPatch, figure: Figure, protected: bool
) -> None:
    if not protected:
        monkeypatch.setattr(StoreTrust, "check", lambda *_: None)
    with known_person(tmp_path, redis_url=empty_store_url) as alice:
        opt_out(alice.channel)
        assert not alice.is_behavioural()
        address = alice.service.store.redis
        assert isinstance(address, RedisAddress)
        empty(address)
        people = ["alice", *(f"person-{number}" for number in range(1, PEOPLE))]
        recorded = sum(record(alice, person) for person in people)
        behavioural = sum(alice.is_behavioural(account_id=person) for person in people)
    figure(f"{recorded} of {PEOPLE} recorded and {behavioural} behavioural after the store was emptied")
    assert (recorded, behavioural) == ((0, 0) if protected else (PEOPLE, PEOPLE))
