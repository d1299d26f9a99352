"""What is watched: the service in two processes on a Redis of its own, a guarded service, and their Prometheus."""

import os
import resource
import signal
import subprocess
import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Self

from cryptography.fernet import Fernet

from benchmarks.load.processes import Serving
from tests.deploy.tools import ROOT
from tests.faults.redis_process import ON_DISK, RedisProcess
from tests.monitor.free_ports import free_port
from tests.monitor.guarded_service import GuardedService
from tests.monitor.prometheus_server import PrometheusServer
from tests.server.processes.running_supervisor import processes
from tests.waiting import eventually

_EXAMPLE = ROOT / "policy.example.toml"


class Scene:
    """Everything that runs; a context manager that leaves no process behind."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._policy, self._shadow = directory / "policy.toml", directory / "shadow.toml"
        self._closing = ExitStack()

    def __enter__(self) -> Self:
        try:
            self._open()
        except BaseException:
            self._closing.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()

    @property
    def address(self) -> str:
        """Where the service listens."""
        return self._service.address

    def change_policies(self) -> None:
        """Have the service take policies of another version."""
        self._write_policies(2)
        os.kill(self._service.pid, signal.SIGHUP)
        self.guarded.reload()

    def kill_workers(self, times: int) -> None:
        """End a worker with SIGKILL, and wait until there are two again, as often as named."""
        for _ in range(times):
            killed = self._workers()[0]
            os.kill(killed, signal.SIGKILL)
            eventually(partial(self._has_replaced, killed))

    def limit_files(self, octets: int) -> None:
        """Let no file of the workers grow beyond a size: their audit log is full then."""
        for worker in self._workers():
            resource.prlimit(worker, resource.RLIMIT_FSIZE, (octets, resource.RLIM_INFINITY))

    def trust_store(self) -> None:
        """Accept the store as an operator does: type its name and number of records."""
        shown = self._command("store", "show")
        facts = {line.split()[0]: line for line in shown.splitlines() if line}
        counts = [word.replace(",", "") for name in ("preferences", "profiles") for word in facts[name].split()]
        records = sum(int(word) for word in counts if word.isdigit())
        self._command("store", "trust", typed=f"{facts['store'].split()[1]} {records}\n")

    def _open(self) -> None:
        self._write_policies(1)
        (self._directory / "nap.keys").write_bytes(Fernet.generate_key())
        metrics_address = f"127.0.0.1:{free_port()}"
        self.redis = self._closing.enter_context(RedisProcess(self._directory / "redis", *ON_DISK))
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith("ADTARGETING_")}
        self._environment |= {
            "ADTARGETING_GRPC_ADDRESS": "127.0.0.1:0",
            "ADTARGETING_METRICS_ADDRESS": metrics_address,
            "ADTARGETING_DATA_DIR": str(self._directory / "data"),
            "ADTARGETING_REDIS_URL": f"redis://127.0.0.1:{self.redis.port}",
            "ADTARGETING_AUDIT_LOG": str(self._directory / "audit.jsonl"),
            "ADTARGETING_DECISION_RECORDS": str(self._directory / "records.jsonl"),
            "ADTARGETING_DECISION_RECORDS_ONE_IN": "10",
            "ADTARGETING_CONFIRM_ON_DISK": "yes",
            "ADTARGETING_POLICY": str(self._policy),
            "ADTARGETING_POLICY_SHADOW": str(self._shadow),
            "ADTARGETING_WRITE_BUDGET_MS": "5000",
            "ADTARGETING_NAP_KEYS": str(self._directory / "nap.keys"),
            "ADTARGETING_DRAIN_DELAY_S": "0",
        }
        arguments = ("-m", "server", "serve", "--processes", "2")
        self._service = Serving(arguments, self._environment, self._directory / "service.log")
        self._closing.callback(self._service.stop)
        self.guarded = self._closing.enter_context(GuardedService(self._directory / "guarded", self._policy))
        self.prometheus = self._closing.enter_context(
            PrometheusServer(
                self._directory / "prometheus", metrics_address, self.guarded.metrics_address, self.guarded.authority
            )
        )

    def _write_policies(self, number: int) -> None:
        """Write the policy and the shadow policy, which asks for consent where the other does not."""
        self._shadow.write_text(f'version = "shadow-{number}"\n[consent]\nexplicit_opt_in_in = ["US"]\n')
        example = _EXAMPLE.read_text().replace('version = "example-1"', f'version = "monitor-{number}"')
        example = example.replace("honour_do_not_track = false", "honour_do_not_track = true")
        self._policy.write_text(example.replace("[signals]", "[signals]\nnew_devices_per_second = 1"))

    def _workers(self) -> list[int]:
        children = [process for process in processes() if process.parent == self._service.pid]
        return sorted(child.pid for child in children if "spawn_main" in child.command)

    def _has_replaced(self, worker: int) -> bool:
        workers = self._workers()
        return worker not in workers and len(workers) == 2

    def _command(self, *words: str, typed: str = "") -> str:
        command = [sys.executable, "-m", "server", *words]
        ended = subprocess.run(
            command, check=True, input=typed, capture_output=True, text=True, env=self._environment, timeout=30
        )
        return ended.stdout
