"""The embedded store: a real Redis server of our own, on a Unix socket, with an append-only file.

Invariants: one live server a data directory; none outlives this process; killing either loses nothing
that was acknowledged. ``appendfsync always`` is the default: an acknowledgement can honestly say "on disk".
"""

import atexit
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
"""Bytes; an address holds 108 on Linux and 104 on macOS, and Redis cuts what is longer without a word."""

_POLL_S = 0.005
_PING_TIMEOUT_S = 1.0
_LOG, _LOCK = "redis.log", "redis.lock"
_SETTING = "ADTARGETING_DATA_DIR"


class EmbeddedRedis:
    """A Redis server in ``data_dir``. Start and stop it, also repeatedly, or use it as a context manager.

    ``fsync`` is ``always`` (an acknowledged write is on disk) or ``everysec`` (a power cut loses a second or
    two; killing processes loses nothing). ``lock_wait_s`` is how long to wait for a dying predecessor to let
    go of the directory; ``ready_wait_s``, for the data to be loaded.
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
        self._keeper: ChildProcess | None = None

    @property
    def address(self) -> RedisAddress:
        """Where the running server is."""
        return RedisAddress(path=str(self._socket))

    @property
    def url(self) -> str:
        """The same as a URL."""
        return f"unix://{quote(str(self._socket))}"

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        return self._running().pid

    @property
    def alive(self) -> bool:
        """Whether the server runs."""
        return self._keeper is not None and self._keeper.alive

    def start(self) -> None:
        """Start the server and wait until it answers, its data loaded. Raises ``EmbeddedStoreError``."""
        keeper = self._launch()
        atexit.register(self.stop)
        self._await_ready(keeper)

    def revive(self) -> None:
        """Start anew, at the same address, without waiting until it answers. Raises ``EmbeddedStoreError``."""
        self._launch()

    def stop(self) -> None:
        """Stop the server and wait for its end. Harmless when it does not run."""
        atexit.unregister(self.stop)
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.stop()
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
            raise EmbeddedStoreError("the embedded store runs already")
        self._prepare()
        lock = self._lock()
        try:
            self._place_socket()
            self._keeper = ChildProcess(self._command(), self._dir / _LOG, lock)
        finally:
            os.close(lock)
        return self._keeper

    def _running(self) -> ChildProcess:
        if self._keeper is None:
            raise EmbeddedStoreError("the embedded store does not run")
        return self._keeper

    def _prepare(self) -> None:
        try:
            self._dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name in (_LOG, _LOCK):
                (self._dir / name).touch(mode=0o600)
        except OSError as problem:
            raise EmbeddedStoreError(f"{_SETTING}: cannot write there: {problem.strerror}") from None

    def _lock(self) -> int:
        """Lock the directory. The server inherits the lock, which so is free when the server is gone."""
        lock = os.open(self._dir / _LOCK, os.O_RDWR)
        until_s = time.monotonic() + self._lock_wait_s
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > until_s:
                    os.close(lock)
                    raise EmbeddedStoreError(
                        f"{_SETTING}: another embedded store uses the directory; stop it, or name another one"
                    ) from None
                time.sleep(_POLL_S)
            else:
                return lock

    def _place_socket(self) -> None:
        self._socket = self._dir / "redis.sock"
        if len(os.fsencode(self._socket)) > _LONGEST_SOCKET_PATH:
            # Who knows the address of a server keeps it when the server is revived.
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

    def _await_ready(self, keeper: ChildProcess) -> None:
        until_s = time.monotonic() + self._ready_wait_s
        while time.monotonic() < until_s:
            if not keeper.alive:
                self.stop()
                raise EmbeddedStoreError(f"the embedded store ended at once: see {_LOG} in {_SETTING}")
            try:
                ping(self.address, _PING_TIMEOUT_S)
            except StoreError:
                time.sleep(_POLL_S)
            else:
                return
        self.stop()
        raise EmbeddedStoreError(f"the embedded store is not ready in time: see {_LOG} in {_SETTING}")
