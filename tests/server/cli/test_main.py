"""The command line as a whole: help, usage errors, settings and failures."""

import shutil
import socket
import subprocess
import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from server.build import UNKNOWN
from server.cli import client
from server.cli import main as main_module
from server.cli.command import Command, no_arguments
from server.cli.commands import COMMANDS, CommandEntry
from server.cli.failures import EXIT_STATUS
from server.cli.shell import Shell, plain
from server.store.ports import StoreTimeout, StoreUnavailable
from tests.server.cli.conftest import ROOT, Adt, started

CONTRACT = {
    "serve", "demo", "decide", "explain", "opt-out", "opt-in", "profile", "activity", "check-policy", "preflight",
    "load-sample",
}  # fmt: skip


def test_the_help_names_every_command_of_the_contract(adt: Adt) -> None:
    ended = adt("--help")
    assert ended.status == 0
    assert set(COMMANDS) >= CONTRACT
    assert all(f"  {name} " in ended.out for name in COMMANDS)


def test_no_command_is_a_call_for_help(adt: Adt) -> None:
    assert adt() == adt("--help")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(adt: Adt, name: str) -> None:
    ended = adt(name, "--help")
    assert ended.status == 0
    assert f"adtargeting {name}" in ended.out


@pytest.mark.parametrize(
    ("argv", "problem"),
    [
        (["dance"], "invalid choice"),
        (["decide", "--colour", "red"], "--colour"),
        (["decide", "--acc", "a"], "--acc"),
        (["decide", "--account"], "--account"),
        (["decide", "--account", "\udcff"], "must be UTF-8"),
        (["decide", "--gpp-sid", "7,x"], "commas"),
        (["decide", "--gpp-sid", "99999999999"], "32-bit"),
        (["decide", "--industry", "acme"], "invalid choice"),
        (["--address", "", "decide"], "--address: must be host:port"),
        (["decide", "--address", "host:65536"], "a port from 0 to 65535"),
        (["opt-out"], "--account --device"),
        (["opt-out", "--account", "a", "--device", "d"], "not allowed with"),
        (["opt-out", "--account", ""], "--account --device"),
        (["opt-out", "--account", "a", "--birth-date", "31.12.1990"], "must be a date"),
        (["profile", "show"], "--account --device"),
        (["activity", "--account", "a", "--kind", "sleep"], "invalid choice"),
        (["activity", "--account", "a", "--kind", "call", "--occurred-at", "noon"], "must be an ISO 8601 time"),
        (["decode", "tcf"], "string"),
        (["decode", "morse", "x"], "invalid choice"),
        (["load-sample", "--subjects", "0"], "whole number"),
        (["load-sample", "--subjects", "many"], "whole number"),
        (["load-sample", "--seed", "-1"], "whole number"),
        (["nap", "decrypt", "x"], "ADTARGETING_NAP_KEYS"),
        (["check-policy"], "FILE"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_usage_error_is_one_line_and_status_2(adt: Adt, argv: list[str], problem: str) -> None:
    ended = adt(*argv)
    assert (ended.status, ended.out) == (2, "")
    assert problem in ended.err
    assert ended.err.startswith("adtargeting: ")
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("ADTARGETING_COLOUR", "red", "ADTARGETING_COLOUR: unknown setting"),
        ("ADTARGETING_OTHER_WORKERS", "many", "ADTARGETING_OTHER_WORKERS: must be a whole number"),
        ("ADTARGETING_OTHER_WORKERS", "99", "ADTARGETING_OTHER_WORKERS: must be between"),
        ("ADTARGETING_GATE", "garden", "ADTARGETING_GATE: must be one of"),
        ("ADTARGETING_GRPC_ADDRESS", "127.0.0.1:65536", "ADTARGETING_GRPC_ADDRESS: must be host:port"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_an_impossible_setting_is_one_line_and_status_2(
    adt: Adt, monkeypatch: pytest.MonkeyPatch, name: str, value: str, problem: str
) -> None:
    monkeypatch.setenv(name, value)
    ended = adt("decide", "--account", "a")
    assert ended.status == 2
    assert problem in ended.err
    assert ended.err.count("\n") == 1


def test_the_file_of_config_is_read_and_its_errors_are_one_line(adt: Adt, tmp_path: Path) -> None:
    config = tmp_path / "settings.toml"
    config.write_text('ADTARGETING_GRPC_ADDRESS = "127.0.0.1:1"\n')
    assert "127.0.0.1:1" in adt("decide", "--config", str(config)).err
    config.write_text("ADTARGETING_COLOUR = 1\n")
    assert adt("--config", str(config), "decide").status == 2
    config.write_text("= nonsense\n")
    ended = adt("--config", str(config), "decide")
    assert (ended.status, ended.err.count("\n")) == (2, 1)
    ended = adt("--config", str(tmp_path / "none.toml"), "decide")
    assert (ended.status, f"--config: {tmp_path}/none.toml cannot be read: No such file" in ended.err) == (2, True)


@pytest.mark.parametrize("options", [["--address", "127.0.0.1:1", "decide"], ["decide", "--address", "127.0.0.1:1"]])
def test_a_service_that_is_not_there_is_a_refusal_that_says_how_to_start_one(adt: Adt, options: list[str]) -> None:
    ended = adt(*options)
    assert ended.status == 1
    assert ended.err.count("\n") == 1
    assert "no service answers at 127.0.0.1:1" in ended.err
    assert "adtargeting serve" in ended.err


@pytest.mark.parametrize("options", [(), ("--tls",)], ids=["plaintext", "TLS"])
def test_a_service_that_never_answers_is_not_waited_for(
    adt: Adt, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    monkeypatch.setattr(client, "TIMEOUT_S", 0.3)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        ended = adt("decide", "--address", f"127.0.0.1:{silent.getsockname()[1]}", *options)
    assert ended.status == 1
    assert "did not answer within 0.3 s" in ended.err
    assert ("; it may not speak TLS: leave --tls and --tls-ca away" in ended.err) is bool(options)


def test_the_version_is_that_of_the_package_or_none(adt: Adt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(main_module, "build_version", lambda: "1.2.3")
    assert adt("--version").out == "adtargeting 1.2.3\n"
    monkeypatch.setattr(main_module, "build_version", lambda: UNKNOWN)
    ended = adt("--version")
    assert ended.status == 1
    assert (
        ended.err == "adtargeting: the version is unknown: adtargeting is not installed; run it from an installation\n"
    )


def registry() -> dict[str, Any]:
    return COMMANDS


class Loaded(NamedTuple):
    """A command that needs no import."""

    command: Command
    summary: str = "try it"

    def load(self) -> Command:
        return self.command


def command(run: Callable[[Namespace, Shell], int]) -> Command:
    return Command(no_arguments, run)


def raising(problem: BaseException) -> Command:
    def run(_: Namespace, __: Shell) -> int:
        raise problem

    return command(run)


def ends(status: int) -> Command:
    return command(lambda _, __: status)


@pytest.mark.parametrize(
    ("tried", "status", "said"),
    [
        (ends(0), 0, ""),
        (ends(1), 1, ""),
        (raising(StoreTimeout("the store did not answer in time")), 1, "the store did not answer in time"),
        (raising(StoreUnavailable("two\nlines")), 1, "two lines"),
        (raising(KeyboardInterrupt()), 130, ""),
        (raising(ZeroDivisionError("secret")), 1, "internal error, ZeroDivisionError at test_main.py"),
    ],
    ids=["done", "refused", "a failure", "a failure of two lines", "interrupted", "unforeseen"],
)
def test_however_a_command_ends_there_is_no_traceback(
    adt: Adt, monkeypatch: pytest.MonkeyPatch, tried: Command, status: int, said: str
) -> None:
    monkeypatch.setitem(registry(), "try", Loaded(tried))
    ended = adt("try")
    assert ended.status == status
    assert said in ended.err
    assert "Traceback" not in ended.err
    assert "secret" not in ended.err
    assert ended.err.count("\n") == bool(said)


def test_an_entry_that_names_no_command_is_found_out() -> None:
    with pytest.raises(TypeError, match="not a command"):
        CommandEntry("what", "server.cli.commands", "COMMANDS").load()


def test_each_failure_has_a_status() -> None:
    assert set(EXIT_STATUS.values()) == {1, 2}


def test_the_reader_of_the_output_may_go() -> None:
    with started("features", "--json") as running:
        assert running.stdout
        assert running.stderr
        running.stdout.close()
        assert running.stderr.read() == ""


@pytest.mark.parametrize("argv", [["features"], ["features", "--json"], ["--version"]], ids=" ".join)
def test_output_that_cannot_be_written_is_a_refusal_of_one_line(argv: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "server", *argv], stdout=full, stderr=subprocess.PIPE, cwd=ROOT, check=False
        )
    assert ended.returncode == 1
    assert ended.stderr.decode() == "adtargeting: cannot write the output: No space left on device\n"


@pytest.mark.parametrize(
    ("called", "on_path", "named"),
    [
        ("bin/adtargeting", None, "bin/adtargeting"),
        ("bin/adtargeting", "elsewhere/adtargeting", "bin/adtargeting"),
        ("bin/adtargeting", "bin/adtargeting", "adtargeting"),
        ("server/__main__.py", None, "adtargeting"),
    ],
    ids=["not on the path", "another is on the path", "on the path", "as a module"],
)
def test_a_hint_names_the_program_as_it_can_be_called(
    adt: Adt, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, called: str, on_path: str | None, named: str
) -> None:
    monkeypatch.setattr(sys, "argv", [str(tmp_path / called)])
    monkeypatch.setattr(shutil, "which", lambda _: on_path and str(tmp_path / on_path))
    assert f"`{named} serve`" in adt("decide", "--address", "127.0.0.1:1").err
    assert adt("decode").err.endswith(f"; see {named} decode --help\n")


def test_a_hint_names_a_program_outside_the_directory_in_full(
    adt: Adt, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "argv", ["/elsewhere/adtargeting"])
    assert adt("decode").err.endswith("; see /elsewhere/adtargeting decode --help\n")


def test_a_terminal_is_shown_text_and_no_commands() -> None:
    assert plain("café \x1b[2J\r\n") == "café �[2J��"
