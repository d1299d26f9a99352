"""Codecs that hand bytes through: messages stay bytes for the lanes, and JSON is turned by protobuf's ``json_format``.

connectrpc calls a codec on the event loop, so nothing is done there: ``conversions`` reads requests and writes answers.
An unknown member is refused, as it may be a misspelt signal; ``json_faults`` says what is wrong.
"""

from typing import NamedTuple

from google.protobuf import json_format
from google.protobuf.message import Message

from server.gate.connect.compression import GZIP, Packed
from server.gate.connect.json_faults import refusal_of
from server.gate.port import Answer, Refusal


class Form(NamedTuple):
    """How bytes of a message are written."""

    is_json: bool = False
    is_packed: bool = False
    """Whether by gzip."""


class Body(NamedTuple):
    """A message on the wire: its type, and its bytes, as protobuf or as JSON."""

    kind: type[Message]
    data: bytes
    is_json: bool = False

    def serialised(self) -> Answer:
        """Return a request's bytes as protobuf, unpacked, or its refusal."""
        data = GZIP.unpack(self.data) if isinstance(self.data, Packed) else self.data
        if not self.is_json or isinstance(data, Refusal):
            return data
        try:
            return json_format.Parse(data, self.kind(), max_recursion_depth=16).SerializeToString()
        except Exception as fault:  # noqa: BLE001  # whatever it is, it is about the caller's text
            return refusal_of(fault, self.kind)


def written(kind: type[Message], answer: bytes, form: Form) -> Body:
    """Return an answer as it goes out."""
    data = _json(kind.FromString(answer)) if form.is_json else answer
    return Body(kind, GZIP.prepack(data) if form.is_packed else data, form.is_json)


def _json(message: Message) -> bytes:
    return json_format.MessageToJson(message, indent=None, ensure_ascii=False).encode()


class ProtoCodec:
    """Protobuf: the bytes as they are."""

    def name(self) -> str:
        """Return what the content type calls it."""
        return "proto"

    def encode(self, message: Body) -> bytes:
        """Return the bytes of an answer."""
        return message.data

    def decode(self, data: bytes | bytearray, message_class: type[Message]) -> Body:
        """Return a request as it came."""
        return Body(message_class, _unchanged(data))


class JsonCodec:
    """JSON, as protobuf maps it."""

    def name(self) -> str:
        """Return what the content type calls it."""
        return "json"

    def encode(self, message: Body) -> bytes:
        """Return an answer as JSON: as it was written before, or written here where it is short by its kind."""
        return message.data if message.is_json else _json(message.kind.FromString(message.data))

    def decode(self, data: bytes | bytearray, message_class: type[Message]) -> Body:
        """Return a request as it came."""
        return Body(message_class, _unchanged(data), is_json=True)


def _unchanged(data: bytes | bytearray) -> bytes:
    return data if isinstance(data, bytes) else bytes(data)
