"""Where the lines of the audit log go: a file that several processes append to, or standard output.

Invariant: one write a line, so lines of several processes never mix. Raises ``OSError`` where a line is not written
whole. Knows nothing of what a line says.
"""

import errno
import os
import select
import stat
from pathlib import Path
from typing import Final, Protocol

_MODE: Final = 0o600
_STDOUT: Final = 1
_STALLED_S: Final = 0.5
"""How long a reader of standard output may take no line."""


class LineSink(Protocol):
    """Takes whole lines."""

    def write(self, lines: bytes) -> None:
        """Append lines, each with its end. Raises ``OSError``."""
        ...

    def reopen(self) -> None:
        """Open the file again, by its path: it may have been moved away. Raises ``OSError``; the old one stays."""
        ...

    def close(self) -> None:
        """Close what was opened."""
        ...


class AuditFile:
    """A regular file, made with the mode 0600 where there is none."""

    def __init__(self, path: Path) -> None:
        """Raises ``OSError``."""
        self._path = path
        self._file = _open(path)
        self._may_be_torn = False
        """Whether the file may end in a part of a line: a write has failed, here and probably in other processes."""

    def write(self, lines: bytes) -> None:
        """Append lines; open the file again where it was removed. The first after a failure follows an empty line."""
        if not os.fstat(self._file).st_nlink:
            self.reopen()
        begin = b"\n" if self._may_be_torn else b""
        self._may_be_torn = True
        _write_whole(self._file, begin + lines)
        self._may_be_torn = False

    def reopen(self) -> None:
        """Open the file again by its path."""
        opened, self._file = self._file, _open(self._path)
        self._may_be_torn = False
        os.close(opened)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


class StandardOutput:
    """Standard output; a reader that takes nothing for half a second counts as gone."""

    def write(self, lines: bytes) -> None:
        """Write lines."""
        if not select.select([], [_STDOUT], [], _STALLED_S)[1]:
            raise OSError(errno.EAGAIN, "nobody reads standard output")
        _write_whole(_STDOUT, lines)

    def reopen(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing: it is not ours."""


def _open(path: Path) -> int:
    # Not to wait for a reader, where the path is a FIFO.
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
    opened = os.open(path, flags, _MODE)
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        os.close(opened)
        raise OSError(errno.EINVAL, "not a regular file")
    return opened


def _write_whole(file: int, lines: bytes) -> None:
    if os.write(file, lines) != len(lines):
        raise OSError(errno.ENOSPC, "written in part")
