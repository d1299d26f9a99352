"""Settings: defaults, sources, checks, and secrets hidden in ``repr``."""

import os
from pathlib import Path

import pytest

from server.settings import Settings, SettingsError, read_settings


def test_defaults() -> None:
    settings = read_settings({"PATH": "/bin"})
    assert settings == Settings()
    assert settings.secret_key_path == Path(".data/secret.key")


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(
        'ADTARGETING_OTHER_WORKERS = 3\nADTARGETING_DATA_DIR = "/somewhere"\nADTARGETING_SECRET_KEY_FILE = "key"\n'
    )
    settings = read_settings({"ADTARGETING_OTHER_WORKERS": "4"}, file)
    assert (settings.other_workers, settings.data_dir) == (4, Path("/somewhere"))
    assert settings.secret_key_path == Path("key")


@pytest.mark.parametrize("written", ["2", '"2"'], ids=["number", "text"])
def test_a_number_of_processes_may_be_a_number_in_the_file(tmp_path: Path, written: str) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(f"ADTARGETING_PROCESSES = {written}\n")
    assert read_settings({}, file).processes == "2"


WRONG = [
    (
        "unknown name",
        {"ADTARGETING_COLOUR": "red"},
        "ADTARGETING_COLOUR: unknown setting; docs/operate.md lists the settings",
    ),
    (
        "misspelt name",
        {"ADTARGETING_LOGLEVEL": "INFO"},
        "ADTARGETING_LOGLEVEL: unknown setting; did you mean ADTARGETING_LOG_LEVEL? docs/operate.md lists the settings",
    ),
    (
        "misspelt file of a secret",
        {"ADTARGETING_REDIS_URLFILE": "url"},
        "ADTARGETING_REDIS_URLFILE: unknown setting; did you mean ADTARGETING_REDIS_URL_FILE?",
    ),
    ("no number", {"ADTARGETING_OTHER_WORKERS": "many"}, "ADTARGETING_OTHER_WORKERS: must be a whole number"),
    ("out of bounds", {"ADTARGETING_OTHER_WORKERS": "0"}, "ADTARGETING_OTHER_WORKERS: must be between 1 and 32"),
    ("no host", {"ADTARGETING_GRPC_ADDRESS": ":1"}, "ADTARGETING_GRPC_ADDRESS: must be host:port"),
    ("no port", {"ADTARGETING_GRPC_ADDRESS": "localhost"}, "ADTARGETING_GRPC_ADDRESS: must be host:port"),
    ("no such port", {"ADTARGETING_METRICS_ADDRESS": "localhost:65536"}, "ADTARGETING_METRICS_ADDRESS: must be"),
    ("no such choice", {"ADTARGETING_GATE": "wooden"}, "ADTARGETING_GATE: must be one of auto, http2, grpcio"),
]


@pytest.mark.parametrize(("environment", "message"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_an_unusable_setting_is_one_line(environment: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings(environment)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"ADTARGETING_DATA_DIR = 5", "must be a string", id="type"),
        pytest.param(b"ADTARGETING_PROCESSES = true", "must be auto, or a number from 1 to 64", id="processes"),
        pytest.param(b"= x", r"settings\.toml is not TOML", id="syntax"),
        pytest.param(b"\xff", r"settings\.toml is not TOML", id="encoding"),
    ],
)
def test_an_unusable_file(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "settings.toml"
    file.write_bytes(content)
    with pytest.raises(SettingsError, match=message):
        read_settings({}, file)


@pytest.mark.fault(row=27)
def test_a_file_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.files.bounded_file.TIMEOUT_S", 0.05)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SettingsError, match=r"^--config: .*pipe cannot be read: no end of the file within 0\.05 s"):
        read_settings({}, tmp_path / "pipe")


@pytest.mark.fault(row=27)
def test_a_huge_file() -> None:
    with pytest.raises(SettingsError, match=r"^--config: .* cannot be read: larger than 1,048,576 bytes"):
        read_settings({}, Path("/dev/zero"))


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^--config: .*none\.toml cannot be read"):
        read_settings({}, tmp_path / "none.toml")


@pytest.mark.parametrize("name", ["environment", "file"])
def test_a_secret_may_come_from_a_file(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_text("redis://:hunter2@localhost/0\n")
    (tmp_path / "settings.toml").write_text(f'ADTARGETING_REDIS_URL_FILE = "{tmp_path}/secret"\n')
    environment = {"ADTARGETING_REDIS_URL_FILE": f"{tmp_path}/secret"}
    settings = read_settings(environment) if name == "environment" else read_settings({}, tmp_path / "settings.toml")
    assert settings.redis_url == "redis://:hunter2@localhost/0"


@pytest.mark.parametrize(
    ("content", "more", "problem"),
    [
        pytest.param(None, {}, "cannot be read: No such file or directory", id="missing"),
        pytest.param(b" \n", {}, "is empty", id="empty"),
        pytest.param(b"\xff", {}, "is not UTF-8", id="encoding"),
        pytest.param(b"redis://a", {"ADTARGETING_REDIS_URL": "redis://b"}, "set either this or ADT", id="both"),
    ],
)
def test_a_secret_file_that_cannot_be_used_is_one_line(
    tmp_path: Path, content: bytes | None, more: dict[str, str], problem: str
) -> None:
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        read_settings({"ADTARGETING_REDIS_URL_FILE": str(tmp_path / "secret"), **more})
    assert str(caught.value).startswith("ADTARGETING_REDIS_URL_FILE: ")
    assert problem in str(caught.value)


def test_only_secrets_come_from_files() -> None:
    with pytest.raises(SettingsError, match=r"^ADTARGETING_GATE_FILE: unknown setting"):
        read_settings({"ADTARGETING_GATE_FILE": "x"})


def test_no_password_is_shown() -> None:
    assert "hunter2" not in repr(Settings(redis_url="redis://:hunter2@localhost/0"))
