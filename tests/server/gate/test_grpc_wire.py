"""gRPC over HTTP/2: the deadline, the message's prefix and the escaped error message."""

import math

import pytest
from google.rpc import code_pb2

from server.gate.http2.grpc_wire import message_of, percent_encoded, seconds_of


@pytest.mark.parametrize(
    ("timeout", "seconds"),
    [
        (None, math.inf),
        (b"0S", 0),
        (b"25m", 0.025),
        (b"1H", 3600),
        (b"2M", 120),
        (b"99999999u", 99.999999),
        (b"1n", 1e-9),
    ],
    ids=str,
)
def test_a_timeout(timeout: bytes | None, seconds: float) -> None:
    assert seconds_of(timeout) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "timeout", [b"", b"S", b"1", b"-1S", b"+1S", b"1.5S", b"123456789S", b"1s", b"1 S", b" 1S", b"1S ", b"\xd9\xa1S"]
)
def test_what_is_no_timeout(timeout: bytes) -> None:
    with pytest.raises(ValueError, match="grpc-timeout"):
        seconds_of(timeout)


def test_one_message() -> None:
    assert message_of(b"\0\0\0\0\0") == b""
    assert message_of(b"\0\0\0\0\3abc") == b"abc"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\0\0\0\0",
        b"\0\0\0\0\1",
        b"\0\0\0\0\0x",
        b"\1\0\0\0\0",
        b"\2\0\0\0\0",
        b"\0\0\0\0\1a" * 2,
        b"\0\xff\xff\xff\xffabc",
    ],
    ids=["nothing", "half a prefix", "too short", "too long", "compressed", "an unknown flag", "two", "a vast length"],
)
def test_what_is_not_one_message(body: bytes) -> None:
    with pytest.raises(ValueError, match="message"):
        message_of(body)


def test_everything_but_printable_ascii_is_escaped() -> None:
    assert percent_encoded("a field: 100 %\n\N{BULLET}") == b"a field: 100 %25%0A%E2%80%A2"


def test_the_codes_of_the_standard_are_all_known() -> None:
    assert sorted(code_pb2.Code.values()) == list(range(17))
