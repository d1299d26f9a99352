"""The client of the commands: one channel to a running service; every failure is one line.

No call waits longer than ``TIMEOUT_S``.
"""

from types import TracebackType
from typing import Any, Protocol, Self, TypeAlias, TypeVar

import grpc
from adtargeting.v1 import preference_pb2_grpc, profile_pb2_grpc, targeting_pb2_grpc
from google.protobuf.message import Message

from server.cli.command import program
from server.cli.credentials import PLAINTEXT, Credentials
from server.cli.failures import Refused
from server.cli.shell import plain

TIMEOUT_S = 5.0
# HTTP_PROXY is meant for the web, not for a service in the same network.
_OPTIONS = (("grpc.enable_http_proxy", 0),)
_DETAILS = "grpc-status-details-bin"

_PLAINTEXT_REMEDIES = {"socket closed": "it was closed at once; if the service speaks TLS, add --tls-ca"}
_TLS_REMEDIES = {
    "certificate_verify_failed": "its certificate is not trusted; name its authority with --tls-ca",
    # In TLS 1.3 the handshake has ended for the client when the service judges its certificate.
    "tsi_data_corrupted": "it refused the client certificate, which must be valid and signed by an authority of its "
    "ADTARGETING_TLS_CLIENT_CA",
    "hostname verification": "its certificate has another name; set that name with --tls-name",
    "socket closed": "it was closed at once; if it requires a client certificate, add --tls-cert and --tls-key of one "
    "that an authority of its ADTARGETING_TLS_CLIENT_CA has signed",
    "handshake": "TLS failed; check --tls-cert and --tls-key, and whether the service speaks TLS",
}

Answer_co = TypeVar("Answer_co", covariant=True)
Metadata: TypeAlias = tuple[tuple[str, str], ...]


class Rpc(Protocol[Answer_co]):
    """A unary method of a stub."""

    def __call__(self, request: Any, *, timeout: float, metadata: Metadata) -> Answer_co:
        """Send the request and return the answer."""
        ...


class Client:
    """The three services at an address, as a context manager."""

    def __init__(self, address: str, credentials: Credentials = PLAINTEXT) -> None:
        self._address = address
        self._uses_tls = credentials.channel is not None
        self._metadata = (("authorization", f"Bearer {credentials.token}"),) if credentials.token else ()
        self._channel = _channel(address, credentials)
        self.targeting = targeting_pb2_grpc.TargetingServiceStub(self._channel)
        self.preferences = preference_pb2_grpc.PreferenceServiceStub(self._channel)
        self.profiles = profile_pb2_grpc.ProfileServiceStub(self._channel)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._channel.close()

    def call(self, rpc: Rpc[Answer_co], request: Message) -> Answer_co:
        """Send the request and return the answer. Raises ``Refused``."""
        try:
            return rpc(request, timeout=TIMEOUT_S, metadata=self._metadata)
        except grpc.RpcError as problem:
            raise Refused(self._why(problem)) from None

    def _why(self, problem: grpc.RpcError) -> str:
        if not isinstance(problem, grpc.Call):
            return "the call failed"
        code, has_details = problem.code(), any(name == _DETAILS for name, _ in problem.trailing_metadata() or ())
        if code is grpc.StatusCode.UNAVAILABLE and not has_details:
            if remedy := self._tls_remedy(problem.details() or ""):
                return f"no connection to {plain(self._address)}: {remedy}"
            return (
                f"no service answers at {plain(self._address)}; start one with `{program()} serve`, "
                "or set another address with --address"
            )
        if code is grpc.StatusCode.DEADLINE_EXCEEDED:
            late = f"the service at {plain(self._address)} did not answer within {TIMEOUT_S:g} s"
            return f"{late}; it may not speak TLS: leave --tls and --tls-ca away" if self._uses_tls else late
        said = f"refused, {code.name}: {plain(problem.details() or 'no reason given')}"
        if code is grpc.StatusCode.UNAUTHENTICATED:
            return f"{said}; {self._credential_remedy()}"
        return said

    def _credential_remedy(self) -> str:
        if self._metadata:
            return "the token of ADTARGETING_TOKEN_FILE is not in the clients file of the service (ADTARGETING_CLIENTS)"
        return "set ADTARGETING_TOKEN_FILE, or --tls-cert and --tls-key"

    def _tls_remedy(self, details: str) -> str:
        """Return what to do about a connection that failed for TLS, by gRPC's own text; empty for any other."""
        remedies = _TLS_REMEDIES if self._uses_tls else _PLAINTEXT_REMEDIES
        return next((remedy for said, remedy in remedies.items() if said in details.lower()), "")


def _channel(address: str, credentials: Credentials) -> grpc.Channel:
    if credentials.channel is None:
        return grpc.insecure_channel(address, _OPTIONS)
    named = (("grpc.ssl_target_name_override", credentials.server_name),) if credentials.server_name else ()
    return grpc.secure_channel(address, credentials.channel, (*_OPTIONS, *named))
