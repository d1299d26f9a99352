"""The epoch beside the key: kept for the next start, and no obstacle where it cannot be."""

import logging
from pathlib import Path

import pytest

from server.store.epoch_memory import SUFFIX, EpochMemory
from server.store.identity import StoreIdentity


def made(epoch: str, at_ms: int = 1_000) -> StoreIdentity:
    return StoreIdentity(epoch, "fingerprint", at_ms)


@pytest.mark.parametrize(
    ("identity", "is_later"),
    [
        pytest.param(made("0a"), False, id="the same store"),
        pytest.param(made("0b", 999), True, id="an earlier store"),
        pytest.param(made("0b"), True, id="another of the same time"),
        pytest.param(made("0b", 1_001), False, id="one that was accepted since"),
    ],
)
def test_a_store_that_is_earlier_than_the_last_one_is_known(
    tmp_path: Path, identity: StoreIdentity, is_later: bool
) -> None:
    EpochMemory(tmp_path / "secret.key").remember(made("0a"))
    assert EpochMemory(tmp_path / "secret.key").is_later_than(identity) == is_later


@pytest.mark.parametrize("text", ["0a\n", "0a soon\n"], ids=["of version 0.2.0", "without a number"])
def test_an_epoch_without_a_time_is_earlier_than_every_store(tmp_path: Path, text: str) -> None:
    (tmp_path / f"secret.key{SUFFIX}").write_text(text)
    memory = EpochMemory(tmp_path / "secret.key")
    assert memory.epoch == "0a"
    assert not memory.is_later_than(made("0b"))


def test_what_was_remembered_is_there_at_the_next_start(tmp_path: Path) -> None:
    key = tmp_path / "secret.key"
    memory = EpochMemory(key)
    assert memory.epoch == ""
    for epoch in ("0a", "0b", "0b"):
        memory.remember(made(epoch))
    assert memory.epoch == EpochMemory(key).epoch == "0b"
    assert [path.name for path in tmp_path.iterdir()] == [key.name + SUFFIX]


def test_without_a_key_file_nothing_is() -> None:
    memory = EpochMemory()
    memory.remember(made("0a"))
    assert memory.epoch == ""
    assert not memory.is_later_than(made("0b"))


def test_where_nothing_can_be_written_one_line_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    memory = EpochMemory(tmp_path / "absent" / "secret.key")
    for _ in range(3):
        memory.remember(made("0a"))
    assert [line.split("(")[0] for line in caplog.messages] == [
        "the store's epoch cannot be kept beside the secret key "
    ]


def test_what_cannot_be_read_was_never_remembered(tmp_path: Path) -> None:
    (tmp_path / f"secret.key{SUFFIX}").mkdir()
    assert EpochMemory(tmp_path / "secret.key").epoch == ""
