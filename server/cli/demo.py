"""``adtargeting demo``: from nothing to a story in the terminal.

Everything runs in this process and a temporary directory, on free ports; nothing of it is left, however it ends.
"""

import logging
import os
import signal
import socket
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

from server.app import Service
from server.cli.client import Client
from server.cli.command import Command
from server.cli.failures import OK
from server.cli.load_sample import load
from server.cli.shell import Shell
from server.cli.story import Stage, tell
from server.sample.load import Loader
from server.sample.population import population
from server.settings import Settings, checked_address
from server.store.embedded.server import EmbeddedRedis
from server.store.redis.store import RedisStore
from server.web.assembly import own_origin

PEOPLE = 2_000
_SEED = 7
_QUESTION = (
    "adtargeting answers one question for each ad: may what we know about this person be used, "
    "and what exactly may be handed to whom? An ad is shown either way."
)
_FAREWELL = (
    "That was all; nothing is left running. To try it yourself: `make run`, and in another terminal "
    "`.venv/bin/adtargeting load-sample`, which says what to ask. Its page for a person's choices is "
    "http://127.0.0.1:8080/choice."
)
_PATIENCE_MS = 1000
_LONGEST_PLACE = 60
"""Bytes; with the directory's and the socket's own names it stays below the 100 that a socket may have."""
_FREE_PORT = "127.0.0.1:0"


def arguments(parser: ArgumentParser) -> None:
    """Take where the pages are served."""
    parser.add_argument(
        "--pages", metavar="HOST:PORT", default=_FREE_PORT, help="where the pages are served; if taken, on a free port"
    )


def run(given: Namespace, shell: Shell) -> int:
    """Set the stage, and tell the story."""
    out, now_s = shell.out, int(time.time())
    out.print(f"{_QUESTION}\n")
    with ExitStack() as closing:
        closing.enter_context(_quiet())
        closing.enter_context(_stopped_by_sigterm())
        directory = Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="adt-demo-", dir=_place())))
        # The demo's own store, because it stops and starts it; people who do not exist need no power-cut safety.
        store = closing.enter_context(EmbeddedRedis(directory, fsync="everysec"))
        service = closing.enter_context(Service(_settings(directory, store, _free(given.pages))))
        out.print(f"A service is running at {service.address}, on a Redis in {directory}.")
        people = list(population(_SEED, PEOPLE, now_s))
        load(out, _loader(service, closing).load(people, now_s), PEOPLE)
        out.print(f"{PEOPLE:,} people who do not exist are loaded.")
        pages = f"{own_origin(service.web_address)}/choice"
        tell(Stage(out, closing.enter_context(Client(service.address)), store, people))
        if sys.stdin.isatty() and out.is_terminal:
            out.input(f"\nThe page on which a person chooses is at {pages}. Press Enter to end the demo.")
    out.print(f"\n{_FAREWELL}")
    return OK


def _place() -> str:
    """Give where temporary directories are made, unless a socket's path would be too long there.

    The embedded store then puts the socket elsewhere, and somewhere else again when it is restarted.
    """
    usual = tempfile.gettempdir()
    return usual if len(os.fsencode(usual)) <= _LONGEST_PLACE else "/tmp"  # noqa: S108  # the shortest there is


def _free(address: str) -> str:
    """Return the address, or one with a free port where something listens on it already."""
    host, _, port = checked_address("--pages", address).rpartition(":")
    try:
        socket.create_server((host, int(port))).close()
    except OSError:
        return _FREE_PORT
    return address


def _settings(directory: Path, store: EmbeddedRedis, pages: str) -> Settings:
    """The demo stands alone: the settings of the environment are for a real service."""
    return Settings(
        grpc_address=_FREE_PORT,
        metrics_address=_FREE_PORT,
        web_address=pages,
        data_dir=directory,
        redis_url=store.url,
        # A story must not turn on how busy the machine is.
        decision_budget_ms=_PATIENCE_MS,
        drain_grace_s=1,
    )


def _loader(service: Service, closing: ExitStack) -> Loader:
    store = RedisStore(service.store.redis, service.store.pseudonyms)
    closing.callback(store.close)
    return Loader([store], service.store.pseudonyms, service.rules().policy.retention.profile_days)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the service's log out of the story."""
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        yield
    finally:
        logging.disable(before)


@contextmanager
def _stopped_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end the story as Ctrl-C does, so that everything is put away."""

    def stop(_: int, __: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


DEMO = Command(arguments, run)
