"""The secret key: created once, never shown, and derived separately for each purpose."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from server.keys.secret_key import NETWORK_IDS, PSEUDONYMS, read_or_create
from server.settings import Settings, SettingsError


def test_it_is_created_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "data" / "secret.key"
    first = read_or_create(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_or_create(path).derive(b"x") == first.derive(b"x")
    assert [each.name for each in path.parent.iterdir()] == ["secret.key"]


def test_concurrent_starts_share_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: read_or_create(tmp_path / "secret.key").derive(b"x"), range(32)))
    assert len(set(keys)) == 1


def test_purposes_have_different_keys_and_none_is_shown(tmp_path: Path) -> None:
    key = read_or_create(tmp_path / "secret.key")
    assert key.derive(PSEUDONYMS) != key.derive(NETWORK_IDS)
    assert (tmp_path / "secret.key").read_text().strip() not in repr(key)


@pytest.mark.parametrize("content", ["", "zz", "00" * 31])
def test_a_file_without_a_key_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "secret.key").write_text(content)
    with pytest.raises(SettingsError, match="ADTARGETING_SECRET_KEY_FILE"):
        read_or_create(tmp_path / "secret.key")


@pytest.mark.parametrize("setting", ["secret_key_file", "data_dir"])
def test_an_unwritable_path_is_refused_naming_its_setting(tmp_path: Path, setting: str) -> None:
    (tmp_path / "file").write_text("")
    place: dict[str, Any] = {"secret_key_file": str(tmp_path / "file" / "key"), "data_dir": tmp_path / "file"}
    settings = Settings(**{setting: place[setting]})
    with pytest.raises(SettingsError, match=f"^ADTARGETING_{setting.upper()}: "):
        read_or_create(settings.secret_key_path, settings.secret_key_setting)
