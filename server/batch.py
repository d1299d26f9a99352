"""Reading a ``DecideBatchRequest`` so that what is wrong with one item refuses that item alone.

protobuf refuses a message whole when one string in it is not UTF-8. Such a batch is read again by a type whose items
are bytes, and then item by item.
"""

from collections.abc import Sequence
from typing import Any, cast

from adtargeting.v1 import targeting_pb2 as pb
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from server.errors import InvalidRequest, Unparsable
from server.translate import MAX_BATCH


def read_batch(payload: bytes) -> list[pb.DecideRequest | None]:
    """Give the requests of a batch; None for one that cannot be parsed. Raises ``InvalidRequest``."""
    try:
        return list(_checked(pb.DecideBatchRequest.FromString(payload).requests))
    except DecodeError:
        return [_request(item) for item in _checked(_items(payload))]


def _checked(items: Sequence[Any]) -> Sequence[Any]:
    if not 0 < len(items) <= MAX_BATCH:
        raise InvalidRequest("requests", f"between 1 and {MAX_BATCH} are taken; send another number")
    return items


def _request(item: bytes) -> pb.DecideRequest | None:
    try:
        return pb.DecideRequest.FromString(item)
    except DecodeError:
        return None


def _items(payload: bytes) -> Sequence[bytes]:
    try:
        return cast("Sequence[bytes]", _RAW_BATCH.FromString(payload).items)
    except DecodeError:
        raise Unparsable(pb.DecideBatchRequest) from None


def _raw_batch() -> Any:
    """Make the type: field for field ``DecideBatchRequest``, but for what the items are."""
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="raw_batch.proto", syntax="proto3")
    file.message_type.add(name="RawBatch").field.add(
        name="items",
        number=pb.DecideBatchRequest.REQUESTS_FIELD_NUMBER,
        label=field.LABEL_REPEATED,
        type=field.TYPE_BYTES,
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("RawBatch"))


_RAW_BATCH = _raw_batch()
