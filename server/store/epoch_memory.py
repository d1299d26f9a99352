"""The epoch of the store that a secret key was last used with, in a file beside the key.

An empty store has lost its own record with everything else, and a restored backup has one of its own, so only something
outside the store can tell that it was another before. Invariant: what cannot be read or written is as if never
remembered, and stops nothing.
"""

import logging
from pathlib import Path

from server.files.bounded_file import read_bounded
from server.store.identity import StoreIdentity

SUFFIX = ".epoch"
_LARGEST_FILE = 256
_LOG = logging.getLogger(__name__)


class EpochMemory:
    """The file beside the key at ``key_path``; without a path nothing is remembered."""

    def __init__(self, key_path: Path | None = None) -> None:
        self._path = key_path and key_path.with_name(key_path.name + SUFFIX)
        self._epoch, self._made_at_ms = self._read()

    @property
    def epoch(self) -> str:
        """The epoch; empty when the key was never used with a store, as far as is known."""
        return self._epoch

    def is_later_than(self, identity: StoreIdentity) -> bool:
        """Whether the key was used with another store, made at the same time as this one or later.

        An operator who accepts a store gives it a new epoch, so an earlier one is a backup, or another store.
        """
        return self._epoch not in {"", identity.epoch} and identity.made_at_ms <= self._made_at_ms

    def remember(self, identity: StoreIdentity) -> None:
        """Write the epoch down. A place that cannot be written to, such as a mounted secret, is logged once."""
        remembered = (identity.epoch, identity.made_at_ms)
        if self._path is None or remembered == (self._epoch, self._made_at_ms):
            return
        self._epoch, self._made_at_ms = remembered
        draft = self._path.with_name(self._path.name + ".new")
        try:
            draft.write_text(f"{identity.epoch} {identity.made_at_ms}\n", encoding="ascii")
            draft.replace(self._path)
        except OSError as error:
            _LOG.info(
                "the store's epoch cannot be kept beside the secret key (%s): a store that is emptied while no "
                "instance runs is taken for a new one, and a restored backup of an earlier store for the current one",
                error.strerror,
            )

    def _read(self) -> tuple[str, int]:
        """Return the epoch and its time; version 0.2.0 wrote no time, which counts as 0."""
        if self._path is None:
            return "", 0
        try:
            text = read_bounded(self._path, _LARGEST_FILE).decode("ascii", "replace")
        except OSError:
            return "", 0
        epoch, _, made_at_ms = text.strip().partition(" ")
        return epoch, int(made_at_ms) if made_at_ms.isdecimal() else 0
