"""SIGTERM under load: callers that heed the health of the service lose no call."""

import re
import signal
import threading
from collections import Counter
from contextlib import ExitStack, suppress
from pathlib import Path

import grpc
import pytest
from adtargeting.v1 import targeting_pb2 as pb
from adtargeting.v1.targeting_pb2_grpc import TargetingServiceStub
from grpc_health.v1 import health_pb2

from tests.faults.matrix.marks import Figure
from tests.server.cli.conftest import started
from tests.waiting import PATIENCE_S, eventually

CALLERS, AT_ONCE = 4, 16
OWN_CONNECTION = (("grpc.use_local_subchannel_pool", 1),)


class Caller:
    """Keeps several calls under way on a connection of its own until health says NOT_SERVING, or a call fails."""

    def __init__(self, address: str, *, heeds_health: bool) -> None:
        self.ends: Counter[grpc.StatusCode] = Counter()
        self._address = address
        self._heeds_health = heeds_health
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def join(self) -> None:
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        with grpc.insecure_channel(self._address, OWN_CONNECTION) as channel:
            watch = threading.Thread(target=self._watch, args=(channel,), daemon=True)
            watch.start()
            decide = TargetingServiceStub(channel).Decide
            while not self._leaving.is_set() and self.ends.keys() <= {grpc.StatusCode.OK}:
                calls = [decide.future(pb.DecideRequest(account_id="a"), timeout=PATIENCE_S) for _ in range(AT_ONCE)]
                self.ends.update(call.code() for call in calls)
            watch.join()

    def _watch(self, channel: grpc.Channel) -> None:
        watch: grpc.UnaryStreamMultiCallable[bytes, bytes] = channel.unary_stream("/grpc.health.v1.Health/Watch")
        seen = watch(health_pb2.HealthCheckRequest(service="adtargeting.v1.TargetingService").SerializeToString())
        # It may end with the service before it has told anything.
        with suppress(grpc.RpcError):
            for answer in map(health_pb2.HealthCheckResponse.FromString, seen):
                if answer.status == health_pb2.HealthCheckResponse.NOT_SERVING:
                    break
        if self._heeds_health:
            self._leaving.set()
        seen.cancel()


@pytest.mark.fault(row=11)
@pytest.mark.parametrize(
    ("processes", "protected"),
    [("1", True), ("1", False), ("2", True)],
    ids=["protected", "unprotected", "two processes"],
)
def test_callers_that_leave_on_not_serving_lose_no_call(
    tmp_path: Path, figure: Figure, processes: str, protected: bool
) -> None:
    """Unprotected, callers are told nothing: they leave when their calls fail."""
    settings = {
        "ADTARGETING_GRPC_ADDRESS": "127.0.0.1:0",
        "ADTARGETING_METRICS_ADDRESS": "127.0.0.1:0",
        "ADTARGETING_DATA_DIR": str(tmp_path / "data"),
        # A busy machine refuses no call for being late.
        "ADTARGETING_DECISION_BUDGET_MS": "2000",
        # Longer than any caller needs: the second signal ends it.
        "ADTARGETING_DRAIN_DELAY_S": "600" if protected else "0",
    }
    with started("serve", "--processes", processes, **settings) as service, ExitStack() as closing:
        closing.callback(service.kill)
        assert service.stdout
        address = service.stdout.readline().split(" on ")[1].split()[0]
        callers = [Caller(address, heeds_health=protected) for _ in range(CALLERS)]
        eventually(lambda: all(caller.ends.total() > AT_ONCE for caller in callers))
        service.send_signal(signal.SIGTERM)
        for caller in callers:
            caller.join()
        ends = sum((caller.ends for caller in callers), Counter[grpc.StatusCode]())
        failed = ends.total() - ends[grpc.StatusCode.OK]
        figure(f"{failed} of {ends.total():,} calls failed")
        assert (failed == 0) == protected
        if protected:
            service.send_signal(signal.SIGTERM)
        assert service.wait(PATIENCE_S) == 0
        assert service.stderr
        assert not re.search("ERROR|Traceback", service.stderr.read())
