"""The codes of gRPC as connectrpc names them."""

from typing import Final

from connectrpc.code import Code
from google.rpc import code_pb2

CODES: Final = {
    number: Code.CANCELED if name == "CANCELLED" else Code(name.lower())
    for name, number in code_pb2.Code.items()
    if name != "OK"
}
