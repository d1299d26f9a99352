"""Invalid stored values: their owner is LIMITED, the other person in the batch is not, and no internal error is logged.

Everything that features are computed from is checked when the record is read.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from math import nan

import grpc
import pytest
from adtargeting.v1 import targeting_pb2 as pb
from adtargeting.v1.targeting_pb2_grpc import TargetingServiceStub

from server.store.redis.connection import Connection
from server.store.redis.handshake import open_connection
from targeting.model import Subject, SubjectKind
from targeting.records import profile as profiles
from targeting.records.envelope import seal
from targeting.records.preference import Preference, encode_preference
from targeting.records.profile import (
    DESTINATION,
    EXPOSURE,
    INTEREST,
    NOTHING_KNOWN,
    OUTSIDE_CODE,
    Profile,
    encode_profile,
    write_profile,
)
from tests.faults.known_person import KnownPerson, known_person

pytestmark = pytest.mark.fault(row=17)

PROTECTED = pytest.mark.parametrize("protected", [True, False], ids=["protected", "unprotected"])
BOB = Subject(SubjectKind.ACCOUNT, "bob")
ANOTHER = b"another's owner."
SCHEMA_AT = 2
Spoil = Callable[[bytes], bytes]
"""Returns a stored value, given its owner's pseudonym."""


def good_preference(owner: bytes) -> bytes:
    return encode_preference(Preference(), owner)


def good_profile(owner: bytes) -> bytes:
    return encode_profile(Profile(occupation="baker"), owner)


def of_schema(value: bytes, schema: int) -> bytes:
    return value[:SCHEMA_AT] + bytes((schema,)) + value[SCHEMA_AT + 1 :]


UNREADABLE: dict[str, Spoil] = {
    "another magic": lambda owner: b"XX" + good_profile(owner)[2:],
    "an older schema": lambda owner: of_schema(good_profile(owner), 0),
    "a newer schema": lambda owner: of_schema(good_profile(owner), 9),
    "truncated": lambda owner: good_profile(owner)[:-1],
    "a byte too many": lambda owner: good_profile(owner) + b"x",
    "sealed garbage": lambda owner: seal(b"aF", 1, owner, b"\xff" * 40),
    "another owner's": lambda _: good_profile(ANOTHER),
    "no record at all": lambda _: b"\0",
}
UNREADABLE_PREFERENCES: dict[str, Spoil] = {
    "another magic": lambda owner: b"XX" + good_preference(owner)[2:],
    "a newer schema": lambda owner: of_schema(good_preference(owner), 9),
    "truncated": lambda owner: good_preference(owner)[:-1],
    "sealed garbage": lambda owner: seal(b"aP", 1, owner, b"\xff" * 40),
    "another owner's": lambda _: good_preference(ANOTHER),
}


def of_interest(code: int = 300, kind: int = 1) -> Spoil:
    return lambda owner: write_profile(NOTHING_KNOWN._replace(interest_rows=INTEREST.pack(code, 1, 9, kind)), owner)


def of_destination(country: bytes = b"DE", weight: float = 1.0) -> Spoil:
    row = DESTINATION.pack(country, weight, int(time.time()))
    return lambda owner: write_profile(NOTHING_KNOWN._replace(destination_rows=row), owner)


def of_ad(ad_id: bytes) -> Spoil:
    return lambda owner: write_profile(
        NOTHING_KNOWN._replace(exposure_rows=EXPOSURE.pack(1, 0, 1), ad_ids=[ad_id]), owner
    )


IMPOSSIBLE: dict[str, Spoil] = {
    "a code that the taxonomy does not have": of_interest(code=OUTSIDE_CODE - 1),
    "a name that the profile does not have": of_interest(code=OUTSIDE_CODE + 3),
    "a kind that does not exist": of_interest(kind=99),
    "a weight of NaN": of_destination(weight=nan),
    "a country that is not ASCII": of_destination(country=b"\xff\xfe"),
}
"""Sealed correctly, in the form of this version."""


