"""The open-loop client's HTTP/2, read by another implementation."""

import pytest
from hpack import Decoder

from benchmarks.open_loop.frames import (
    DATA,
    END_STREAM,
    HEADERS,
    PREFACE,
    SETTINGS,
    WINDOW_UPDATE,
    CallTemplate,
    FrameReader,
    opening,
    settings_of,
)

PATH = "/adtargeting.v1.TargetingService/Decide"


def headers(block: bytes) -> dict[bytes, bytes]:
    return {bytes(name): bytes(value) for name, value in Decoder().decode(block, raw=True)}


@pytest.mark.parametrize("timeout_ms", [0, 100])
def test_a_call_has_the_headers_of_grpc(timeout_ms: int) -> None:
    head, data = FrameReader().feed(CallTemplate("127.0.0.1:50051", PATH, b"\0\0\0\0\1x", timeout_ms).on(7))
    assert (head.kind, head.stream, data.kind, data.stream) == (HEADERS, 7, DATA, 7)
    expected = {
        b":method": b"POST",
        b":scheme": b"http",
        b":path": PATH.encode(),
        b":authority": b"127.0.0.1:50051",
        b"content-type": b"application/grpc",
        b"te": b"trailers",
    }
    assert headers(head.payload) == expected | ({b"grpc-timeout": b"100m"} if timeout_ms else {})


@pytest.mark.parametrize("size", [1, 16_384, 16_385, 40_000])
def test_a_message_goes_out_whole_in_frames_that_every_server_takes(size: int) -> None:
    message = bytes(index % 251 for index in range(size))
    _, *data = FrameReader().feed(CallTemplate("a", PATH, message).on(3))
    assert b"".join(each.payload for each in data) == message
    assert all(len(each.payload) <= 16_384 for each in data)
    assert [each.flags & END_STREAM for each in data] == [0] * (len(data) - 1) + [END_STREAM]


def test_a_connection_begins_with_its_preface_and_open_windows() -> None:
    begun = opening()
    assert begun.startswith(PREFACE)
    settings, update = FrameReader().feed(begun.removeprefix(PREFACE))
    assert (settings.kind, settings_of(settings.payload)) == (SETTINGS, {4: (1 << 31) - 1})
    assert (update.kind, update.stream, int.from_bytes(update.payload, "big")) == (WINDOW_UPDATE, 0, (1 << 31) - 65_536)


@pytest.mark.parametrize("step", [1, 5, 9, 10, 1000])
def test_frames_are_whole_however_they_arrive(step: int) -> None:
    sent = CallTemplate("a", PATH, bytes(100)).on(1) + CallTemplate("a", PATH, bytes(50)).on(3)
    reader = FrameReader()
    pieces = [sent[start : start + step] for start in range(0, len(sent), step)]
    assert [each for piece in pieces for each in reader.feed(piece)] == list(FrameReader().feed(sent))


def test_a_header_that_needs_a_longer_length_is_refused() -> None:
    with pytest.raises(ValueError, match="longer form"):
        CallTemplate("a" * 127, PATH, b"")
