"""Whether files have changed on disk, without reading them.

Invariant: a change is reported once, and only when it has settled: a copy takes its time, and a pair of files is
replaced one by one. Follows symbolic links, so a replaced link is a change.
"""

import os
from collections.abc import Sequence
from typing import NamedTuple


class _Version(NamedTuple):
    """What tells one content of a file from another without reading it."""

    device: int
    inode: int
    size: int
    modified_ns: int


class FileChanges:
    """The files of these paths, from the moment they were loaded. For one thread."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = paths
        self.note_loaded()

    def note_loaded(self) -> None:
        """Take the files as they are now for loaded; call it before reading them."""
        self._loaded = self._seen = self._versions()

    def have_settled(self) -> bool:
        """Whether a file has changed since it was loaded, and none since the last call."""
        versions = self._versions()
        settled = versions == self._seen != self._loaded
        self._seen = versions
        return settled

    def _versions(self) -> tuple[_Version | None, ...]:
        return tuple(map(_version, self._paths))


def _version(path: str) -> _Version | None:
    """Return the version of a file; None while it cannot be told."""
    try:
        status = os.stat(path)  # noqa: PTH116  # the setting is text, and may hold what no Path can
    except (OSError, ValueError):
        return None
    return _Version(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
