"""The keeper of a child process: the thread that starts it, and stays until it has ended.

The kernel ties the child's life to the thread that started it (``server.store.embedded.launch``), so that must be a
thread that nobody ends early.
"""

import subprocess
import threading
from pathlib import Path

from server.store.embedded.binary import EmbeddedStoreError

_STOP_TIMEOUT_S = 10.0


class ChildProcess:
    """A started process. ``inherited`` is a file descriptor it keeps open as long as it lives.

    Its output goes to the end of ``log``. Raises ``EmbeddedStoreError`` when it cannot be started.
    """

    def __init__(self, command: list[str], log: Path, inherited: int) -> None:
        self._command = command
        self._log = log
        self._inherited = inherited
        self._process: subprocess.Popen[bytes] | None = None
        self._problem = ""
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, name="embedded-redis", daemon=True)
        self._thread.start()
        self._started.wait()
        if self._process is None:
            raise EmbeddedStoreError(f"the embedded store cannot be started: {self._problem}")

    @property
    def pid(self) -> int:
        """The process id."""
        return self._kept().pid

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Ask the process to end, insist after ten seconds, and wait for its end."""
        self._kept().terminate()
        self._thread.join(_STOP_TIMEOUT_S)
        if self._thread.is_alive():
            self._kept().kill()
            self._thread.join()

    def _kept(self) -> subprocess.Popen[bytes]:
        assert self._process is not None  # noqa: S101  # __init__ does not return without
        return self._process

    def _run(self) -> None:
        try:
            self._process = self._start()
        except OSError as problem:
            self._problem = problem.strerror or "no reason given"
            return
        finally:
            self._started.set()
        self._process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603  # our own command
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(self._inherited,),
                # Ctrl-C is meant for the service, which stops the store last.
                start_new_session=True,
            )
