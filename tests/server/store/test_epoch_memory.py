"""The epoch beside the key: kept for the next start, and no obstacle where it cannot be."""

import logging
from pathlib import Path

import pytest

from server.store.epoch_memory import SUFFIX, EpochMemory


def test_what_was_remembered_is_there_at_the_next_start(tmp_path: Path) -> None:
    key = tmp_path / "secret.key"
    memory = EpochMemory(key)
    assert memory.epoch == ""
    for epoch in ("0a", "0b", "0b"):
        memory.remember(epoch)
    assert memory.epoch == EpochMemory(key).epoch == "0b"
    assert [path.name for path in tmp_path.iterdir()] == [key.name + SUFFIX]


def test_without_a_key_file_nothing_is() -> None:
    memory = EpochMemory()
    memory.remember("0a")
    assert memory.epoch == ""


def test_where_nothing_can_be_written_one_line_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    memory = EpochMemory(tmp_path / "absent" / "secret.key")
    for _ in range(3):
        memory.remember("0a")
    assert [line.split("(")[0] for line in caplog.messages] == [
        "the store's epoch cannot be kept beside the secret key "
    ]


def test_what_cannot_be_read_was_never_remembered(tmp_path: Path) -> None:
    (tmp_path / f"secret.key{SUFFIX}").mkdir()
    assert EpochMemory(tmp_path / "secret.key").epoch == ""
