"""Parts of serialised messages: what protobuf puts before the bytes of a field (its Encoding guide)."""

from enum import IntEnum

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message


def _long_varint(number: int) -> bytes:
    head = bytearray()
    while number >= 0x80:
        head.append(number & 0x7F | 0x80)
        number >>= 7
    head.append(number)
    return bytes(head)


SHORT = 0x4000
"""The first number of more than two bytes; the rest of one below its square, after two bytes, fits into two more."""
VARINTS = [_long_varint(number) for number in range(SHORT)]
LOW_BITS = [bytes((low & 0x7F | 0x80, low >> 7 | 0x80)) for low in range(SHORT)]
"""The lowest fourteen bits of a longer number: seven a byte, each with the mark that more follow."""


def varint(number: int) -> bytes:
    """Return a number as base 128 varint."""
    if number < SHORT:
        return VARINTS[number]
    if number < SHORT * SHORT:
        return LOW_BITS[number & SHORT - 1] + VARINTS[number >> 14]
    return _long_varint(number)


def delimited(tag: bytes, body: bytes) -> bytes:
    """Return a length-delimited field with its tag (see ``tag_of``), its length and its bytes."""
    return tag + varint(len(body)) + body


class WireType(IntEnum):
    """Wire types that are used here (Encoding guide, "Message structure")."""

    VARINT = 0
    LEN = 2
    I32 = 5


_WIRE_TYPES = {
    FieldDescriptor.TYPE_UINT32: WireType.VARINT,
    FieldDescriptor.TYPE_FLOAT: WireType.I32,
    FieldDescriptor.TYPE_STRING: WireType.LEN,
    FieldDescriptor.TYPE_BYTES: WireType.LEN,
    FieldDescriptor.TYPE_MESSAGE: WireType.LEN,
}


def tag_of(kind: type[Message], field: str) -> bytes:
    """Return the tag of a field, number and wire type, as the message's descriptor has it."""
    descriptor = kind.DESCRIPTOR.fields_by_name[field]
    return varint(descriptor.number << 3 | _WIRE_TYPES[descriptor.type])
