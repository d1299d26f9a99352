"""What is stored, and under which id: placeholders, two forms of one id, values of 64 MiB, clocks that were fast."""

import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from adtargeting.v1 import preference_pb2 as preferences
from adtargeting.v1 import targeting_pb2 as pb
from adtargeting.v1.preference_pb2_grpc import PreferenceServiceStub
from adtargeting.v1.profile_pb2 import RecordActivityRequest
from adtargeting.v1.profile_pb2_grpc import ProfileServiceStub
from adtargeting.v1.targeting_pb2_grpc import TargetingServiceStub

from server.choices import signal_opt_outs
from server.choices.new_device_rate import NewDeviceRate
from server.messages import translate
from server.store.embedded.server import EmbeddedRedis
from server.store.ports import RecordChange
from server.store.redis import batch_read
from server.store.redis.connection import Reply
from server.store.redis.handshake import open_connection
from targeting.model import Subject, SubjectKind
from targeting.policy.policy import SignalPolicy
from targeting.recording.signal_opt_outs import Sighting, opt_out_by_signal
from targeting.records.preference import Choice, Preference, encode_preference
from targeting.records.stored_records import StoredRecords
from targeting.subjects import identifiers
from tests.faults.known_person import KnownPerson, known_person
from tests.faults.matrix.marks import Figure
from tests.server.calls.direct_service import viewed
from tests.server.running_service import wait_until
from tests.server.store.conftest import own_redis

__all__ = ["own_redis"]

PROTECTED = pytest.mark.parametrize("protected", [True, False], ids=["protected", "unprotected"])
MIB = 1 << 20
COMPOSED, DECOMPOSED = "zo\u00eb", "zoe\u0308"
DEVICES = 300


def record(alice: KnownPerson, account: str) -> None:
    activities = RecordActivityRequest(activities=[viewed(account_id=account)])
    ProfileServiceStub(alice.channel).RecordActivity(activities, timeout=10)


def choose(alice: KnownPerson, account: str, choice: preferences.Choice) -> None:
    request = preferences.SetPreferenceRequest(account_id=account, choice=choice)
    PreferenceServiceStub(alice.channel).SetPreference(request, timeout=10)


def ask(server: EmbeddedRedis, *words: bytes) -> Reply:
    connection = open_connection(server.address, 5)
    try:
        return connection.ask(words, time.monotonic() + 5)
    finally:
        connection.close()


@pytest.mark.fault(row=16)
@PROTECTED
def test_strangers_with_one_placeholder_share_no_profile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protected: bool
) -> None:
    if not protected:
        for module in (identifiers, translate):
            monkeypatch.setattr(module, "is_placeholder", lambda text: not text)
    with known_person(tmp_path) as alice:
        record(alice, "undefined")
        assert alice.is_behavioural(account_id="undefined") == (not protected)


@pytest.mark.fault(row=16)
@PROTECTED
def test_an_opt_out_counts_under_both_forms_of_an_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protected: bool
) -> None:
    if not protected:
        monkeypatch.setattr(identifiers, "unicodedata", SimpleNamespace(normalize=lambda _, text: text))
    with known_person(tmp_path) as alice:
        record(alice, DECOMPOSED)
        choose(alice, COMPOSED, preferences.CHOICE_OPT_OUT)
        assert alice.is_behavioural(account_id=DECOMPOSED) == (not protected)


@pytest.mark.fault(row=17)
@PROTECTED
def test_a_huge_value_costs_its_owner_alone(
    tmp_path: Path, own_redis: EmbeddedRedis, monkeypatch: pytest.MonkeyPatch, figure: Figure, protected: bool
) -> None:
    if not protected:
        whole = b"*4\r\n$8\r\nGETRANGE\r\n$%d\r\n%b\r\n$1\r\n0\r\n$2\r\n-1\r\n"
        monkeypatch.setattr(batch_read, "_GET_BOUNDED", whole)
    with known_person(tmp_path, redis_url=own_redis.url) as alice:
        _, key, _ = alice.service.store.pseudonyms.locate(Subject(SubjectKind.ACCOUNT, "bob"))
        ask(own_redis, b"SETRANGE", key, b"%d" % (64 * MIB - 1), b"x")
        requests = [pb.DecideRequest(account_id=name, ip="8.8.8.8") for name in ("bob", "alice")]
        sent = bytes_sent(own_redis)
        batch = TargetingServiceStub(alice.channel).DecideBatch(pb.DecideBatchRequest(requests=requests), timeout=10)
        sent = bytes_sent(own_redis) - sent
    bob, other = (result.response for result in batch.results)
    assert list(bob.reasons) == [pb.REASON_RECORD_UNREADABLE]
    assert other.mode == pb.MODE_BEHAVIOURAL
    # Read whole, it would make every other caller of the batch wait.
    assert (sent < MIB) == protected
    figure(f"{sent:,} bytes read for a batch with a value of 64 MiB")


