"""A second service, in this process, behind TLS and a clients file, whose guard of opt-outs can be taken out."""

import logging
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Final, Self

import grpc

import targeting.judge
from server.app import Service
from server.security.tokens import digest_of, new_token
from server.settings import Settings
from targeting.model import SubjectKind
from targeting.reasons import NO_REASONS
from tests.monitor.callers import Client
from tests.monitor.variety import every_call
from tests.pki import DAY, HERE, Authority

_TOKEN: Final = new_token()
_PATIENT_MS: Final = 5_000
_CLIENTS: Final = (
    f'[[clients]]\nname = "ad-server"\nroles = ["decide"]\ntoken_sha256 = ["{digest_of(_TOKEN.encode()).hex()}"]\n'
)


class GuardedService:
    """A context manager that is open while it serves. Its canaries call it, and callers that it denies."""

    def __init__(self, directory: Path, policy: Path) -> None:
        directory.mkdir()
        self._directory = directory
        self._authority = Authority()
        self.authority = directory / "ca.pem"
        self.authority.write_bytes(self._authority.certificate)
        clients = directory / "clients.toml"
        clients.write_text(_CLIENTS)
        certificate, key = self._write_certificate(90 * DAY)
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
                tls_cert=str(certificate),
                tls_key=str(key),
                clients=str(clients),
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
        """Where Prometheus scrapes it, over TLS."""
        return self._service.metrics_address

    def reload(self) -> None:
        """Read all files again."""
        self._service.reload()

    def leak(self) -> None:
        """Take the guard out: an account's opt-out limits no more."""
        self._guards[SubjectKind.ACCOUNT] = NO_REASONS

    def mend(self) -> None:
        """Put the guard back."""
        self._guards[SubjectKind.ACCOUNT] = self._guard

    def renew(self, valid_for: timedelta) -> None:
        """Use another certificate."""
        self._write_certificate(valid_for)
        self.reload()

    def stranger(self) -> Client:
        """Return a client without a credential."""
        return self._client(grpc.ssl_channel_credentials(self._authority.certificate))

    def ad_server(self) -> Client:
        """Return the client of the file, whose role is enough for decisions alone."""
        token = grpc.access_token_call_credentials(_TOKEN)
        tls = grpc.ssl_channel_credentials(self._authority.certificate)
        return self._client(grpc.composite_channel_credentials(tls, token))

    def _client(self, credentials: grpc.ChannelCredentials) -> Client:
        return Client(grpc.secure_channel(self._service.address, credentials), every_call)

    def _write_certificate(self, valid_for: timedelta) -> tuple[Path, Path]:
        return self._authority.issue("service", HERE, valid_for=valid_for).write(self._directory)
