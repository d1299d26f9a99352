"""Puts the canaries together: their ids under the secret key, their records, their port and their watch."""

import shutil
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Final, NamedTuple

from server.canaries.client import CanaryClient
from server.canaries.guard import PART, CanaryGuard
from server.canaries.leaks import Examiner
from server.canaries.planter import Planter
from server.canaries.subjects import ids_of
from server.canaries.watch import EVERY_S, CanaryWatch, WatchParts
from server.gate.port import Gate
from server.keys.secret_key import SecretKey
from server.metrics.metrics import Metrics
from server.policy.current_policy import CurrentPolicy
from server.security.own_credential import OwnCredential
from server.settings import SettingsError
from server.store.assembly import StoreAccess


def guard_of(key: SecretKey) -> CanaryGuard:
    """Return the guard of the ids under a secret key."""
    return CanaryGuard(ids_of(key))


_LONGEST_DIRECTORY: Final = 80
"""Bytes; a socket's address has 104 on macOS, 108 on Linux."""


class _Unmeasured:
    """Measures nothing: reading and writing canaries is no work for anyone."""

    def observe_store(self, operation: str, seconds: float) -> None:
        """Do nothing."""

    def count_store_error(self, operation: str, kind: str) -> None:
        """Do nothing."""


class CanaryParts(NamedTuple):
    """The parts of the service that the canaries need."""

    gate: Gate
    store: StoreAccess
    rules: CurrentPolicy
    metrics: Metrics

    def open(self, closing: ExitStack, *, every_s: float = EVERY_S) -> None:
        """Write the canaries and ask about them, until ``closing`` closes. Raises ``SettingsError``."""
        ids, credential = ids_of(self.store.key), OwnCredential.make(PART)
        path = _socket_directory(closing) / "gate.sock"
        self.gate.listen_for(credential, path)
        parts = WatchParts(
            records=Planter(self.store.records(_Unmeasured()), ids, time.time),
            client=CanaryClient(str(path), credential, Examiner(ids)),
            policy=lambda: self.rules().policy,
            ids=ids,
            counts=self.metrics.canaries,
        )
        self.metrics.canaries.enabled.set(1)
        watch = CanaryWatch(parts, every_s=every_s)
        watch.start()
        closing.callback(watch.close)


def _socket_directory(closing: ExitStack) -> Path:
    """Make a directory that only this user can enter; it goes with ``closing``."""
    try:
        directory = tempfile.mkdtemp(prefix="adt-")
        if len(directory) > _LONGEST_DIRECTORY:
            Path(directory).rmdir()
            directory = tempfile.mkdtemp(prefix="adt-", dir="/tmp")
    except OSError as problem:
        raise SettingsError(
            "ADTARGETING_CANARIES: no directory for temporary files is writable; set TMPDIR to one, or this to no"
        ) from problem
    closing.callback(shutil.rmtree, directory, ignore_errors=True)
    return Path(directory)
