"""A service of several processes, started from the command line as an operator does."""

import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import grpc
from adtargeting.v1 import targeting_pb2 as pb
from adtargeting.v1.targeting_pb2_grpc import TargetingServiceStub
from prometheus_client.parser import text_string_to_metric_families

from tests.server.cli.conftest import started
from tests.waiting import eventually

_OWN_CONNECTION = (("grpc.use_local_subchannel_pool", 1),)


class Process(NamedTuple):
    """A line of ``ps``."""

    pid: int
    parent: int
    state: str
    command: str


def processes() -> list[Process]:
    """Every process of this machine, but for those that have ended and whose parent has not noticed."""
    listed = subprocess.run(
        ["ps", "-A", "-ww", "-o", "pid=,ppid=,state=,args="], capture_output=True, text=True, check=True
    )
    lines = [line.split(maxsplit=3) for line in listed.stdout.splitlines()]
    found = [Process(int(line[0]), int(line[1]), line[2], line[3]) for line in lines if len(line) == 4]
    return [process for process in found if not process.state.startswith("Z")]


def family(pid: int) -> set[int]:
    """The pids of all descendants."""
    alive, found, newest = processes(), set[int](), {pid}
    while newest:
        newest = {process.pid for process in alive if process.parent in newest}
        found |= newest
    return found


def is_any_alive(pids: set[int]) -> bool:
    return bool(pids & {process.pid for process in processes()})


class RunningSupervisor:
    """The supervisor's process and what it printed when it began to serve."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout
        self.process = process
        self.line = process.stdout.readline()
        self.address = self.line.split(" on ")[1].split()[0]
        self.metrics_url = self.line.split("metrics on ")[1].split(",")[0]

    @property
    def workers(self) -> set[int]:
        """The pids of the workers."""
        children = [process for process in processes() if process.parent == self.process.pid]
        return {child.pid for child in children if "spawn_main" in child.command}

    def decide(self) -> pb.DecideResponse:
        """Ask over a connection of its own, so that either worker may get it; repeat once, as clients do."""
        with grpc.insecure_channel(self.address, _OWN_CONNECTION) as channel:
            stub = TargetingServiceStub(channel)
            try:
                return self._ask(stub)
            except grpc.RpcError:
                return self._ask(stub)

    def metric(self, sample_name: str, **labels: str) -> float:
        """The sum of the samples with these labels; 0 without any."""
        with urllib.request.urlopen(self.metrics_url, timeout=15) as answer:
            families = text_string_to_metric_families(answer.read().decode())
        samples = [sample for family in families for sample in family.samples if sample.name == sample_name]
        return sum(sample.value for sample in samples if labels.items() <= sample.labels.items())

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    @staticmethod
    def _ask(stub: TargetingServiceStub) -> pb.DecideResponse:
        request = pb.DecideRequest(account_id="a", client=pb.ClientSettings(country="US"))
        answer: pb.DecideResponse = stub.Decide(request, timeout=15)
        return answer


def settings(data_dir: Path, **more: str) -> dict[str, str]:
    return {
        "ADTARGETING_GRPC_ADDRESS": "127.0.0.1:0",
        "ADTARGETING_METRICS_ADDRESS": "127.0.0.1:0",
        "ADTARGETING_DATA_DIR": str(data_dir),
        "ADTARGETING_DRAIN_DELAY_S": "0",
        "ADTARGETING_DECISION_BUDGET_MS": "5000",
        **more,
    }


@contextmanager
def running(data_dir: Path, *argv: str, **more: str) -> Iterator[RunningSupervisor]:
    """Serve by two processes; whatever happens, none of them is left."""
    with started("serve", "--processes", "2", *argv, **settings(data_dir, **more)) as process:
        try:
            yield RunningSupervisor(process)
        finally:
            pids = family(process.pid)
            process.kill()
            eventually(lambda: not is_any_alive(pids))
