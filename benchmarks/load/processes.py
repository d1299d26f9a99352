"""The servers under test, each in a process of its own, and what the kernel says of them (Linux)."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

_ADDRESS = re.compile(r"gRPC on (\S+) ")
_METRICS = re.compile(r"metrics on (http://[^\s,]+)")
_STOP_TIMEOUT_S = 15.0
_SERVICE = ("-m", "server", "serve")


class NotStarted(Exception):
    """A server that did not start."""


class Serving:
    """A Python process that prints its address once it serves; a context manager that is open while it runs."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self._log = log
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, *arguments],
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self.metrics_url = ""
        """Where a service tells its metrics; empty for any other server."""
        self.address = self._read_address()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the process; it has time to stop in order."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _read_address(self) -> str:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if found := _ADDRESS.search(line):
                metrics = _METRICS.search(line)
                self.metrics_url = metrics[1] if metrics else ""
                return found[1]
        self.stop()
        said = self._log.read_text(errors="replace").strip().splitlines()
        raise NotStarted(f"a server did not start: {said[-1] if said else 'it said nothing'}")


def start_service(data_dir: Path, **settings: str) -> Serving:
    """Start the service on its embedded store; ports are free ones of the loopback, all else its defaults."""
    fixed = {
        "ADTARGETING_DATA_DIR": str(data_dir),
        "ADTARGETING_GRPC_ADDRESS": "127.0.0.1:0",
        "ADTARGETING_METRICS_ADDRESS": "127.0.0.1:0",
        "ADTARGETING_LOG_LEVEL": "WARNING",
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ADTARGETING_")}
    return Serving(_SERVICE, inherited | fixed | settings, data_dir / "service.log")


def start_echo(sizes: Sequence[int], log: Path, module: str = "benchmarks.controls.echo") -> Serving:
    """Start a control, for answers of these sizes."""
    return Serving(["-m", module, *map(str, sorted(set(sizes)))], os.environ, log)


def cpu_s(pid: int) -> float:
    """Return the CPU time that a process's living threads have used, in seconds; 0 where the kernel does not tell."""
    spent_ns = 0
    for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        # A thread may end between listing and reading.
        with suppress(FileNotFoundError, ProcessLookupError):
            spent_ns += int(task.read_text().split()[0])
    return spent_ns / 1e9


def resident_mib(pid: int) -> float:
    """Return the memory a process holds, in MiB; 0 where the kernel does not tell."""
    with suppress(FileNotFoundError):
        found = re.search(r"VmRSS:\s*(\d+) kB", Path(f"/proc/{pid}/status").read_text())
        return int(found[1]) / 1024 if found else 0.0
    return 0.0


def settle() -> None:
    """Wait until what a server does after its start has ended."""
    time.sleep(0.3)
