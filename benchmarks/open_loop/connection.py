"""One connection of the open-loop client: calls out, ends of calls in, within the server's windows."""

import socket
import time
from collections import deque
from typing import Final, NamedTuple

from benchmarks.open_loop.frames import (
    ACK,
    DATA,
    END_STREAM,
    FRAME_SIZE_SETTING,
    GOAWAY,
    HEADERS,
    INITIAL_WINDOW_SETTING,
    MAX_STREAMS_SETTING,
    PING,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    CallTemplate,
    Frame,
    FrameReader,
    frame,
    opening,
    settings_of,
    window_update,
)

_RECEIVE_BYTES: Final = 1 << 18
_DEFAULT_WINDOW: Final = 65_535
_DEFAULT_STREAMS: Final = 100
_WINDOW_STEP: Final = 1 << 24


class Ended(NamedTuple):
    """How one call ended: when it was due, sent and over (``time.perf_counter``), and the bytes of its answer.

    Refused calls have no bytes; ``octets`` is -1 where the stream was reset or the connection lost.
    """

    due_s: float
    sent_s: float
    over_s: float
    octets: int


class _Stream:
    __slots__ = ("due_s", "octets", "sent_s")

    def __init__(self, due_s: float, sent_s: float) -> None:
        self.due_s, self.sent_s, self.octets = due_s, sent_s, 0


class LoadConnection:
    """Sends calls as they fall due. A call that the windows do not admit waits here, and its time counts from due."""

    def __init__(self, address: tuple[str, int], call: CallTemplate) -> None:
        self.ended: list[Ended] = []
        self.lost = False
        self._call = call
        self._socket = socket.create_connection(address, timeout=5)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(opening())
        self._socket.settimeout(0)
        self._reader = FrameReader()
        self._due: deque[float] = deque()
        self._open: dict[int, _Stream] = {}
        self._out = bytearray()
        self._next_stream = 1
        self._window, self._most_streams = _DEFAULT_WINDOW, _DEFAULT_STREAMS
        self._received = 0

    def fileno(self) -> int:
        """Return the descriptor, for ``select``."""
        return self._socket.fileno()

    @property
    def wants_to_write(self) -> bool:
        """Whether bytes wait for the kernel."""
        return bool(self._out)

    @property
    def pending(self) -> int:
        """How many calls have not ended."""
        return len(self._open) + len(self._due)

    def add(self, due_s: float) -> None:
        """Take a call that has fallen due."""
        self._due.append(due_s)

    def send(self) -> None:
        """Send the calls that the windows admit, and whatever waits for the kernel."""
        now_s = time.perf_counter()
        while self._due and len(self._open) < self._most_streams and self._window >= self._call.octets:
            self._out += self._call.on(self._next_stream)
            self._open[self._next_stream] = _Stream(self._due.popleft(), now_s)
            self._window -= self._call.octets
            self._next_stream += 2
        try:
            while self._out:
                del self._out[: self._socket.send(self._out)]
        except BlockingIOError:
            return
        except OSError:
            self._lose()

    def receive(self) -> None:
        """Take in what has come."""
        try:
            received = self._socket.recv(_RECEIVE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            received = b""
        if not received:
            self._lose()
            return
        now_s = time.perf_counter()
        for each in self._reader.feed(received):
            self._take(each, now_s)

    def close(self) -> None:
        """Close the connection; what has not ended counts as lost."""
        self._lose()

    def _take(self, each: Frame, now_s: float) -> None:
        if each.kind == DATA and (stream := self._open.get(each.stream)) is not None:
            stream.octets += len(each.payload)
            self._received += len(each.payload)
        elif each.kind == SETTINGS and not each.flags & ACK:
            self._adopt(settings_of(each.payload))
        elif each.kind == WINDOW_UPDATE and each.stream == 0:
            self._window += int.from_bytes(each.payload, "big")
        elif each.kind == PING and not each.flags & ACK:
            self._out += frame(PING, ACK, 0, each.payload)
        elif each.kind == GOAWAY:
            self._most_streams = 0
        if each.kind == RST_STREAM:
            self._end(each.stream, now_s, reset=True)
        elif each.kind in {DATA, HEADERS} and each.flags & END_STREAM:
            self._end(each.stream, now_s)
        if self._received >= _WINDOW_STEP:
            self._out += window_update(self._received)
            self._received = 0

    def _adopt(self, settings: dict[int, int]) -> None:
        self._most_streams = settings.get(MAX_STREAMS_SETTING, self._most_streams)
        if settings.get(INITIAL_WINDOW_SETTING, _DEFAULT_WINDOW) < self._call.octets:
            raise ValueError("the server's stream window is smaller than the call")
        if settings.get(FRAME_SIZE_SETTING, 1 << 14) < 1 << 14:
            raise ValueError("the server's frames are smaller than RFC 9113 allows")
        self._out += frame(SETTINGS, ACK, 0, b"")

    def _end(self, number: int, now_s: float, *, reset: bool = False) -> None:
        if (stream := self._open.pop(number, None)) is not None:
            self.ended.append(Ended(stream.due_s, stream.sent_s, now_s, -1 if reset else stream.octets))

    def _lose(self) -> None:
        self.lost = True
        now_s = time.perf_counter()
        self.ended += [Ended(stream.due_s, stream.sent_s, now_s, -1) for stream in self._open.values()]
        self.ended += [Ended(due_s, now_s, now_s, -1) for due_s in self._due]
        self._open.clear()
        self._due.clear()
        self._out.clear()
        self._socket.close()
