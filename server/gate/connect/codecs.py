"""Codecs that hand bytes through: messages stay bytes for the lanes, and JSON is turned by protobuf's ``json_format``.

An unknown member is refused, as it may be a misspelt signal. Errors of ``json_format`` quote the caller's text, so
none of them is passed on.
"""

from typing import NamedTuple

from connectrpc.code import Code
from connectrpc.errors import ConnectError
from google.protobuf import json_format
from google.protobuf.message import Message

_JSON = "not valid JSON of the request's message: check names, types and enumerations; nothing unknown is taken"


class Body(NamedTuple):
    """A message: its type, and its bytes, serialised or as JSON."""

    kind: type[Message]
    data: bytes
    is_json: bool = False

    def serialised(self) -> bytes:
        """Return the bytes as protobuf. Raises ``ConnectError``."""
        if not self.is_json:
            return self.data
        try:
            return json_format.Parse(self.data, self.kind(), max_recursion_depth=16).SerializeToString()
        except Exception:  # noqa: BLE001  # whatever it is, it is about the caller's text
            raise ConnectError(Code.INVALID_ARGUMENT, _JSON) from None

    def json(self) -> bytes:
        """Return the message as JSON."""
        text = json_format.MessageToJson(self.kind.FromString(self.data), indent=None, ensure_ascii=False)
        return text.encode()


class ProtoCodec:
    """Protobuf: the bytes as they are."""

    def name(self) -> str:
        """Return what the content type calls it."""
        return "proto"

    def encode(self, message: Body) -> bytes:
        """Return the bytes of an answer."""
        return message.data

    def decode(self, data: bytes | bytearray, message_class: type[Message]) -> Body:
        """Return a request's bytes."""
        return Body(message_class, bytes(data))


class JsonCodec:
    """JSON, as protobuf maps it."""

    def name(self) -> str:
        """Return what the content type calls it."""
        return "json"

    def encode(self, message: Body) -> bytes:
        """Return an answer as JSON."""
        return message.json()

    def decode(self, data: bytes | bytearray, message_class: type[Message]) -> Body:
        """Return a request's text; it is parsed where it holds up no other call."""
        return Body(message_class, bytes(data), is_json=True)