def bytes_sent(server: EmbeddedRedis) -> int:
    stats = dict(line.split(b":") for line in ask(server, b"INFO", b"stats").splitlines() if b":" in line)
    return int(stats[b"total_net_output_bytes"])


@pytest.mark.fault(row=18)
@PROTECTED
def test_a_signal_after_an_opt_in_by_a_fast_clock_is_stored(
    tmp_path: Path, own_redis: EmbeddedRedis, monkeypatch: pytest.MonkeyPatch, protected: bool
) -> None:
    if not protected:
        monkeypatch.setattr(signal_opt_outs, "opt_out_by_signal", trusting_every_clock)
    with known_person(tmp_path, redis_url=own_redis.url) as alice:
        opted_in(alice, "alice", at_s=time.time() + 3600)
        for account in ("alice", "bob"):
            alice.decide(account_id=account, signals=pb.PrivacySignals(global_privacy_control=True))
        # Signals are stored in the order of their arrival.
        wait_until(lambda: list(alice.decide(account_id="bob").reasons) == [pb.REASON_ACCOUNT_OPT_OUT])
        assert alice.is_behavioural() == (not protected)


def trusting_every_clock(
    current: Preference, records: StoredRecords, sighting: Sighting, _: int, policy: SignalPolicy
) -> Preference | None:
    end_of_time_ms = 1 << 60
    return opt_out_by_signal(current, records, sighting, end_of_time_ms, policy)


def opted_in(alice: KnownPerson, account: str, at_s: float) -> None:
    """Store an opt-in as a process whose clock is fast would."""
    subject = Subject(SubjectKind.ACCOUNT, account)
    store = alice.service.store.backend.open_store(alice.service.store.pseudonyms)
    (held,) = store.read([subject], 5.0)
    made = Preference(choice=Choice.OPT_IN, changed_at_ms=int(at_s * 1000))
    change = RecordChange(subject, held, preference=encode_preference(made, held.owner))
    assert store.commit([change], 5.0)[0].landed
    store.close()


@pytest.mark.fault(row=25)
@PROTECTED
def test_a_flood_of_invented_browsers_does_not_fill_the_store(
    tmp_path: Path, own_redis: EmbeddedRedis, monkeypatch: pytest.MonkeyPatch, figure: Figure, protected: bool
) -> None:
    if not protected:
        monkeypatch.setattr(NewDeviceRate, "allows", lambda *_: True)
    with known_person(tmp_path, redis_url=own_redis.url) as alice:
        before = len(keys_of_devices(own_redis))
        began_s = time.monotonic()
        for number in range(DEVICES):
            signals = pb.PrivacySignals(global_privacy_control=True)
            alice.decide(account_id="", device_id=f"invented {number}", signals=signals)
        wait_until(lambda: handled(alice, own_redis) - before >= DEVICES)
        seconds = time.monotonic() - began_s
        stored = [key for key in keys_of_devices(own_redis) if ask(own_redis, b"TTL", key) > 0]
        assert len(stored) >= len(keys_of_devices(own_redis)) - before
    # Ten new ones a second (`signals.new_devices_per_second`), in each second that was begun.
    assert (len(stored) <= 10 * (seconds + 2)) == protected
    figure(f"{len(stored)} of {DEVICES} in {seconds:.1f} s stored")


def handled(alice: KnownPerson, server: EmbeddedRedis) -> int:
    dropped = alice.service.metrics.registry.get_sample_value("adtargeting_sticky_dropped_total")
    return len(keys_of_devices(server)) + int(dropped or 0)


def keys_of_devices(server: EmbeddedRedis) -> list[bytes]:
    keys: list[bytes] = ask(server, b"KEYS", b"adt:{d:*:pref")
    return keys
