"""The codes and errors of gRPC as connectrpc has them."""

from typing import Final

from connectrpc.code import Code
from connectrpc.errors import ConnectError, ErrorDetail
from google.rpc import code_pb2, status_pb2
from protobuf.wkt import Any as PackedDetail

from server.gate.port import Answer, Refusal

CODES: Final = {
    number: Code.CANCELED if name == "CANCELLED" else Code(name.lower())
    for name, number in code_pb2.Code.items()
    if name != "OK"
}
NUMBERS: Final = {code: number for number, code in CODES.items()}


def accepted(answer: Answer) -> bytes:
    """Return an answer's bytes. Raises ``ConnectError`` for a refusal."""
    if isinstance(answer, Refusal):
        raise error_of(answer)
    return answer


def error_of(refusal: Refusal) -> ConnectError:
    """Return a refusal as connectrpc has it."""
    details = status_pb2.Status.FromString(refusal.status).details
    packed = [ErrorDetail(PackedDetail(type_url=each.type_url, value=each.value)) for each in details]
    return ConnectError(CODES[refusal.code], refusal.message, packed)
