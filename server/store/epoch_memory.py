"""The epoch of the store that a secret key was last used with, in a file beside the key.

An empty store has lost its own record with everything else, so only something outside it can tell that it was not
always empty. Invariant: what cannot be read or written is as if never remembered, and stops nothing.
"""

import logging
from pathlib import Path

from server.files.bounded_file import read_bounded

SUFFIX = ".epoch"
_LARGEST_FILE = 256
_LOG = logging.getLogger(__name__)


class EpochMemory:
    """The file beside the key at ``key_path``; without a path nothing is remembered."""

    def __init__(self, key_path: Path | None = None) -> None:
        self._path = key_path and key_path.with_name(key_path.name + SUFFIX)
        self._epoch = self._read()

    @property
    def epoch(self) -> str:
        """The epoch; empty when the key was never used with a store, as far as is known."""
        return self._epoch

    def remember(self, epoch: str) -> None:
        """Write the epoch down. A place that cannot be written to, such as a mounted secret, is logged once."""
        if self._path is None or epoch == self._epoch:
            return
        self._epoch = epoch
        draft = self._path.with_name(self._path.name + ".new")
        try:
            draft.write_text(epoch + "\n", encoding="ascii")
            draft.replace(self._path)
        except OSError as error:
            _LOG.info(
                "the store's epoch cannot be kept beside the secret key (%s): a store that is emptied while no "
                "instance runs is taken for a new one",
                error.strerror,
            )

    def _read(self) -> str:
        if self._path is None:
            return ""
        try:
            return read_bounded(self._path, _LARGEST_FILE).decode("ascii", "replace").strip()
        except OSError:
            return ""
