"""Tags come from the descriptor: what is written by hand says no number of a field."""

import io
import tokenize
from pathlib import Path

import pytest
from adtargeting.v1 import targeting_pb2 as pb
from google.protobuf.message import Message

from server.messages.wire_parts import tag_of

FIELDS: list[tuple[type[Message], str, object]] = [
    (pb.DecideResponse, "request_id", "x"),
    (pb.NetworkDecision, "network_user_id", "x"),
    (pb.BehaviouralFeatures, "vector", b"x"),
    (pb.Exposure, "count", 1),
    (pb.CallDestination, "share", 1.0),
]
WRITTEN_BY_HAND = ("wire.py", "wire_networks.py")
LENGTHS = {r'b"\x09"', r'b"\x02"'}
"""Bytes of a destination and of its country: lengths, not tags."""


@pytest.mark.parametrize(("kind", "field", "value"), FIELDS, ids=[field for _, field, _ in FIELDS])
def test_a_tag_is_what_the_generated_class_writes(kind: type[Message], field: str, value: object) -> None:
    assert kind(**{field: value}).SerializeToString().startswith(tag_of(kind, field))


@pytest.mark.parametrize("name", WRITTEN_BY_HAND)
def test_no_tag_is_written_as_bytes(name: str) -> None:
    source = (Path(__file__).parents[3] / "server/messages" / name).read_text(encoding="utf-8")
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    escaped = {token.string for token in tokens if token.type == tokenize.STRING and token.string.startswith('b"\\x')}
    assert escaped <= LENGTHS
