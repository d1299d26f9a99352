"""A second service, in this process, whose guard of opted-out accounts can be taken out: its canaries must notice."""

import logging
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Self

import targeting.judge
from server.app import Service
from server.settings import Settings
from targeting.model import SubjectKind
from targeting.reasons import NO_REASONS

_PATIENT_MS: Final = 5_000


class LeakyService:
    """A context manager that is open while it serves; only its canaries call it."""

    def __init__(self, directory: Path, policy: Path) -> None:
        directory.mkdir()
        self._log = logging.FileHandler(directory / "service.log")
        self._guards = targeting.judge._OPT_OUT_OF
        self._guard = self._guards[SubjectKind.ACCOUNT]
        self._closing = ExitStack()
        self._service = Service(
            Settings(
                grpc_address="127.0.0.1:0",
                metrics_address="127.0.0.1:0",
                data_dir=directory,
                policy=str(policy),
                decision_budget_ms=_PATIENT_MS,
                drain_grace_s=0,
            )
        )

    def __enter__(self) -> Self:
        logger = logging.getLogger("server")
        logger.addHandler(self._log)
        self._closing.callback(logger.removeHandler, self._log)
        self._closing.callback(self._log.close)
        self._closing.enter_context(self._service)
        return self

    def __exit__(self, *_: object) -> None:
        self.mend()
        self._closing.close()

    @property
    def metrics_address(self) -> str:
        """Where Prometheus scrapes it."""
        return self._service.metrics_address

    def reload(self) -> None:
        """Read the policy again."""
        self._service.reload()

    def leak(self) -> None:
        """Take the guard out: an account's opt-out limits no more."""
        self._guards[SubjectKind.ACCOUNT] = NO_REASONS

    def mend(self) -> None:
        """Put the guard back."""
        self._guards[SubjectKind.ACCOUNT] = self._guard
