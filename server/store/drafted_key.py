"""The secret key of a service that started before its store could be asked whether it has records.

A key is created only for a store without records. Until the store answers, the service has a drafted key in memory and
must ask the store nothing under it: ``server.store.assembly`` keeps the circuit open until ``confirm`` succeeds.
"""

import logging
from collections.abc import Callable

from server.keys.secret_key import KeyFile, SecretKey
from server.settings import SettingsError
from server.store.ports import StoreError, StoreUnavailable

_LOG = logging.getLogger(__name__)


class DraftedKey:
    """The key of a service, drafted or not. Raises ``SettingsError`` when the key must exist and does not."""

    def __init__(self, file: KeyFile, store_has_records: Callable[[], bool]) -> None:
        self._file = file
        self._store_has_records = store_has_records
        self._refusal = ""
        self.confirmed = True
        """Whether the key is the one in the file."""
        try:
            self.key = file.open(store_has_records)
        except StoreError:
            self.key = SecretKey.draft()
            self.confirmed = False

    def confirm(self) -> None:
        """Write a drafted key to the file if the store has no records. Raises ``StoreError``: ask again later."""
        if self.confirmed:
            return
        refusal = self._write()
        if refusal and refusal != self._refusal:
            _LOG.error("store not used, serving LIMITED: %s; then restart the service", refusal)
        self._refusal = refusal
        if refusal:
            raise StoreUnavailable("the secret key of this store is not known")
        self.confirmed = True

    def _write(self) -> str:
        """Return why the drafted key is not the key of this store; empty when it is."""
        try:
            key = self._file.create_for(self._store_has_records, self.key)
        except SettingsError as error:
            return str(error)
        return "" if key.fingerprint == self.key.fingerprint else "another process has created the key"
