"""The embedded store: a Redis server run by the service, on a Unix socket, with an append-only file.

Invariants: one running server per data directory; no server outlives this process; killing either loses no
acknowledged write. ``appendfsync always`` is the default, so an acknowledged write is on disk.
"""

import atexit
import errno
import fcntl
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Literal, Self
from urllib.parse import quote

from server.store.embedded.binary import EmbeddedStoreError, find_server
from server.store.embedded.process import ChildProcess
from server.store.ports import StoreError
from server.store.redis.handshake import ping
from server.store.redis.url import RedisAddress

_LAUNCH = Path(__file__).with_name("launch.py")
_LONGEST_SOCKET_PATH = 100
"""Bytes. A socket address holds 108 on Linux and 104 on macOS; Redis truncates a longer path silently."""

_POLL_S = 0.005
_PING_TIMEOUT_S = 1.0
_LOG, _LOCK = "redis.log", "redis.lock"
_SETTING = "ADTARGETING_DATA_DIR"
_LEAST_FREE_BYTES = 1 << 20


class EmbeddedRedis:
    """A Redis server on ``data_dir``, started and stopped explicitly (also repeatedly) or as a context manager.

    ``fsync`` is ``always`` (an acknowledged write is on disk) or ``everysec`` (a power cut loses up to two
    seconds of writes; killing processes loses none). ``lock_wait_s`` is how long to wait for a server that is
    ending to release the directory; ``ready_wait_s`` is how long loading the data may take.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        fsync: Literal["always", "everysec"] = "always",
        lock_wait_s: float = 2.0,
        ready_wait_s: float = 60.0,
    ) -> None:
        self._dir = data_dir.absolute()
        self._fsync = fsync
        self._lock_wait_s = lock_wait_s
        self._ready_wait_s = ready_wait_s
        self._socket = self._dir / "redis.sock"
        self._short_dir: Path | None = None
        self._process: ChildProcess | None = None

    @property
    def address(self) -> RedisAddress:
        """The address of the server's socket."""
        return RedisAddress(path=str(self._socket))

    @property
    def url(self) -> str:
        """The address as a ``unix://`` URL."""
        return f"unix://{quote(str(self._socket))}"

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        return self._running().pid

    @property
    def alive(self) -> bool:
        """Whether the server runs."""
        return self._process is not None and self._process.alive

    def start(self) -> None:
        """Start the server and wait until its data is loaded and it answers. Raises ``EmbeddedStoreError``."""
        process = self._launch()
        atexit.register(self.stop)
        self._await_ready(process)

    def restart(self) -> None:
        """Start the server again at the same address, without waiting for it. Raises ``EmbeddedStoreError``."""
        self._launch()

    def stop(self) -> None:
        """Stop the server and wait for its end. Does nothing when it does not run."""
        atexit.unregister(self.stop)
        process, self._process = self._process, None
        if process is not None:
            process.stop()
        if self._short_dir is not None:
            shutil.rmtree(self._short_dir, ignore_errors=True)
            self._short_dir = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _launch(self) -> ChildProcess:
        if self.alive:
            raise EmbeddedStoreError("the embedded store is already running")
        self._prepare()
        lock = self._lock()
        try:
            self._place_socket()
            self._process = ChildProcess(self._command(), self._dir / _LOG, lock)
        finally:
            os.close(lock)
        return self._process

    def _running(self) -> ChildProcess:
        if self._process is None:
            raise EmbeddedStoreError("the embedded store is not running")
        return self._process

    def _prepare(self) -> None:
        try:
            self._dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name in (_LOG, _LOCK):
                (self._dir / name).touch(mode=0o600)
            if shutil.disk_usage(self._dir).free < _LEAST_FREE_BYTES:
                # A server that syncs every write ends with the first one that does not fit.
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # noqa: TRY301  # as the system would
        except OSError as error:
            raise EmbeddedStoreError(f"{_SETTING}: cannot write to the directory: {error.strerror}") from None

    def _lock(self) -> int:
        """Lock the directory. The server inherits the lock, so the kernel releases it when the server ends."""
        lock = os.open(self._dir / _LOCK, os.O_RDWR)
        deadline_s = time.monotonic() + self._lock_wait_s
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline_s:
                    os.close(lock)
                    raise EmbeddedStoreError(
                        f"{_SETTING}: another embedded store uses the directory, probably that of a running service; "
                        "stop it or set another directory"
                    ) from None
                time.sleep(_POLL_S)
            else:
                return lock

    def _place_socket(self) -> None:
        self._socket = self._dir / "redis.sock"
        if len(os.fsencode(self._socket)) > _LONGEST_SOCKET_PATH:
            # A restart reuses the short directory, so the address stays the same.
            self._short_dir = self._short_dir or Path(tempfile.mkdtemp(prefix="adt-", dir="/tmp"))
            self._socket = self._short_dir / "redis.sock"

    def _command(self) -> list[str]:
        settings = {
            "dir": str(self._dir),
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "appendonly": "yes",
            "appendfsync": self._fsync,
            "save": "",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        launch = [sys.executable, "-I", "-S", str(_LAUNCH), str(os.getpid()), str(find_server())]
        return launch + [word for name, value in settings.items() for word in (f"--{name}", value)]

    def _await_ready(self, process: ChildProcess) -> None:
        deadline_s = time.monotonic() + self._ready_wait_s
        while time.monotonic() < deadline_s:
            if not process.alive:
                self.stop()
                raise EmbeddedStoreError(f"the embedded store ended while starting: see {_LOG} in {_SETTING}")
            try:
                ping(self.address, _PING_TIMEOUT_S)
            except StoreError:
                time.sleep(_POLL_S)
            else:
                return
        self.stop()
        raise EmbeddedStoreError(
            f"the embedded store did not load its data within {self._ready_wait_s:g} s: see {_LOG} in {_SETTING}"
        )
