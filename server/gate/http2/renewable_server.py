"""A server of h2corn that takes new TLS files without losing a call.

h2corn reads the files when it starts, so a renewal is a new server on the same listening socket. It ends idle
connections at once when it stops, also one on which a call is just arriving. Therefore the former server only stops
accepting: its connections go on until nothing has used them for longer than h2corn keeps idle ones, and then it ends.
Used on the loop's thread.
"""

import asyncio
import logging
import os
import socket
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

import h2corn
from h2corn import _lib

from server.gate.http2.asgi import Application, Receive, Scope, Send

MOST_FORMER: Final = 8
"""Former servers that are kept; the oldest has to tell its clients to go when there are more."""
_DESCRIPTORS: Final = Path("/dev/fd")
_LOG = logging.getLogger(__name__)

# h2corn announces itself on stderr, which no setting turns off; the start line is ours.
_lib.emit_banner = lambda *_: None


class _Generation:
    """One server, the descriptors on which it accepts, and when it was last used."""

    def __init__(self, application: Application, listener: socket.socket, config: h2corn.Config) -> None:
        self._application = application
        self._listener = listener
        self._requests = 0
        self._used_s = time.monotonic()
        self._server = h2corn.Server(self._serve, config)
        self._listening: set[int] = set()
        self._silent: socket.socket | None = None
        self.is_ending = False

    async def start(self) -> asyncio.Task[None]:
        """Start, and return the task that ends with the server. Raises what h2corn raises for its configuration."""
        others = _descriptors_of(self._listener)
        serving = asyncio.get_running_loop().create_task(self._server.serve())
        try:
            await self._server.wait_started()
        except BaseException:
            # The failure to start is what is raised; how the server then ended adds nothing.
            with suppress(Exception):
                await serving
            raise
        self._listening = _descriptors_of(self._listener) - others
        return serving

    def stop_accepting(self, silent: socket.socket) -> None:
        """Let the server accept on ``silent`` instead, on which no connection arrives."""
        self._silent = silent
        self._move(self._listener, silent)

    def is_unused(self, idle_s: float) -> bool:
        """Whether no request is under way, and none was for so long."""
        return not self._requests and time.monotonic() - self._used_s > idle_s

    def end(self) -> None:
        """Let requests under way end, and stop."""
        self.is_ending = True
        if self._silent is not None:
            # h2corn's poller knows the socket by these descriptors, and can forget it by them only.
            self._move(self._silent, self._listener)
        self._server.shutdown()

    def _move(self, source: socket.socket, target: socket.socket) -> None:
        """Let the server's descriptors of one socket be those of another."""
        for descriptor in self._listening & _descriptors_of(source):
            os.dup2(target.fileno(), descriptor, inheritable=False)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._requests += 1
        try:
            await self._application(scope, receive, send)
        finally:
            self._requests -= 1
            self._used_s = time.monotonic()


class RenewableServer:
    """The current server, and former ones. ``make_config`` is called for each new one.

    ``idle_s`` is how long h2corn keeps idle connections.
    """

    def __init__(
        self, application: Application, listener: socket.socket, make_config: Callable[[], h2corn.Config], idle_s: float
    ) -> None:
        self._application = application
        self._listener = listener
        self._make_config = make_config
        self._idle_s = idle_s
        self._generations: deque[_Generation] = deque()
        self._serving: set[asyncio.Task[None]] = set()
        self._silent: socket.socket | None = None
        self.is_serving = True
        """False once a server has stopped by itself."""

    async def start(self) -> None:
        """Start to serve. Raises what h2corn raises for a configuration that it cannot use."""
        generation = _Generation(self._application, self._listener, self._make_config())
        serving = await generation.start()
        self._serving.add(serving)
        serving.add_done_callback(partial(self._let_go, generation))
        self._generations.append(generation)

    async def renew(self) -> None:
        """Start a new server, then let the former one accept no more. If the new one cannot start, nothing changes."""
        *_, former = self._generations
        await self.start()
        self._silent = self._silent or _silent_listener()
        former.stop_accepting(self._silent)
        self._end_unused()
        if len(self._generations) > MOST_FORMER + 1:
            self._generations.popleft().end()

    async def stop(self) -> None:
        """Let requests under way end, within h2corn's time for it, and stop."""
        for generation in self._generations:
            generation.end()
        if self._serving:
            await asyncio.wait(self._serving)
        if self._silent is not None:
            self._silent.close()

    def _let_go(self, generation: _Generation, serving: asyncio.Task[None]) -> None:
        self._serving.discard(serving)
        if not (generation.is_ending or serving.cancelled()):
            self.is_serving = False
            _LOG.critical("the HTTP/2 server has stopped by itself: %s", type(serving.exception()).__name__)

    def _end_unused(self) -> None:
        """End the former servers that nothing uses any more, and look again when more may be so."""
        former = list(self._generations)[:-1]
        for generation in former:
            if generation.is_unused(self._idle_s):
                self._generations.remove(generation)
                generation.end()
        if len(self._generations) > 1:
            asyncio.get_running_loop().call_later(self._idle_s, self._end_unused)


def _silent_listener() -> socket.socket:
    """Return a listening socket that nothing knows of: a port of the loopback that the system chose."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=1)
    listener.settimeout(0)
    return listener


def _descriptors_of(listener: socket.socket) -> set[int]:
    """Return the descriptors of this process that are this socket."""
    found = set()
    wanted = os.fstat(listener.fileno())
    for name in os.listdir(_DESCRIPTORS):  # noqa: PTH208  # names, not paths
        with suppress(OSError):  # the one that lists the folder is closed by now
            status = os.fstat(int(name))
            if (status.st_dev, status.st_ino) == (wanted.st_dev, wanted.st_ino):
                found.add(int(name))
    return found
