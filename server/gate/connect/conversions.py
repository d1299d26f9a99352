"""Other forms of the wire than plain gRPC, read and written: gunzip and JSON in, JSON and gzip out.

JSON takes Python far longer than protobuf, so what is long is converted by threads, and other calls go on: one thread
for batches and the like, and one for all others, which never wait for a batch. A call has a place from when its body is
in until its answer is written, as it waits for a thread both before and after its decision. Without a place it is
refused before anything is converted; no client has more places than it leaves free. Used on the thread of the gate's
event loop.
"""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Final, TypeVar

from google.protobuf.message import Message

from server.gate.connect.codecs import Body, Form, written
from server.gate.connect.compression import Packed
from server.gate.port import LARGE_BYTES, Answer, Method
from server.gate.room import Capacity, Cause, Room

T = TypeVar("T")

_PLACES: Final = 256
_PLACE_BYTES: Final = 64 * 1024
"""A call takes one place for this much of the longest request of its RPC: a batch takes 16."""
_SHORT_REQUEST_BYTES, _SHORT_ANSWER_BYTES = 2048, 1024
"""What is longer is converted by a thread."""


class Conversions:
    """The places of a gate's calls in other forms, and the threads that convert what is long."""

    def __init__(self, places: int = _PLACES) -> None:
        self._room = Room(Capacity(places))
        # No more: each thread that computes keeps the loop waiting for the interpreter's lock.
        self._of_single = ThreadPoolExecutor(1, "conversions")
        self._of_large = ThreadPoolExecutor(1, "conversions-large")

    def cause_against(self, method: Method, client: str) -> Cause | None:
        """Return why there is no place for a call, or None."""
        return self._room.cause_against(client, _places(method), 0)

    @contextmanager
    def place(self, method: Method, client: str) -> Iterator[None]:
        """Take the place of a call for the ``with`` block."""
        places = _places(method)
        self._room.enter(client, places, 0)
        try:
            yield
        finally:
            self._room.leave(client, places, 0)

    async def read(self, method: Method, request: Body) -> Answer:
        """Return a request's bytes as protobuf, or its refusal."""
        is_short = len(request.data) <= _SHORT_REQUEST_BYTES or not request.is_json
        if is_short and not isinstance(request.data, Packed):
            return request.serialised()
        return await self._converted(method, len(request.data), request.serialised)

    async def write(self, method: Method, kind: type[Message], answer: bytes, form: Form) -> Body:
        """Return an answer as it goes out."""
        if len(answer) <= _SHORT_ANSWER_BYTES or not any(form):
            return written(kind, answer, form)
        return await self._converted(method, len(answer), partial(written, kind, answer, form))

    def close(self) -> None:
        """Convert nothing more."""
        for thread in (self._of_single, self._of_large):
            thread.shutdown(wait=False, cancel_futures=True)

    async def _converted(self, method: Method, size: int, convert: Callable[[], T]) -> T:
        is_large = size > LARGE_BYTES or _places(method) > 1
        return await asyncio.get_running_loop().run_in_executor(
            self._of_large if is_large else self._of_single, convert
        )


def _places(method: Method) -> int:
    return max(method.max_bytes // _PLACE_BYTES, 1)
