"""What the commands that call a service share.

gRPC's library is loaded when a command makes its first call: the service, which a command starts too, saves 10 MiB by
doing without it on the http2 gate.
"""

from typing import TYPE_CHECKING

from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message

from server.cli.before_grpc import silence_grpc
from server.cli.credentials import PLAINTEXT, Credentials, read_credentials
from server.cli.shell import Shell

if TYPE_CHECKING:
    from server.cli.client import Client


def open_client(shell: Shell) -> "Client":
    """Return a client of the service that the settings and options name. Raises ``UsageError``, ``SettingsError``."""
    silence_grpc()
    settings = shell.settings()
    return client_at(settings.grpc_address, read_credentials(settings, shell.tls))


def client_at(address: str, credentials: Credentials = PLAINTEXT) -> "Client":
    """Return a client of the service at an address."""
    from server.cli.client import Client  # noqa: PLC0415  # see above

    return Client(address, credentials)


def as_json(message: Message, *, indent: int | None = 2) -> str:
    """Return a message as JSON that parses to the same message; fields have the names of the contract."""
    return MessageToJson(
        message,
        preserving_proto_field_name=True,
        always_print_fields_with_no_presence=True,
        indent=indent,
        ensure_ascii=False,
    )
