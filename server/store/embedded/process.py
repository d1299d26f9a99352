"""A child process, with the thread that starts it and waits for its end.

The kernel ties the child's life to the thread that started it (``server.store.embedded.launch``), so that
thread must run as long as the child.
"""

import subprocess
import threading
from pathlib import Path

from server.store.embedded.binary import EmbeddedStoreError

_STOP_TIMEOUT_S = 10.0


class ChildProcess:
    """A started process. ``inherited`` is a file descriptor that stays open in the child until it ends.

    Output is appended to ``log``. Raises ``EmbeddedStoreError`` when the process cannot be started.
    """

    def __init__(self, command: list[str], log: Path, inherited: int) -> None:
        self._command = command
        self._log = log
        self._inherited = inherited
        self._process: subprocess.Popen[bytes] | None = None
        self._error = ""
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, name="embedded-redis", daemon=True)
        self._thread.start()
        self._started.wait()
        if self._process is None:
            raise EmbeddedStoreError(f"the embedded store cannot be started: {self._error}")

    @property
    def pid(self) -> int:
        """The process id."""
        return self._started_process().pid

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Terminate the process, kill it after ten seconds, and wait for its end."""
        self._started_process().terminate()
        self._thread.join(_STOP_TIMEOUT_S)
        if self._thread.is_alive():
            self._started_process().kill()
            self._thread.join()

    def _started_process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None  # noqa: S101  # __init__ raises otherwise
        return self._process

    def _run(self) -> None:
        try:
            self._process = self._start()
        except OSError as error:
            self._error = error.strerror or "no reason given"
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
                # Keep Ctrl-C from the store: the service stops it last.
                start_new_session=True,
            )
