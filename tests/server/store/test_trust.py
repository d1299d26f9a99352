"""Whose the store is: what each record means, at the start and while it serves."""

import logging
from pathlib import Path

import pytest

from server.store.epoch_memory import EpochMemory
from server.store.identity import StoreIdentity
from server.store.ports import StoreUnavailable, StoreUntrusted
from server.store.trust import StoreTrust

OURS, ANOTHERS = "0123456789abcdef", "fedcba9876543210"


class Store:
    """A store's record, in memory. Every look at the clock takes a millisecond."""

    def __init__(self, record: bytes | None = None, *, has_records: bool = False) -> None:
        self.record = record
        self.records = has_records
        self.time_ms = 1_000

    def read(self) -> bytes | None:
        return self.record

    def add(self, record: bytes) -> bytes:
        self.record = self.record or record
        return self.record

    def has_records(self) -> bool:
        return self.records

    def now_ms(self) -> int:
        self.time_ms += 1
        return self.time_ms

    def accept(self, fingerprint: str = OURS) -> None:
        """What `adtargeting store trust` does."""
        self.record = StoreIdentity.make(fingerprint, self.now_ms()).encode()


def record(fingerprint: str = OURS, made_at_ms: int = 1) -> bytes:
    return StoreIdentity.make(fingerprint, made_at_ms).encode()


def settled(store: Store, memory: EpochMemory | None = None, *, adopts: bool = False) -> StoreTrust:
    trust = StoreTrust(OURS, memory, adopts=adopts)
    trust.settle(store)
    return trust


class TestAnEmptyStore:
    def test_of_a_key_that_was_never_used_is_new(self, tmp_path: Path) -> None:
        memory, store = EpochMemory(tmp_path / "secret.key"), Store()
        assert settled(store, memory).trusted
        assert store.record
        assert EpochMemory(tmp_path / "secret.key").epoch == StoreIdentity.decode(store.record).epoch

    def test_of_a_key_that_was_used_is_accepted_by_an_operator_alone(self, tmp_path: Path) -> None:
        memory, store = EpochMemory(tmp_path / "secret.key"), Store()
        memory.remember(StoreIdentity("0e", OURS, 500))
        trust = settled(store, memory)
        assert (store.record, "used with a store of epoch 0e" in trust.problem) == (None, True)
        store.accept()
        trust.settle(store)
        assert trust.trusted
        assert memory.epoch != "0e"

    def test_that_an_operator_has_accepted_before_the_start_is_trusted(self, tmp_path: Path) -> None:
        memory, store = EpochMemory(tmp_path / "secret.key"), Store()
        memory.remember(StoreIdentity("0e", OURS, 500))
        store.accept()
        assert settled(store, memory).trusted


class TestAnEarlierStore:
    """The key was last used with a store that was made at 5,000 ms."""

    @pytest.fixture
    def memory(self, tmp_path: Path) -> EpochMemory:
        memory = EpochMemory(tmp_path / "secret.key")
        memory.remember(StoreIdentity("0e", OURS, 5_000))
        return memory

    def test_is_not_trusted_at_the_start_until_an_operator_accepts_it(self, memory: EpochMemory) -> None:
        store = Store(record(made_at_ms=500), has_records=True)
        trust = settled(store, memory)
        assert (trust.trusted, "older than that of the store" in trust.problem) == (False, True)
        assert not passes(trust, store)
        # The clock of its server is behind that of the other, which does not matter now.
        store.accept()
        trust.settle(store)
        assert (passes(trust, store), memory.epoch) == (True, StoreIdentity.decode(store.read() or b"").epoch)

    def test_is_trusted_once_the_right_one_is_back(self, memory: EpochMemory) -> None:
        store = Store(record(made_at_ms=500), has_records=True)
        trust = settled(store, memory)
        store.record = StoreIdentity("0e", OURS, 5_000).encode()
        trust.settle(store)
        assert passes(trust, store)


def passes(trust: StoreTrust, store: Store) -> bool:
    try:
        trust.check(store.record)
    except StoreUntrusted:
        return False
    return True


