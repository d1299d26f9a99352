"""``serve``: failures of the start, and the signals that a running service handles."""

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from adtargeting.v1 import targeting_pb2 as pb

from server.app import Service
from server.build import build_version
from server.cli.client import Client
from server.keys.secret_key import SecretKey, key_file
from server.serving import run_service
from server.settings import Settings
from tests.server.cli.conftest import Adt, started

ANYWHERE = "127.0.0.1:0"


@pytest.fixture
def fresh(adt: Adt, monkeypatch: pytest.MonkeyPatch) -> Adt:
    """The command line, with free ports and a data directory that does not exist yet."""
    monkeypatch.setenv("ADTARGETING_GRPC_ADDRESS", ANYWHERE)
    monkeypatch.setenv("ADTARGETING_METRICS_ADDRESS", ANYWHERE)
    monkeypatch.setenv("ADTARGETING_DATA_DIR", "data")
    return adt


@contextmanager
def taken_port() -> Iterator[str]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield f"127.0.0.1:{taken.getsockname()[1]}"


@pytest.mark.parametrize("setting", ["ADTARGETING_GRPC_ADDRESS", "ADTARGETING_METRICS_ADDRESS"])
def test_a_port_in_use_stops_the_start(fresh: Adt, monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    with taken_port() as address:
        monkeypatch.setenv(setting, address)
        ended = fresh("serve")
    assert (ended.status, ended.out) == (2, "")
    assert setting in ended.err
    assert ended.err.count("\n") == 1


@pytest.mark.fault(row=22)
@pytest.mark.fault(row=19)
@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("ADTARGETING_GEO_DB", "none.mmdb"),
        ("ADTARGETING_POLICY", "none.toml"),
        ("ADTARGETING_NAP_KEYS", "none.keys"),
        ("ADTARGETING_REDIS_URL", "ftp://user:secret@host"),
        ("ADTARGETING_SECRET_KEY_FILE", "/dev/null"),
        ("ADTARGETING_SECRET_KEY_FILE", "none.key"),
        ("ADTARGETING_DATA_DIR", "/dev/null/data"),
        ("ADTARGETING_GATE", "wooden"),
        ("ADTARGETING_COLOUR", "red"),
    ],
)
def test_what_the_settings_name_must_be_there(
    fresh: Adt, monkeypatch: pytest.MonkeyPatch, setting: str, value: str
) -> None:
    monkeypatch.setenv(setting, value)
    ended = fresh("serve")
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.count("\n") == 1
    assert "secret:" not in ended.err
    assert "secret@" not in ended.err


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_policy_that_cannot_be_used_stops_the_start_with_key_and_line(
    fresh: Adt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processes: str
) -> None:
    (tmp_path / "policy.toml").write_text('version = "1"\ncolour = "red"\n')
    # Its fault comes after that of the policy.
    monkeypatch.setenv("ADTARGETING_DATA_DIR", "/dev/null/data")
    ended = fresh("serve", "--policy", "policy.toml", "--processes", processes)
    assert ended.status == 2
    assert "policy.toml:2: colour" in ended.err


