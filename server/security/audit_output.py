"""Standard output as the place of the audit log, for platforms that collect it."""

import errno
import select
from typing import Final, Protocol

from server.files.line_file import write_whole

_STDOUT: Final = 1
_STALLED_S: Final = 0.5
"""How long a reader of standard output may take no line."""


class LineSink(Protocol):
    """Takes whole lines: ``server.files.line_file.LineFile``, or standard output."""

    def append(self, lines: bytes) -> None:
        """Append lines, each with its end. Raises ``OSError``."""
        ...

    def reopen(self) -> None:
        """Open the file again, by its path: it may have been moved away. Raises ``OSError``; the old one stays."""
        ...

    def close(self) -> None:
        """Close what was opened."""
        ...


class StandardOutput:
    """Standard output; a reader that takes nothing for half a second counts as gone."""

    def append(self, lines: bytes) -> None:
        """Write lines."""
        if not select.select([], [_STDOUT], [], _STALLED_S)[1]:
            raise OSError(errno.EAGAIN, "standard output has no reader")
        write_whole(_STDOUT, lines)

    def reopen(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing: it is not ours."""