class TestAtTheStart:
    def test_before_the_record_is_read_no_batch_passes(self) -> None:
        for value in (None, b"", record()):
            with pytest.raises(StoreUnavailable, match="not been read yet"):
                StoreTrust(OURS).check(value)

    def test_a_store_without_records_gets_a_record_and_is_trusted(self) -> None:
        store = Store()
        trust = settled(store)
        assert (trust.trusted, passes(trust, store)) == (True, True)
        assert store.record is not None
        assert StoreIdentity.decode(store.record).fingerprint == OURS

    def test_two_that_start_at_once_agree_on_the_record_of_the_first(self) -> None:
        store = Store()
        first, second = settled(store), StoreTrust(OURS)
        second.settle(store)
        assert passes(first, store)
        assert passes(second, store)

    def test_a_record_of_ours_is_trusted(self) -> None:
        store = Store(record(), has_records=True)
        assert passes(settled(store), store)

    @pytest.mark.parametrize(
        ("value", "problem"),
        [
            (None, "records but no record of its own"),
            (record(ANOTHERS), f"belongs to the secret key {ANOTHERS}"),
            (b"\0", "cannot be read"),
            (b"adt9 epoch=1 key=2 made=3", "another format"),
            (b"adt1 epoch=1 key=2 made=soon", "cannot be read"),
            (b"\xff\xfe", "cannot be read"),
        ],
        ids=["none", "another key", "a wrong type", "a newer format", "no number", "no text"],
    )
    def test_any_other_is_not(self, value: bytes | None, problem: str, caplog: pytest.LogCaptureFixture) -> None:
        store = Store(value, has_records=True)
        trust = settled(store)
        assert not passes(trust, store)
        assert problem in trust.problem
        assert trust.has_another_key is (value == record(ANOTHERS) or problem.startswith("belongs"))
        assert store.record == value
        [line] = caplog.messages
        assert "adtargeting store trust" in line

    def test_an_embedded_store_whose_key_lies_beside_it_is_adopted(self, caplog: pytest.LogCaptureFixture) -> None:
        store = Store(has_records=True)
        assert passes(settled(store, adopts=True), store)
        assert "store adopted" in caplog.text


class TestWhileItServes:
    @pytest.mark.parametrize(
        "after", [None, record(), record(ANOTHERS), b"\0"], ids=["gone", "new", "another's", "type"]
    )
    def test_another_record_ends_the_trust_and_the_old_one_does_not_restore_it(self, after: bytes | None) -> None:
        store = Store(record(), has_records=True)
        trust, before = settled(store), store.record
        store.record = after
        assert not passes(trust, store)
        store.record = before
        assert not passes(trust, store)
        trust.settle(store)
        assert not passes(trust, store)

    @pytest.mark.parametrize("noticed_by", ["a batch", "the watch"])
    def test_an_operator_who_accepts_it_since_restores_the_trust(self, noticed_by: str) -> None:
        store = Store(record(), has_records=True)
        trust = settled(store)
        store.record = None
        if noticed_by == "a batch":
            assert not passes(trust, store)
        trust.settle(store)
        store.accept()
        assert not passes(trust, store)
        trust.settle(store)
        assert passes(trust, store)

    def test_an_acceptance_from_before_does_not(self) -> None:
        store, earlier = Store(record(), has_records=True), record(made_at_ms=999)
        trust = settled(store)
        store.record = None
        trust.settle(store)
        store.record = earlier
        trust.settle(store)
        assert not passes(trust, store)

    def test_nor_does_one_for_another_key(self) -> None:
        store = Store(record(), has_records=True)
        trust = settled(store)
        store.record = None
        trust.settle(store)
        store.accept(ANOTHERS)
        trust.settle(store)
        assert not passes(trust, store)

    def test_an_emptied_store_gets_no_new_record_by_itself(self) -> None:
        store = Store(record())
        trust = settled(store)
        store.record = None
        for _ in range(3):
            trust.settle(store)
        assert store.record is None

    def test_each_change_is_told_once(self, caplog: pytest.LogCaptureFixture) -> None:
        store = Store(record())
        trust = StoreTrust(OURS)
        told: list[bool] = []
        trust.on_change = told.append
        trust.settle(store)
        store.record = None
        for _ in range(3):
            trust.settle(store)
            passes(trust, store)
        store.accept()
        trust.settle(store)
        assert told == [True, False, True]
        assert [entry.levelno for entry in caplog.records] == [logging.ERROR, logging.WARNING]
