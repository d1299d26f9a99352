"""Reading requests from bytes, also those whose texts are not UTF-8.

protobuf refuses a message whole when one string in it is not UTF-8, or one item no message. A browser sends its cookies
and languages as it likes, and the ad must be served; so such a message is read again by types whose strings are bytes.
What a browser or a consent tool wrote is then taken with U+FFFD in place of what cannot be read, which at most limits;
a caller's own ids are refused by field, in a batch for that item alone.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, Generic, TypeVar

from adtargeting.v1 import preference_pb2, profile_pb2, targeting_pb2
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import FieldDescriptor, FileDescriptor
from google.protobuf.message import DecodeError, Message

from server.errors import InvalidRequest, Unparsable

M = TypeVar("M", bound=Message)

MAX_BATCH: Final = 256
_MOST_TEXTS: Final = 1024
"""More texts in one field are not looked at one by one: no request may hold up the others."""

_FOREIGN: Final = frozenset(("cookie_header", "accept_language", "ip", "language", "tcf_consent", "gpp", "us_privacy"))
"""Fields that hold what others wrote than the caller."""

_BATCHES: Final = frozenset(("DecideBatchRequest", "RecordActivityRequest"))
_Proto = descriptor_pb2.FieldDescriptorProto


def parse(kind: type[M], payload: bytes) -> M:
    """Read a message. Raises ``InvalidRequest``."""
    try:
        return kind.FromString(payload)
    except DecodeError:
        message = kind()
        _fill(message, _raw(kind, payload), "")
        return message


def parse_batch(kind: type[Message], field: str, item: type[M], payload: bytes) -> "Batch[M]":
    """Read a message whose only field, repeated, holds items. Raises ``InvalidRequest`` for a fault of the whole."""
    try:
        return Batch(_checked(field, getattr(kind.FromString(payload), field)), item)
    except DecodeError:
        return Batch(_checked(field, getattr(_raw(kind, payload), field)), item)


class Batch(Generic[M]):
    """The items of a batch. One that could not be read with the others is read when it is reached, not before."""

    def __init__(self, items: Sequence[Any], kind: type[M]) -> None:
        self._items = items
        self._kind = kind

    def __len__(self) -> int:
        """Count the items."""
        return len(self._items)

    def __iter__(self) -> Iterator[M | InvalidRequest]:
        """Yield each item, or what is wrong with it."""
        for item in self._items:
            yield _parsed(self._kind, item) if isinstance(item, bytes) else item


def _checked(field: str, items: Sequence[Any]) -> Sequence[Any]:
    if not 0 < len(items) <= MAX_BATCH:
        raise InvalidRequest(field, f"must contain 1 to {MAX_BATCH} items")
    return items


def _parsed(kind: type[M], payload: bytes) -> M | InvalidRequest:
    try:
        return parse(kind, payload)
    except InvalidRequest as problem:
        return problem


def _raw(kind: type[Message], payload: bytes) -> Message:
    try:
        return _bytes_type(kind).FromString(payload)
    except DecodeError:
        raise Unparsable(kind) from None


def _fill(message: Message, raw: Message, path: str) -> None:
    """Copy a message whose strings are bytes. Raises ``InvalidRequest``."""
    for of_bytes, value in raw.ListFields():
        name = of_bytes.name
        field, place = message.DESCRIPTOR.fields_by_name[name], f"{path}{name}"
        is_text = field.type == FieldDescriptor.TYPE_STRING
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            _fill_parts(getattr(message, name), value, place, is_one=not field.is_repeated)
        elif field.is_repeated:
            getattr(message, name).extend(_texts(name, value, place) if is_text else value)
        else:
            setattr(message, name, _text(name, value, place) if is_text else value)


def _fill_parts(part: Any, value: Any, place: str, *, is_one: bool) -> None:
    if is_one:
        part.SetInParent()
        _fill(part, value, f"{place}.")
        return
    for at, each in enumerate(value):
        _fill(part.add(), each, f"{place}[{at}].")


def _texts(name: str, values: Sequence[bytes], place: str) -> list[str]:
    if len(values) > _MOST_TEXTS:
        raise InvalidRequest(place, f"must contain at most {_MOST_TEXTS} items")
    return [_text(name, each, f"{place}[{at}]") for at, each in enumerate(values)]


def _text(name: str, value: bytes, place: str) -> str:
    try:
        return value.decode("utf-8", "replace" if name in _FOREIGN else "strict")
    except UnicodeDecodeError:
        raise InvalidRequest(place, "must be UTF-8") from None


def _files(roots: Iterable[FileDescriptor]) -> list[FileDescriptor]:
    """Return files and everything they import, the imported first."""
    found: dict[str, FileDescriptor] = {}
    for file in roots:
        found |= {each.name: each for each in _files(file.dependencies)}
        found[file.name] = file
    return list(found.values())


def _with_bytes() -> descriptor_pool.DescriptorPool:
    """Make the contract's types again, with bytes wherever there are strings, and where there are items of a batch."""
    pool = descriptor_pool.DescriptorPool()
    for file in _files([targeting_pb2.DESCRIPTOR, preference_pb2.DESCRIPTOR, profile_pb2.DESCRIPTOR]):
        proto = descriptor_pb2.FileDescriptorProto()
        file.CopyToProto(proto)
        for message in proto.message_type:
            _to_bytes(message, is_batch=message.name in _BATCHES)
        pool.Add(proto)
    return pool


def _to_bytes(message: descriptor_pb2.DescriptorProto, *, is_batch: bool = False) -> None:
    for field in message.field:
        if is_batch or field.type == _Proto.TYPE_STRING:
            field.type = _Proto.TYPE_BYTES
            field.ClearField("type_name")
    for nested in message.nested_type:
        _to_bytes(nested)


def _bytes_type(kind: type[Message]) -> type[Message]:
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(kind.DESCRIPTOR.full_name))


_POOL = _with_bytes()
