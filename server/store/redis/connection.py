"""One open connection to Redis: commands out, replies in, each exchange within its own deadline.

Invariants: a reply is only ever read as the answer to its own command, so a call that gives up leaves its replies to
be skipped by the next; after anything else but a complete exchange the connection is closed. Knows nothing of subjects
and records.
"""

import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from ssl import SSLWantReadError
from typing import Any, cast

import hiredis

from server.store.ports import StoreError, StoreTimeout, StoreUnavailable
from server.store.redis.errors import ErrorReply, NotPrimary, no_redis, store_error

Reply = Any
"""Bytes, an int, None, a list of these; or an ``ErrorReply``, which is a value here."""

pack = cast("Callable[[tuple[bytes, ...]], bytes]", hiredis.pack_command)
"""Encode one command as it goes over the wire."""

_READ_SIZE = 1 << 16
_PATIENCE_S = 0.1
"""A server that owes a reply and is silent for longer is taken to be gone, so the connection to it is closed."""


class Connection:
    """An open connection, for one thread at a time. ``server.store.redis.handshake`` opens one."""

    def __init__(self, opened: socket.socket) -> None:
        self._socket = opened
        self._reader = hiredis.Reader(protocolError=ValueError, replyError=ErrorReply)
        self._open = True
        self.on_not_primary: Callable[[], None] = lambda: None
        """Called when the server refuses because it is not a primary."""
        self._overdue = 0
        self._silent_since_s = 0.0
        """When the oldest command was sent that has no reply, or, if later, when a reply came; 0: none is due."""
        self._received: list[Reply] = []
        """The replies to the last question, while others are still due."""

    def fileno(self) -> int:
        """Return the descriptor, for those who wait by themselves until something has come."""
        return self._socket.fileno()

    def usable(self) -> bool:
        """Whether the next exchange may use it: open at both ends, and nothing on it that was not asked for."""
        try:
            usable = self._open and self._skip_overdue() and self._is_quiet()
        except Exception:  # noqa: BLE001  # whatever it is, the connection is of no more use
            usable = False
        if not usable:
            self.close()
        return usable

    def exchange(self, packed: bytes, replies: int, deadline_s: float) -> list[Reply]:
        """Send packed commands and read ``replies`` replies until the deadline (``time.monotonic``).

        An error reply is an ``ErrorReply`` in its place. Raises ``StoreError``.
        """
        self.post(packed, replies, deadline_s)
        return self.collect(replies, deadline_s)

    def post(self, packed: bytes, replies: int, deadline_s: float) -> None:
        """Send packed commands, so that ``replies`` replies are due. Raises ``StoreError``."""
        if time.monotonic() >= deadline_s:
            raise StoreTimeout("no time was left to ask the store")
        if not self._open:
            raise StoreUnavailable("the connection to the store is closed")
        with self._closing_on_failure():
            self._send(packed, deadline_s)
            self._silent_since_s = self._silent_since_s or time.monotonic()
            self._overdue += replies
            self._received = []

    def collect(self, replies: int, deadline_s: float) -> list[Reply]:
        """Return the last ``replies`` replies that are due, and skip those before them. Raises ``StoreError``."""
        with self._closing_on_failure():
            try:
                return self._receive(replies, deadline_s)
            except TimeoutError:
                if self._is_silent():
                    raise
                raise StoreTimeout("the store did not answer in time") from None

    def collect_so_far(self, replies: int, deadline_s: float) -> list[Reply]:
        """Do as ``collect``, which may be called again after ``StoreTimeout``: what has come by then is kept."""
        with self._closing_on_failure():
            try:
                return self._receive(replies, deadline_s)
            except TimeoutError:
                raise StoreTimeout("the store has not answered yet") from None

    def close_if_silent(self) -> None:
        """Close the connection if the server has owed a reply for too long."""
        if self._overdue and self._is_silent():
            self.close()

    def ask(self, command: Sequence[bytes], deadline_s: float) -> Reply:
        """Send one command and return its reply; an error reply is raised. Raises ``StoreError``."""
        return self.accept(self.exchange(pack(tuple(command)), 1, deadline_s)[0])

    def accept(self, reply: Reply) -> Reply:
        """Return the reply unless it is an error; then close the connection. Raises ``StoreError``.

        A server that refuses may no longer be what it was when the connection was made: a primary, its data loaded.
        """
        if isinstance(reply, ErrorReply):
            raise self.refused(store_error(reply)) from None
        return reply

    def refused(self, problem: StoreError) -> StoreError:
        """Close the connection for a problem that the server has told of, and return the problem."""
        self.close()
        if isinstance(problem, NotPrimary):
            self.on_not_primary()
        return problem

    @contextmanager
    def decoding(self) -> Iterator[None]:
        """Decode replies in this block. Raises ``StoreError`` and closes the connection for one of another form.

        What answers so is no Redis, and its next replies are worth no more.
        """
        try:
            yield
        except (StoreError, TypeError, ValueError, LookupError, AttributeError) as problem:
            self.close()
            raise problem if isinstance(problem, StoreError) else no_redis() from None

    def close(self) -> None:
        """Close the connection; harmless when it is closed."""
        self._open = False
        self._socket.close()

    @contextmanager
    def _closing_on_failure(self) -> Iterator[None]:
        try:
            yield
        except StoreTimeout:
            raise
        except Exception as problem:  # noqa: BLE001  # one table says what each means
            self.close()
            raise store_error(problem) from None
        except BaseException:
            self.close()
            raise

    def _send(self, packed: bytes, deadline_s: float) -> None:
        self._socket.settimeout(_left_s(deadline_s))
        self._socket.sendall(packed)

    def _receive(self, wanted: int, deadline_s: float) -> list[Reply]:
        """Read replies after those that earlier calls did not wait for. Raises ``TimeoutError``."""
        before = self._overdue
        try:
            while self._overdue:
                reply = self._next_reply(deadline_s)
                self._overdue -= 1
                if self._overdue < wanted:
                    self._received.append(reply)
        finally:
            self._note_replies(before)
        return self._received

    def _next_reply(self, deadline_s: float) -> Reply:
        while (reply := self._reader.gets()) is False:
            self._socket.settimeout(max(deadline_s - time.monotonic(), 0.0))
            try:
                self._feed()
            except (BlockingIOError, SSLWantReadError):
                raise TimeoutError from None
        return reply

    def _skip_overdue(self) -> bool:
        """Skip the overdue replies that have come; whether the server may still be waited for."""
        if not self._overdue:
            return True
        before = self._overdue
        while self._overdue and self._has_come():
            while self._overdue and self._reader.gets() is not False:
                self._overdue -= 1
        self._note_replies(before)
        return not (self._overdue and self._is_silent())

    def _note_replies(self, before: int) -> None:
        """Note whether the server is no longer silent; ``before`` is how many replies were overdue."""
        if self._overdue < before:
            self._silent_since_s = time.monotonic() if self._overdue else 0.0

    def _is_silent(self) -> bool:
        return time.monotonic() - self._silent_since_s > _PATIENCE_S

    def _is_quiet(self) -> bool:
        return bool(self._overdue) or not (self._reader.has_data() or self._has_come())

    def _has_come(self) -> bool:
        """Read what has come, without waiting; whether there was anything. Raises ``EOFError``."""
        self._socket.settimeout(0)
        try:
            self._feed()
        except (BlockingIOError, SSLWantReadError):
            return False
        return True

    def _feed(self) -> None:
        received = self._socket.recv(_READ_SIZE)
        if not received:
            raise EOFError
        self._reader.feed(received)


def _left_s(deadline_s: float) -> float:
    left_s = deadline_s - time.monotonic()
    if left_s <= 0:
        raise TimeoutError
    return left_s
