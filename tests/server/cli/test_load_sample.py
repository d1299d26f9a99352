"""``load-sample``: loads into a running store or one started for it, and never over existing records."""

import io
import shlex
from pathlib import Path
from urllib.parse import quote

import pytest
from rich.console import Console

from server.app import Service
from server.cli.load_sample import load
from server.sample.load import Progress
from server.store.redis.url import RedisAddress
from tests.server.cli.conftest import Adt


def test_people_loaded_beside_a_running_service_are_known_to_it(served: Adt) -> None:
    loaded = served("load-sample", "--subjects", "300", "--seed", "11")
    assert loaded.status == 0
    assert loaded.lines[0].startswith("300 people: ")
    commands = [shlex.split(line) for line in loaded.lines if " decide --account " in line]
    assert len(commands) >= 3
    behavioural, *others = (served(*command[1:]) for command in commands)
    assert behavioural.lines[0].startswith("BEHAVIOURAL")
    assert all(other.lines[0].startswith("LIMITED") for other in others)


def test_beside_a_running_service_it_raises_no_alarm(served: Adt, caplog: pytest.LogCaptureFixture) -> None:
    assert served("load-sample", "--subjects", "4000", "--seed", "21").status == 0
    assert not [line for line in caplog.messages if "NOT_SERVING" in line or "circuit" in line]


def test_the_commands_that_it_ends_with_reach_the_service_that_its_options_name(
    adt: Adt, service: Service, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADTARGETING_DATA_DIR", str(data_dir))
    config = Path("the settings.toml")
    config.write_text("", encoding="utf-8")
    loaded = adt("--config", str(config), "--address", service.address, "load-sample", "--subjects", "5")
    command = next(line for line in loaded.lines if " decide --account " in line)
    assert adt(*shlex.split(command)[1:]).status == 0


def test_what_is_there_stays(served: Adt) -> None:
    served("load-sample", "--subjects", "20", "--seed", "12")
    served("opt-out", "--account", "sample-12-1")
    again = served("load-sample", "--subjects", "20", "--seed", "12")
    assert "0 subjects written" in again.out
    assert "that existed before." in again.out
    assert '"CHOICE_OPT_OUT"' in served("profile", "show", "--account", "sample-12-1").out


def test_without_a_service_the_store_runs_for_the_command(adt: Adt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADTARGETING_DATA_DIR", "data")
    loaded = adt("load-sample", "--subjects", "50")
    assert loaded.lines[1] == "Stored in an embedded Redis in data."
    assert "sample-7-3" in loaded.out
    assert "0 subjects written" in adt("load-sample", "--subjects", "50").out


def test_a_redis_of_the_settings_is_used(
    adt: Adt, monkeypatch: pytest.MonkeyPatch, redis_address: RedisAddress
) -> None:
    monkeypatch.setenv("ADTARGETING_REDIS_URL", f"unix://{quote(redis_address.path)}")
    loaded = adt("load-sample", "--subjects", "1", "--seed", "13")
    assert loaded.lines[0].startswith("1 person: 1 subject written, ")
    assert loaded.lines[1] == "Stored in the Redis of ADTARGETING_REDIS_URL."


def test_a_store_of_another_key_is_left_alone(
    adt: Adt, monkeypatch: pytest.MonkeyPatch, redis_address: RedisAddress, tmp_path: Path
) -> None:
    monkeypatch.setenv("ADTARGETING_REDIS_URL", str(redis_address))
    assert adt("load-sample", "--subjects", "1", "--seed", "14").status == 0
    (tmp_path / "other.key").write_text("5a" * 32, encoding="ascii")
    monkeypatch.setenv("ADTARGETING_SECRET_KEY_FILE", str(tmp_path / "other.key"))
    ended = adt("load-sample", "--subjects", "1", "--seed", "15")
    assert (ended.status, ended.err.count("\n")) == (1, 1)
    assert "belongs to the secret key" in ended.err


def test_a_redis_that_is_not_there_is_a_refusal(adt: Adt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADTARGETING_REDIS_URL", "redis://127.0.0.1:1/0")
    ended = adt("load-sample", "--subjects", "1")
    assert ended.status == 1
    assert ended.err.count("\n") == 1


def test_a_data_directory_that_cannot_be_made_is_a_configuration_error(
    adt: Adt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADTARGETING_DATA_DIR", "/dev/null/data")
    ended = adt("load-sample", "--subjects", "1")
    assert ended.status == 2
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "pipe"])
def test_progress_is_shown_on_terminals_only(terminal: bool) -> None:
    shown = io.StringIO()
    out = Console(file=shown, force_terminal=terminal, width=80)
    assert load(out, iter([Progress(5, 4, 1), Progress(5, 6, 0)]), 10) == (10, 1)
    assert ("Loading people" in shown.getvalue()) is terminal
