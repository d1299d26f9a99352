"""What a command shows to the service, and how it knows the service: TLS and a bearer token.

A token is sent over TLS, a Unix socket or the loopback only.
"""

import re
from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from server.cli.failures import UsageError
from server.files.bounded_file import read_bounded
from server.security.exposure import is_local, is_unix
from server.settings import PREFIX, Settings, read_secret

if TYPE_CHECKING:
    import grpc

_LARGEST_FILE = 1 << 20
_TOKEN_SETTING = f"{PREFIX}TOKEN_FILE"
_TOKEN: Final = re.compile("[!-~]+")
_CERTIFICATE: Final = b"-----BEGIN CERTIFICATE-----"
_KEY: Final = b"PRIVATE KEY-----"


class TlsOptions(NamedTuple):
    """The options of TLS, as they were given."""

    tls: bool = False
    tls_ca: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_name: str = ""


NO_TLS = TlsOptions()


class Credentials(NamedTuple):
    """What a channel is opened and called with. ``channel`` is None for plaintext; ``token`` is empty without one."""

    channel: "grpc.ChannelCredentials | None" = None
    token: str = ""
    server_name: str = ""
    """The name that the service's certificate must have; empty: its host."""

    def __repr__(self) -> str:
        """Show no token."""
        return "Credentials()"


PLAINTEXT = Credentials()


def add_tls_options(parser: ArgumentParser) -> None:
    """Add the options of a connection with TLS."""
    options = parser.add_argument_group("connection")
    options.add_argument("--tls", action="store_true", help="speak TLS; trust the authorities of this system")
    options.add_argument("--tls-ca", type=Path, metavar="FILE", help="speak TLS; trust these authorities (PEM)")
    options.add_argument("--tls-cert", type=Path, metavar="FILE", help="client certificate (PEM), with --tls-key")
    options.add_argument("--tls-key", type=Path, metavar="FILE", help="key of the client certificate (PEM)")
    options.add_argument("--tls-name", metavar="NAME", help="name in the service's certificate, if not its host")


def read_credentials(settings: Settings, options: TlsOptions) -> Credentials:
    """Read the files of the options and the token. Raises ``UsageError``, ``SettingsError``."""
    address = settings.grpc_address
    token = _token(Path(settings.token_file)) if settings.token_file else ""
    if not any(options):
        if token and not is_local(address) and settings.insecure_listen != "yes":
            raise UsageError(f"{_TOKEN_SETTING}: the token would go to another machine in clear; add --tls or --tls-ca")
        return Credentials(token=token)
    if is_unix(address):
        raise UsageError("--tls: a Unix socket has no TLS; leave the option out")
    if (options.tls_cert is None) != (options.tls_key is None):
        raise UsageError("--tls-cert and --tls-key: set both or none")
    # As in server.cli.connection, for commands that make no call.
    import grpc  # noqa: PLC0415  # as above

    channel = grpc.ssl_channel_credentials(
        _pem("--tls-ca", options.tls_ca, _CERTIFICATE),
        _pem("--tls-key", options.tls_key, _KEY),
        _pem("--tls-cert", options.tls_cert, _CERTIFICATE),
    )
    return Credentials(channel, token, options.tls_name)


def _token(path: Path) -> str:
    """Read a token that a header can carry (RFC 6750, section 2.1). Raises ``UsageError``, ``SettingsError``."""
    token = read_secret(_TOKEN_SETTING, path)
    if _TOKEN.fullmatch(token) is None:
        raise UsageError(
            f"{_TOKEN_SETTING}: {path} must contain one token and nothing else; "
            "keep the first line of what `adtargeting token new` printed"
        )
    return token


def _pem(option: str, path: Path | None, expected: bytes) -> bytes | None:
    """Read a PEM file that contains an expected label. gRPC refuses any other without saying which file it was."""
    if path is None:
        return None
    try:
        content = read_bounded(path, _LARGEST_FILE)
    except OSError as problem:
        raise UsageError(f"{option}: {path} cannot be read: {problem.strerror}") from problem
    if expected not in content:
        kind = "certificate" if expected == _CERTIFICATE else "private key"
        raise UsageError(f"{option}: {path} has no {kind}; it must be PEM")
    return content
