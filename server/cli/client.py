"""The client of the commands: one channel to a running service; every failure is one line.

No call waits longer than ``TIMEOUT_S``.
"""

from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

import grpc
from adtargeting.v1 import preference_pb2_grpc, profile_pb2_grpc, targeting_pb2_grpc
from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message

from server.cli.command import program
from server.cli.failures import Refused
from server.cli.shell import plain

TIMEOUT_S = 5.0
# HTTP_PROXY is meant for the web, not for a service in the same network.
_OPTIONS = (("grpc.enable_http_proxy", 0),)
_DETAILS = "grpc-status-details-bin"

Answer_co = TypeVar("Answer_co", covariant=True)


class Rpc(Protocol[Answer_co]):
    """A unary method of a stub."""

    def __call__(self, request: Any, *, timeout: float) -> Answer_co:
        """Send the request and return the answer."""
        ...


class Client:
    """The three services at an address, as a context manager."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._channel = grpc.insecure_channel(address, _OPTIONS)
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
            return rpc(request, timeout=TIMEOUT_S)
        except grpc.RpcError as problem:
            raise Refused(self._why(problem)) from None

    def _why(self, problem: grpc.RpcError) -> str:
        if not isinstance(problem, grpc.Call):
            return "the call failed"
        code, has_details = problem.code(), any(name == _DETAILS for name, _ in problem.trailing_metadata() or ())
        if code is grpc.StatusCode.UNAVAILABLE and not has_details:
            return (
                f"no service answers at {plain(self._address)}; start one with `{program()} serve`, "
                "or set another address with --address"
            )
        if code is grpc.StatusCode.DEADLINE_EXCEEDED:
            return f"the service at {plain(self._address)} did not answer within {TIMEOUT_S:g} s"
        return f"refused, {code.name}: {plain(problem.details() or 'no reason given')}"


def as_json(message: Message, *, indent: int | None = 2) -> str:
    """Return a message as JSON that parses to the same message; fields have the names of the contract."""
    return MessageToJson(
        message,
        preserving_proto_field_name=True,
        always_print_fields_with_no_presence=True,
        indent=indent,
        ensure_ascii=False,
    )
