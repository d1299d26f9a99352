"""The secret key: created once for an empty store, never shown, and derived separately for each purpose."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from server.keys.secret_key import NETWORK_IDS, PSEUDONYMS, KeyFile, SecretKey, key_file
from server.settings import Settings, SettingsError

SETTING = "ADTARGETING_DATA_DIR"


def open_key(path: Path, *, records: bool = False, named: bool = False) -> SecretKey:
    return KeyFile(path, SETTING, named=named).open(lambda: records)


def test_it_is_created_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "data" / "secret.key"
    first = open_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert open_key(path).derive(b"x") == first.derive(b"x")
    assert [file.name for file in path.parent.iterdir()] == ["secret.key"]


def test_an_existing_key_is_read_whatever_the_store_contains(tmp_path: Path) -> None:
    created = open_key(tmp_path / "secret.key")
    assert open_key(tmp_path / "secret.key", records=True).fingerprint == created.fingerprint


@pytest.mark.parametrize(
    ("records", "named", "message"),
    [
        pytest.param(True, False, "secret.key is missing, but the store has records; restore the key", id="records"),
        pytest.param(False, True, "does not exist; restore it or", id="a-named-file"),
        pytest.param(True, True, "does not exist; restore it or", id="both"),
    ],
)
def test_no_key_is_created_where_one_is_missing(tmp_path: Path, records: bool, named: bool, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        open_key(tmp_path / "secret.key", records=records, named=named)
    assert str(caught.value).startswith(f"{SETTING}: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_concurrent_starts_share_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: open_key(tmp_path / "secret.key").derive(b"x"), range(32)))
    assert len(set(keys)) == 1


def test_purposes_have_different_keys_and_none_is_shown(tmp_path: Path) -> None:
    key = open_key(tmp_path / "secret.key")
    assert key.derive(PSEUDONYMS) != key.derive(NETWORK_IDS)
    assert (tmp_path / "secret.key").read_text().strip() not in repr(key)


def test_the_fingerprint_differs_for_every_key_and_is_16_digits() -> None:
    fingerprints = {SecretKey(bytes([number]) * 32).fingerprint for number in range(100)}
    assert len(fingerprints) == 100
    assert {len(bytes.fromhex(fingerprint)) for fingerprint in fingerprints} == {8}
    assert repr(SecretKey(bytes(32))) == f"SecretKey({SecretKey(bytes(32)).fingerprint})"


@pytest.mark.parametrize("content", [b"", b"zz", b"00" * 31, b"\xff" * 64], ids=["empty", "text", "short", "binary"])
def test_a_file_without_a_key_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "secret.key").write_bytes(content)
    with pytest.raises(SettingsError, match=f"^{SETTING}: the secret key must be 32 bytes in hexadecimal"):
        open_key(tmp_path / "secret.key")


def test_a_file_that_hangs_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.files.bounded_file.TIMEOUT_S", 0.05)
    os.mkfifo(tmp_path / "secret.key")
    with pytest.raises(
        SettingsError, match=f"^{SETTING}: cannot read the secret key: no end of the file within 0.05 s"
    ):
        open_key(tmp_path / "secret.key")


@pytest.mark.parametrize("setting", ["secret_key_file", "data_dir"])
def test_an_unusable_path_is_refused_naming_its_setting(tmp_path: Path, setting: str) -> None:
    (tmp_path / "file").write_text("")
    paths: dict[str, Any] = {"secret_key_file": str(tmp_path / "file" / "key"), "data_dir": tmp_path / "file"}
    settings = Settings(**{setting: paths[setting]})
    with pytest.raises(SettingsError, match=f"^ADTARGETING_{setting.upper()}: "):
        key_file(settings).open(lambda: False)


def test_a_directory_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "dangling").symlink_to(tmp_path / "none" / "at" / "all")
    with pytest.raises(SettingsError, match=f"^{SETTING}: cannot create the secret key: .*; set another path"):
        open_key(tmp_path / "dangling" / "secret.key")


def test_a_key_in_the_place_of_a_file_name_is_not_repeated() -> None:
    key = "5a" * 32
    with pytest.raises(SettingsError, match="is a key; write the key to a file") as caught:
        KeyFile(Path(key), "ADTARGETING_SECRET_KEY_FILE", named=True).read()
    assert key not in str(caught.value)
