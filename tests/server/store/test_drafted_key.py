"""A drafted key becomes the key of the store only if the store has no records and no other key."""

import logging
from pathlib import Path

import pytest

from server.keys.secret_key import KeyFile, SecretKey
from server.settings import SettingsError
from server.store.drafted_key import DraftedKey
from server.store.ports import StoreUnavailable


class Store:
    """A store that is down until it is told whether it has records."""

    records: bool | None = None

    def has_records(self) -> bool:
        if self.records is None:
            raise StoreUnavailable("down")
        return self.records


def file(tmp_path: Path, *, named: bool = False) -> KeyFile:
    return KeyFile(tmp_path / "secret.key", "ADTARGETING_DATA_DIR", named=named)


def test_a_store_that_is_down_gets_its_key_when_it_answers_without_records(tmp_path: Path) -> None:
    store = Store()
    drafted = DraftedKey(file(tmp_path), store.has_records)
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            drafted.confirm()
    assert (drafted.confirmed, list(tmp_path.iterdir())) == (False, [])
    store.records = False
    drafted.confirm()
    drafted.confirm()
    assert drafted.confirmed
    assert DraftedKey(file(tmp_path), Store().has_records).key.fingerprint == drafted.key.fingerprint


@pytest.mark.fault(row=22)
def test_no_key_is_created_for_a_store_that_answers_with_records(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store()
    drafted = DraftedKey(file(tmp_path), store.has_records)
    store.records = True
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            drafted.confirm()
    assert (drafted.confirmed, list(tmp_path.iterdir())) == (False, [])
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert caplog.messages[0].startswith("store not used, serving LIMITED: ADTARGETING_DATA_DIR: secret.key is missing")
    assert caplog.messages[0].endswith("; then restart the service")


def test_the_key_that_another_process_created_first_is_not_replaced(tmp_path: Path) -> None:
    store = Store()
    drafted = DraftedKey(file(tmp_path), store.has_records)
    SecretKey(bytes(32)).write_new(tmp_path / "secret.key")
    store.records = False
    with pytest.raises(StoreUnavailable):
        drafted.confirm()
    assert (tmp_path / "secret.key").read_text() == "00" * 32 + "\n"


@pytest.mark.fault(row=22)
def test_a_named_file_must_exist_even_while_the_store_is_down(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="does not exist; restore it"):
        DraftedKey(file(tmp_path, named=True), Store().has_records)