def test_it_serves_reads_its_policy_again_and_ends(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('version = "first"\n')
    settings = {
        "ADTARGETING_GRPC_ADDRESS": ANYWHERE,
        "ADTARGETING_METRICS_ADDRESS": ANYWHERE,
        "ADTARGETING_DATA_DIR": str(tmp_path / "data"),
        # Unreachable: that only degrades.
        "ADTARGETING_REDIS_URL": f"unix://{tmp_path}/none.sock",
    }
    with started("serve", "--policy", str(policy), **settings) as service:
        assert service.stdout
        line = service.stdout.readline()
        address = line.split(" on ")[1].split()[0]
        assert answer(address).policy_version == "first"
        assert list(answer(address).reasons) == [pb.REASON_STORE_UNAVAILABLE]
        policy.write_text('version = "second"\n')
        service.send_signal(signal.SIGHUP)
        wait_for_policy(address, "second")
        policy.write_text("= nonsense\n")
        service.send_signal(signal.SIGHUP)
        service.send_signal(signal.SIGTERM)
        assert service.wait(20) == 0
        assert service.stderr
        assert "Traceback" not in service.stderr.read()


def answer(address: str) -> pb.DecideResponse:
    with Client(address) as client:
        decision: pb.DecideResponse = client.call(
            client.targeting.Decide, pb.DecideRequest(account_id="a", client=pb.ClientSettings(country="US"))
        )
        return decision


def wait_for_policy(address: str, version: str) -> None:
    until_s = time.monotonic() + 20
    while answer(address).policy_version != version:
        assert time.monotonic() < until_s
        time.sleep(0.05)


def test_a_service_of_this_process_reloads_and_ends_by_signal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.serving.log_start", lambda _: os.kill(os.getpid(), signal.SIGHUP))
    monkeypatch.setattr(Service, "request_reload", lambda _: os.kill(os.getpid(), signal.SIGINT))
    settings = Settings(
        grpc_address=ANYWHERE, metrics_address=ANYWHERE, data_dir=tmp_path, redis_url=f"unix://{tmp_path}/none.sock"
    )
    before = [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)]
    try:
        run_service(settings)
    finally:
        for each, handler in zip((signal.SIGTERM, signal.SIGINT, signal.SIGHUP), before, strict=True):
            signal.signal(each, handler)
    assert capsys.readouterr().out.startswith(f"adtargeting {build_version()} serves gRPC on 127.0.0.1:")


def serve_settings(tmp_path: Path) -> dict[str, str]:
    return {
        "ADTARGETING_GRPC_ADDRESS": ANYWHERE,
        "ADTARGETING_METRICS_ADDRESS": ANYWHERE,
        "ADTARGETING_DATA_DIR": str(tmp_path / "data"),
        "ADTARGETING_DRAIN_DELAY_S": "0",
    }


def test_the_log_tells_the_run_from_start_to_stop_in_json(tmp_path: Path) -> None:
    settings = {**serve_settings(tmp_path), "ADTARGETING_LOG_FORMAT": "json"}
    with started("serve", **settings) as service:
        assert service.stdout
        assert service.stderr
        address = service.stdout.readline().split(" on ")[1].split()[0]
        for _ in range(20):
            answer(address)
        service.send_signal(signal.SIGTERM)
        lines = [json.loads(line) for line in service.stderr]
        assert service.wait(20) == 0
    messages = [line["message"] for line in lines]
    assert messages[0].startswith("country database is ")
    assert messages[1].startswith("started: version ")
    assert messages[2:] == ["SIGTERM received, draining", "drained, the gate is closed", "stopped"]
    run = lines[1]
    assert run["store"].startswith("unix://")
    assert run["key_fingerprint"] == read_key(tmp_path).fingerprint
    assert f"gRPC {address} (plaintext)" in run["listeners"]
    assert run.keys() >= {"time", "level", "logger", "version", "gate", "store", "policy_version"}


def read_key(tmp_path: Path) -> SecretKey:
    key = key_file(Settings(data_dir=tmp_path / "data")).read()
    assert key is not None
    return key


@pytest.mark.fault(row=27)
def test_sigterm_ends_a_start_that_hangs(tmp_path: Path) -> None:
    """The policy is a pipe without a writer, which would keep the start waiting for 5 s."""
    os.mkfifo(tmp_path / "policy.toml")
    with started("serve", "--policy", str(tmp_path / "policy.toml"), **serve_settings(tmp_path)) as service:
        assert service.stderr
        assert "country database is " in service.stderr.readline()
        service.send_signal(signal.SIGTERM)
        assert service.stderr.read().count("SIGTERM received while starting") == 1
        assert service.wait(20) == 0
