"""More connections than the process may have descriptors: metrics and the store stay reachable."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.request import urlopen

import grpc
import pytest
from adtargeting.v1 import targeting_pb2 as pb
from adtargeting.v1.targeting_pb2_grpc import TargetingServiceStub

from server.gate.http2 import limits
from tests.contracts.gates import own_channel, wait_until
from tests.faults.matrix.marks import Figure
from tests.server.cli.conftest import ROOT
from tests.server.processes.running_supervisor import settings

FILES = 320
"""The limit of open files of the service's process."""
PROGRAM = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, ({FILES}, {FILES}))
from server.gate.http2 import gate, limits
from server.gate.loop_gate import LoopGate
{{protection_off}}
from server.cli.main import main
sys.exit(main(["serve"]))
"""
ALL_FOR_CONNECTIONS = "limits._KEPT_FREE_FILES = 0\n"
UNWATCHED = "gate.Http2Gate.is_alive = LoopGate.is_alive\n"


class Crowded:
    """A running service to which more callers connect than it can have open files."""

    def __init__(self, process: "subprocess.Popen[str]", idle: ExitStack) -> None:
        assert process.stdout
        line = process.stdout.readline()
        self.process = process
        self.address = line.split(" on ")[1].split()[0]
        self._metrics_url = line.split("metrics on ")[1].split(",")[0]
        self._idle = idle

    def crowd(self) -> None:
        """Open as many connections as the process may have files, and send nothing."""
        host, _, port = self.address.rpartition(":")
        for _ in range(FILES):
            self._idle.enter_context(socket.create_connection((host, int(port)), timeout=20))

    def descriptors(self) -> int:
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def metrics(self) -> bytes:
        with urlopen(self._metrics_url, timeout=20) as answer:
            told: bytes = answer.read()
            return told

    def await_line(self, text: str) -> None:
        """Wait until the log has said this."""
        assert self.process.stderr
        while text not in (line := self.process.stderr.readline()):
            assert line, "the log has ended"


@contextmanager
def serving(tmp_path: Path, protection_off: str = "") -> Iterator[Crowded]:
    with (
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM.format(protection_off=protection_off)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={
                **os.environ,
                "PYTHONPATH": f"{ROOT}:{ROOT / 'proto'}",
                **settings(tmp_path, ADTARGETING_GATE="http2"),
            },
        ) as process,
        ExitStack() as idle,
    ):
        try:
            yield Crowded(process, idle)
        finally:
            process.kill()


def decide(channel: grpc.Channel, timeout_s: float = 20) -> pb.DecideResponse:
    request = pb.DecideRequest(account_id="a", ip="8.8.8.8")
    answer: pb.DecideResponse = TargetingServiceStub(channel).Decide(request, timeout=timeout_s)
    return answer


@pytest.mark.fault(row=13)
def test_idle_connections_leave_descriptors_to_everything_else(tmp_path: Path, figure: Figure) -> None:
    with serving(tmp_path) as service, own_channel(service.address) as channel:
        decide(channel)
        service.crowd()
        wait_until(lambda: service.descriptors() >= FILES - limits._KEPT_FREE_FILES)
        figure(f"{FILES} connections took {service.descriptors()} of {FILES} descriptors")
        assert b"adtargeting_inflight" in service.metrics()
        assert list(decide(channel).reasons) == [pb.REASON_NO_PROFILE]


@pytest.mark.fault(row=12)
@pytest.mark.fault(row=13, protection_off=True)
@pytest.mark.parametrize("protected", [True, False], ids=["protected", "unprotected"])
def test_a_gate_that_can_accept_no_more_ends_its_process(tmp_path: Path, protected: bool) -> None:
    """Here connections may take every descriptor. With the protection off the process stays, and serves its metrics."""
    with serving(tmp_path, ALL_FOR_CONNECTIONS + ("" if protected else UNWATCHED)) as service:
        with suppress(OSError):
            service.crowd()
        service.await_line("the HTTP/2 server has stopped by itself: OSError")
        if protected:
            service.await_line("has ended unexpectedly; this process ends, restart it")
            assert service.process.wait(20) == 1
            return
        assert b"adtargeting_inflight" in service.metrics()
        with own_channel(service.address) as channel, pytest.raises(grpc.RpcError):
            decide(channel, timeout_s=1)
