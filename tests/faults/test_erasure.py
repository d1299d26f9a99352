"""After an erasure nothing of a person's values is anywhere in Redis; and no id ever was."""

import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from adtargeting.v1 import profile_pb2 as pb
from adtargeting.v1 import targeting_pb2

from server.store.redis.handshake import open_connection
from server.store.redis.primary import Primary
from server.store.redis.store import RedisStore
from server.store.redis.url import RedisAddress
from tests.server.calls.direct_service import Service, called, saw, viewed
from tests.server.store.fake_store import PSEUDONYMS

ACCOUNT, DEVICE, ACTIVITY = "account-of-zebedee", "device-of-zebedee", "activity-of-zebedee"
VALUES = ["vendor:zeppelin", "ad-zygote", "zookeeper", "ZE2 4ZZ", "ZM", "zu-ZA"]
DECLARED = pb.DeclaredAttributes(
    gender=targeting_pb2.GENDER_OTHER, occupation="zookeeper", postal_code="ZE2 4ZZ", country="ZM", language="zu-ZA"
)


def everything(address: RedisAddress) -> dict[bytes, bytes]:
    """Every key of the server with its value, as Redis itself would hand it to another server."""
    deadline_s = time.monotonic() + 20
    with closing(open_connection(address, 5)) as link:
        keys, cursor = [], b"0"
        while True:
            cursor, found = link.ask((b"SCAN", cursor, b"COUNT", b"1000"), deadline_s)
            keys += found
            if cursor == b"0":
                return {key: link.ask((b"GET", key), deadline_s) for key in keys}


def holding(address: RedisAddress, text: str) -> list[bytes]:
    """Name the keys that hold a text, in the key or in the value, whatever its case."""
    wanted = text.encode().lower()
    return [key for key, value in everything(address).items() if wanted in key.lower() or wanted in value.lower()]


@pytest.fixture
def service(redis_address: RedisAddress) -> Iterator[Service]:
    with closing(RedisStore(Primary(redis_address), PSEUDONYMS)) as store:
        yield Service(store, store)


def live(service: Service, **who: str) -> None:
    sent = [
        viewed(f"{ACTIVITY}-1", "vendor:zeppelin", "386", **who),
        saw(f"{ACTIVITY}-2", "ad-zygote", **who),
        called(f"{ACTIVITY}-3", "ZMB", **who),
    ]
    assert service.outcomes(*sent) == ["RECORDED"] * 3
    service.update(["gender", "occupation", "postal_code", "country", "language"], DECLARED, **who)


SUBJECTS = {"an account": {"account_id": ACCOUNT}, "a device": {"device_id": DEVICE}}


@pytest.mark.parametrize("who", SUBJECTS.values(), ids=SUBJECTS)
@pytest.mark.parametrize("opted_out", [False, True], ids=["opted in", "opted out"])
def test_nothing_is_left(service: Service, redis_address: RedisAddress, who: dict[str, str], opted_out: bool) -> None:
    live(service, account_id="somebody else")
    before = everything(redis_address)
    live(service, **who)
    assert all(holding(redis_address, value) for value in VALUES), "the scan would have found nothing anyway"
    assert not any(holding(redis_address, text) for text in (ACCOUNT, DEVICE, ACTIVITY))
    if opted_out:
        service.opt_out(**who)
    receipt = service.delete(**who)
    assert receipt.keys_removed == 2
    left = {key: value for key, value in everything(redis_address).items() if key not in before}
    (key,) = left
    assert key.endswith(b":pref")
    assert receipt.subject_pseudonym.encode() in key
    shown = service.get(**who)
    assert not shown.profile_held
    assert (len(shown.interests), len(shown.call_destinations), len(shown.exposures)) == (0, 0, 0)
    assert (shown.declared, shown.version) == (pb.DeclaredAttributes(), 0)


def test_no_value_is_left_when_nobody_else_has_it(service: Service, redis_address: RedisAddress) -> None:
    who = {"account_id": ACCOUNT}
    live(service, **who)
    service.delete(**who)
    assert not any(holding(redis_address, value) for value in VALUES)


def test_a_late_activity_after_the_erasure_of_somebody_opted_out_recreates_nothing(
    service: Service, redis_address: RedisAddress
) -> None:
    live(service, account_id=ACCOUNT)
    service.opt_out(account_id=ACCOUNT)
    service.delete(account_id=ACCOUNT)
    after = everything(redis_address)
    assert service.outcomes(saw(f"{ACTIVITY}-2", account_id=ACCOUNT)) == ["SUPPRESSED ACCOUNT_OPT_OUT"]
    assert everything(redis_address) == after
