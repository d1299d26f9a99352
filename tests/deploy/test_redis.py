"""The Redis settings: real servers start with them, and the service works as the user of the ACL."""

import re
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
from adtargeting.v1 import preference_pb2, profile_pb2, targeting_pb2

from server.app import Service
from server.cli.client import Client
from server.settings import Settings
from server.store.embedded.binary import find_server
from server.store.redis.preflight import Expected, Level, examine
from server.store.redis.server_facts import gather
from server.store.redis.url import parse_redis_url
from tests.deploy.tools import DEPLOY
from tests.waiting import eventually

REDIS = DEPLOY / "redis"
PASSWORD = "service-password"
FREE = "127.0.0.1:0"
StartServer = Callable[..., int]


BUS_OFFSET, LAST_PORT = 10_000, 65_535


def free_port() -> int:
    """A free port whose 10,000th successor, a cluster's bus, is one as well."""
    while True:
        with socket.socket() as probe, socket.socket() as bus:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
            if port + BUS_OFFSET > LAST_PORT:
                continue
            try:
                bus.bind(("127.0.0.1", port + BUS_OFFSET))
            except OSError:
                continue
            return port


def ask(commands: Sequence[Sequence[str]], port: int) -> str:
    """Send commands on one connection and return the raw reply to the last."""
    reply = ""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        for words in commands:
            text = "".join(f"${len(word)}\r\n{word}\r\n" for word in words)
            connection.sendall(f"*{len(words)}\r\n{text}".encode())
            reply = connection.recv(65536).decode()
    return reply


def as_service(port: int, *words: str) -> str:
    """Send one command as the service's user."""
    return ask([["AUTH", "adtargeting", PASSWORD], words], port)


def as_sentinel(port: int, *words: str) -> None:
    """Send one command as the sentinels' user, and expect it to be permitted."""
    assert ask([["AUTH", "sentinel", "REPLACE_SENTINEL_PASSWORD"], words], port) == "+OK\r\n"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[StartServer]:
    """Start a server with a configuration of ``deploy/redis`` and more arguments; return its port."""
    with ExitStack() as closing:

        def start(name: str, *more: str) -> int:
            port = free_port()
            directory = tmp_path / f"{name}-{port}"
            directory.mkdir()
            for path in REDIS.glob("*.*"):
                text = path.read_text().replace("REPLACE_SERVICE_PASSWORD", PASSWORD)
                (directory / path.name).write_text(text)
            quick = [] if "--sentinel" in more else ["--repl-diskless-sync-delay", "0"]
            options = [*more, *quick, "--port", str(port), "--dir", str(directory), "--loglevel", "warning"]
            server = subprocess.Popen([find_server(), name, *options], cwd=directory, stdout=subprocess.DEVNULL)
            closing.callback(server.wait)
            closing.callback(server.kill)
            eventually(partial(answers, port))
            return port

        yield start


def answers(port: int) -> bool:
    try:
        return bool(ask([["PING"]], port))
    except OSError:
        return False


def url(port: int) -> str:
    return f"redis://adtargeting:{PASSWORD}@127.0.0.1:{port}"


def test_preflight_finds_no_error_on_the_primary(start: StartServer) -> None:
    findings = examine(gather(parse_redis_url(url(start("primary.conf"))), b"adt"), Expected())
    assert [finding for finding in findings if finding.level is Level.ERROR] == []


def test_the_service_works_as_the_user_of_the_acl(start: StartServer, tmp_path: Path) -> None:
    port = start("primary.conf")
    settings = Settings(
        grpc_address=FREE, metrics_address=FREE, data_dir=tmp_path / "data", redis_url=url(port), drain_grace_s=1,
        decision_budget_ms=5000, write_budget_ms=5000, confirm_on_disk="yes",
    )  # fmt: skip
    with Service(settings) as service, Client(service.address) as client:
        choice = preference_pb2.SetPreferenceRequest(
            account_id="a", choice=preference_pb2.CHOICE_OPT_OUT, source=preference_pb2.SOURCE_ACCOUNT_PAGE
        )
        assert client.call(client.preferences.SetPreference, choice).durability == preference_pb2.DURABILITY_CONFIRMED
        decision = client.call(client.targeting.Decide, targeting_pb2.DecideRequest(account_id="a", ip="8.8.8.8"))
        assert list(decision.reasons) == [targeting_pb2.REASON_ACCOUNT_OPT_OUT]
        activity = profile_pb2.Activity(
            account_id="b", kind=profile_pb2.ACTIVITY_KIND_PAGE_VIEW, segment_ids=["246"],
            client=targeting_pb2.ClientSettings(country="US"),
        )  # fmt: skip
        recorded = client.call(client.profiles.RecordActivity, profile_pb2.RecordActivityRequest(activities=[activity]))
        assert recorded.results[0].outcome == profile_pb2.OUTCOME_RECORDED
        erased = client.call(client.profiles.DeleteProfile, profile_pb2.DeleteProfileRequest(account_id="b"))
        assert erased.keys_removed


@pytest.mark.parametrize(
    "command",
    [
        ["KEYS", "*"],
        ["FLUSHALL"],
        ["GET", "other"],
        ["CONFIG", "SET", "save", ""],
        ["ACL", "LIST"],
        ["SHUTDOWN"],
        ["DEBUG", "SLEEP", "0"],
        ["FLUSHDB"],
    ],
    ids=" ".join,
)
def test_the_user_of_the_acl_may_do_nothing_else(start: StartServer, command: list[str]) -> None:
    port = start("primary.conf")
    assert ask([command], port).startswith("-NOAUTH")
    assert as_service(port, *command).startswith(("-NOPERM", "-ERR DEBUG command not allowed"))


def test_a_former_primary_follows_the_replica_that_was_promoted(start: StartServer) -> None:
    primary = start("primary.conf")
    replica = start("replica.conf", "--replicaof", "127.0.0.1", str(primary))
    eventually(lambda: "master_link_status:up" in as_service(replica, "INFO", "replication"))
    as_sentinel(replica, "REPLICAOF", "NO", "ONE")
    as_sentinel(primary, "REPLICAOF", "127.0.0.1", str(replica))
    eventually(lambda: "master_link_status:up" in as_service(primary, "INFO", "replication"))


def test_a_replica_follows_its_primary(start: StartServer) -> None:
    primary = start("primary.conf")
    replica = start("replica.conf", "--replicaof", "127.0.0.1", str(primary))
    eventually(lambda: "master_link_status:up" in as_service(replica, "INFO", "replication"))


def test_a_node_of_a_cluster_starts(start: StartServer) -> None:
    node = start("cluster.conf")
    eventually(lambda: "cluster_enabled:1" in as_service(node, "INFO", "cluster"))


def test_a_sentinel_watches_the_primary(start: StartServer) -> None:
    port = start("sentinel.conf", "--sentinel")
    eventually(lambda: "adtargeting" in ask([["SENTINEL", "MASTERS"]], port))


def test_no_password_is_ready_to_use() -> None:
    for path in (path for path in REDIS.glob("*.*") if path.suffix in {".conf", ".acl"}):
        for password in re.findall(r"(?:>|masterauth |auth-pass \w+ )(\S+)", path.read_text()):
            assert password.startswith("REPLACE_"), path.name
