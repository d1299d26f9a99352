"""The README and docs/operate.md are true: commands and examples run, and the tables are complete."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from typing import Any

import grpc
import pytest
from adtargeting.v1 import targeting_pb2 as pb
from adtargeting.v1 import targeting_pb2_grpc

from server.app import Service
from server.gate.assembly import has_http2
from server.metrics.metrics import Metrics
from server.settings import PREFIX, Settings
from tests.docs.documents import blocks
from tests.node_tools import MODULES, needs_node
from tests.server.cli.conftest import ROOT, Adt

README = (ROOT / "README.md").read_text(encoding="utf-8")
CLIENTS = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
OPERATE = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "proto"), "NODE_PATH": str(MODULES)}


def commands(text: str) -> list[list[str]]:
    """Return the command lines of `adtargeting` in the shell blocks that ask a running service."""
    lines = (line for block in blocks(text, "sh") for line in block.splitlines())
    found = [shlex.split(line, comments=True) for line in lines if re.match(r"(\.venv/bin/)?adtargeting ", line)]
    return [words[1:] for words in found if words[1] not in {"serve", "nap"}]


@pytest.mark.parametrize("text", [README, OPERATE], ids=["README", "operate"])
def test_the_commands_run_as_they_stand(served: Adt, text: str) -> None:
    assert len(commands(text)) >= 4
    for argv in commands(text):
        ended = served(*argv)
        assert (ended.status, ended.err) == (0, ""), argv


def test_the_first_decision_is_what_the_readme_promises(served: Adt) -> None:
    load, known, opt_out, explain, british, _ = commands(README)
    served(*load)
    served("opt-in", *opt_out[1:])
    assert served(*known).lines[0].startswith("BEHAVIOURAL")
    served(*opt_out)
    assert "ACCOUNT_OPT_OUT" in served(*explain).out
    shown = served(*british).out
    assert "TCF_NO_CONSENT" in shown
    assert "GB" in shown


ANSWER = re.compile(r"MODE_BEHAVIOURAL US [1-9]\d*\n")


@pytest.fixture
def readers_service(served: Adt, service: Service) -> Service:
    """The service as a reader of the README has left it: the sample is loaded, and the person has opted in again."""
    load, _, _, _, _, opt_in = commands(README)
    for argv in (load, opt_in):
        assert served(*argv).status == 0
    return service


def example(language: str, address: str) -> str:
    """Return an example of the README as it stands, but for the port, which is the test's own."""
    [text] = blocks(README, language)
    assert "127.0.0.1:50051" in text
    return text.replace("127.0.0.1:50051", address)


def printed_by(command: list[str]) -> str:
    ended = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=60, env=ENVIRONMENT)
    assert ended.stderr == ""
    return ended.stdout


def test_the_python_example_prints_a_decision(readers_service: Service) -> None:
    assert ANSWER.fullmatch(printed_by([sys.executable, "-c", example("python", readers_service.address)]))


@needs_node
def test_the_node_example_prints_a_decision(readers_service: Service) -> None:
    assert ANSWER.fullmatch(printed_by(["node", "-e", example("js", readers_service.address)]))


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.skipif(not has_http2(), reason="HTTP/1.1 needs the http2 gate")
@pytest.mark.parametrize("text", [README, CLIENTS], ids=["README", "clients"])
def test_the_curl_example_prints_a_decision_as_json(readers_service: Service, text: str) -> None:
    [block] = [block for block in blocks(text, "sh") if block.startswith("curl -d ")]
    assert "127.0.0.1:50051" in block
    command = block.replace("127.0.0.1:50051", readers_service.address)
    told = subprocess.run(["sh", "-c", command], check=True, capture_output=True, timeout=60)
    assert json.loads(told.stdout)["mode"] == "MODE_BEHAVIOURAL"


class Unavailable(targeting_pb2_grpc.TargetingServiceServicer):
    """Refuses the first calls with UNAVAILABLE, then answers."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        self.calls = 0
        self.seconds_left: list[float] = []

    def Decide(self, request: pb.DecideRequest, context: grpc.ServicerContext) -> pb.DecideResponse:  # noqa: N802  # the RPC's name
        self.calls += 1
        self.seconds_left.append(context.time_remaining() or 0)
        if self.calls <= self.refusals:
            context.abort(grpc.StatusCode.UNAVAILABLE, "starting")
        features = pb.BehaviouralFeatures(interests=[pb.Interest(segment_id="1")])
        limited = pb.LimitedFeatures(country="US")
        return pb.DecideResponse(mode=pb.MODE_BEHAVIOURAL, limited=limited, behavioural=features)


@pytest.fixture
def unavailable() -> Iterator[Callable[[int], tuple[Unavailable, str]]]:
    servers = []

    def start(refusals: int) -> tuple[Unavailable, str]:
        server, servicer = grpc.server(ThreadPoolExecutor(2)), Unavailable(refusals)
        targeting_pb2_grpc.add_TargetingServiceServicer_to_server(servicer, server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        servers.append(server)
        return servicer, f"127.0.0.1:{port}"

    yield start
    for server in servers:
        server.stop(None).wait()


EXAMPLES = [
    pytest.param("python", [sys.executable, "-c"], id="python"),
    pytest.param("js", ["node", "-e"], id="node", marks=needs_node),
]


@pytest.mark.parametrize(("language", "command"), EXAMPLES)
def test_an_example_has_a_deadline_and_repeats_a_call_once_on_unavailable(
    unavailable: Callable[[int], tuple[Unavailable, str]], language: str, command: list[str]
) -> None:
    servicer, address = unavailable(1)
    assert ANSWER.fullmatch(printed_by([*command, example(language, address)]))
    assert servicer.calls == 2
    assert all(0 < seconds <= 1 for seconds in servicer.seconds_left)


@pytest.mark.parametrize(("language", "command"), EXAMPLES)
def test_an_example_does_not_repeat_a_call_twice(
    unavailable: Callable[[int], tuple[Unavailable, str]], language: str, command: list[str]
) -> None:
    servicer, address = unavailable(9)
    ended = subprocess.run(
        [*command, example(language, address)], cwd=ROOT, check=False, capture_output=True, timeout=60, env=ENVIRONMENT
    )
    assert (ended.returncode, servicer.calls) == (1, 2)


def rows(heading: str) -> list[list[str]]:
    """Return the rows of the table under a heading of docs/operate.md, without its head."""
    section = OPERATE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_table_of_settings_is_complete_and_tells_the_defaults() -> None:
    defaults = {f"{PREFIX}{each.name.upper()}": str(each.default) for each in fields(Settings)}
    assert {name.strip("`"): default.strip("`") for name, default, _ in rows("Settings")} == defaults


def test_the_table_of_metrics_is_complete_and_tells_the_labels() -> None:
    registered: dict[str, set[str]] = {}
    for collector in Metrics().registry._collector_to_names:
        # There is no public way to the names of labels; a collector of our own has them in its family.
        family: Any = next(iter(collector.collect()))
        labels = getattr(collector, "_labelnames", getattr(family, "_labelnames", ()))
        if family.name.startswith("adtargeting_"):
            registered[family.name + ("_total" if family.type == "counter" else "")] = set(labels)
    documented = {name.strip("`"): set(re.findall(r"\w+", labels)) for name, labels, _ in rows("Metrics")}
    assert documented == registered
