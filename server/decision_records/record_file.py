"""The file of decision records: appended to in whole lines, by several processes if there are several.

Invariant: only its owner can read it, and it is a regular file, so that no write waits for a reader.
"""

import os
import stat
from pathlib import Path
from typing import Final

_MODE: Final = 0o600
_FLAGS: Final = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC


class RecordFile:
    """An open file. Used on one thread at a time."""

    def __init__(self, path: Path) -> None:
        """Open it, or make it. Raises ``OSError`` with ``strerror`` set."""
        self._path = path
        self._descriptor = _opened(path)
        self._is_cut = False

    def append(self, lines: bytes) -> None:
        """Write whole lines at once. Raises ``OSError``; a line that was cut is ended by the next call."""
        # One write for all of them, so that no line of another process comes in between.
        text = b"\n" + lines if self._is_cut else lines
        self._is_cut = True
        self._is_cut = os.write(self._descriptor, text) < len(text)
        if self._is_cut:
            raise OSError(0, "the disk took a part of it")

    def reopen(self) -> None:
        """Open the path again, as after a rotation. Raises ``OSError``, and goes on with the file that is open."""
        fresh = _opened(self._path)
        os.close(self._descriptor)
        self._descriptor, self._is_cut = fresh, False

    def close(self) -> None:
        """Close it."""
        os.close(self._descriptor)


def _opened(path: Path) -> int:
    descriptor = os.open(path, _FLAGS, _MODE)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(0, "it is not a regular file")
    os.fchmod(descriptor, _MODE)
    return descriptor