@pytest.fixture(scope="module")
def alice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnownPerson]:
    with known_person(tmp_path_factory.mktemp("service")) as person:
        yield person


@pytest.fixture
def connection(alice: KnownPerson) -> Iterator[Connection]:
    with closing(open_connection(alice.service.store.redis, 5)) as opened:
        yield opened


def store(alice: KnownPerson, connection: Connection, preference: Spoil, profile: Spoil) -> None:
    """Store these values as the records of Bob."""
    owner, *keys = alice.service.store.pseudonyms.locate(BOB)
    for key, value in zip(keys, (preference(owner), profile(owner)), strict=True):
        connection.ask((b"SET", key, value), time.monotonic() + 5)


def decide_both(alice: KnownPerson) -> list[pb.DecideResponse]:
    """Ask about Bob and Alice in one batch."""
    requests = [pb.DecideRequest(account_id=name, ip="8.8.8.8") for name in ("bob", "alice")]
    answer = TargetingServiceStub(alice.channel).DecideBatch(pb.DecideBatchRequest(requests=requests), timeout=10)
    return [each.response for each in answer.results]


def only_bob_is_limited(alice: KnownPerson, caplog: pytest.LogCaptureFixture) -> bool:
    try:
        bob, other = decide_both(alice)
    except grpc.RpcError:
        return False
    limited = list(bob.reasons) == [pb.REASON_RECORD_UNREADABLE]
    return limited and other.mode == pb.MODE_BEHAVIOURAL and "unforeseen" not in caplog.text


CASES = [
    *(pytest.param(good_preference, spoil, id=f"profile: {name}") for name, spoil in UNREADABLE.items()),
    *(pytest.param(spoil, good_profile, id=f"preference: {name}") for name, spoil in UNREADABLE_PREFERENCES.items()),
]


@pytest.mark.parametrize(("preference", "profile"), CASES)
def test_a_record_that_cannot_be_read_limits_its_owner_alone(
    alice: KnownPerson, connection: Connection, caplog: pytest.LogCaptureFixture, preference: Spoil, profile: Spoil
) -> None:
    store(alice, connection, preference, profile)
    assert only_bob_is_limited(alice, caplog)


@pytest.mark.parametrize("place", [0, 1], ids=["preference", "profile"])
def test_a_value_of_another_type_limits_its_owner_alone(
    alice: KnownPerson, connection: Connection, caplog: pytest.LogCaptureFixture, place: int
) -> None:
    store(alice, connection, good_preference, good_profile)
    key = alice.service.store.pseudonyms.locate(BOB)[1 + place]
    for command in ((b"DEL", key), (b"HSET", key, b"field", b"value")):
        connection.ask(command, time.monotonic() + 5)
    assert only_bob_is_limited(alice, caplog)
    connection.ask((b"DEL", key), time.monotonic() + 5)


@PROTECTED
@pytest.mark.parametrize("profile", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_an_impossible_value_is_found_when_the_record_is_read(
    alice: KnownPerson,
    connection: Connection,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    profile: Spoil,
    protected: bool,
) -> None:
    """Unchecked it is an internal error, or is sent; the caller may then be unable to read the whole batch."""
    if not protected:
        monkeypatch.setattr(profiles, "_check_rows", lambda *_: None)
    store(alice, connection, good_preference, profile)
    assert only_bob_is_limited(alice, caplog) == protected


def test_an_ad_id_that_is_not_utf8_limits_its_owner_alone(
    alice: KnownPerson, connection: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    store(alice, connection, good_preference, of_ad(b"\xff\xfe"))
    assert only_bob_is_limited(alice, caplog)


def test_valid_records_are_used(alice: KnownPerson, connection: Connection) -> None:
    store(alice, connection, good_preference, of_interest())
    assert [answer.mode for answer in decide_both(alice)] == [pb.MODE_BEHAVIOURAL] * 2
