"""A file of lines that only its owner reads, appended to by several processes if there are several.

Invariant: one write for all lines of a call, so lines of several processes never mix; and a regular file, so no write
waits for a reader. Raises ``OSError`` where lines are not written whole. Knows nothing of what a line says.
"""

import errno
import os
import stat
from pathlib import Path
from typing import Final

_MODE: Final = 0o600
_FLAGS: Final = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC


class LineFile:
    """An open file. Used on one thread at a time."""

    def __init__(self, path: Path) -> None:
        """Open it, or make it. Raises ``OSError`` with ``strerror`` set."""
        self._path = path
        self._file = _open(path)
        self._may_be_torn = False
        """Whether the file may end in a part of a line: a write has failed, here and probably in other processes."""

    def append(self, lines: bytes) -> None:
        """Append lines, each with its end; make the file again where it was removed. Raises ``OSError``.

        The first lines after a failure follow an empty one.
        """
        if not os.fstat(self._file).st_nlink:
            self.reopen()
        begin = b"\n" if self._may_be_torn else b""
        self._may_be_torn = True
        write_whole(self._file, begin + lines)
        self._may_be_torn = False

    def reopen(self) -> None:
        """Open the path again, as after a rotation. Raises ``OSError``, and goes on with the file that is open."""
        opened, self._file = self._file, _open(self._path)
        self._may_be_torn = False
        os.close(opened)

    def close(self) -> None:
        """Close it."""
        os.close(self._file)


def write_whole(file: int, lines: bytes) -> None:
    """Write to a file descriptor at once. Raises ``OSError``, also where only a part is taken."""
    if os.write(file, lines) != len(lines):
        raise OSError(errno.ENOSPC, "written in part")


def _open(path: Path) -> int:
    opened = os.open(path, _FLAGS, _MODE)
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        os.close(opened)
        raise OSError(errno.EINVAL, "not a regular file")
    os.fchmod(opened, _MODE)
    return opened
