"""``adtargeting demo``: a guided tour in the terminal.

Everything runs in this process, on free ports and in a temporary directory that is removed however the tour ends.
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
from server.cli.command import Command
from server.cli.connection import client_at
from server.cli.failures import OK
from server.cli.load_sample import load
from server.cli.shell import Shell
from server.cli.story import Stage, tell
from server.sample.load import Loader
from server.sample.population import population
from server.settings import Settings, checked_address
from server.store.embedded.server import EmbeddedRedis
from server.store.redis.primary import Primary
from server.store.redis.store import RedisStore
from server.web.assembly import own_origin

PEOPLE = 2_000
_SEED = 7
_INTRODUCTION = (
    "adtargeting answers one question for each ad request: may stored data about this person be used, "
    "and what exactly may each network receive? An ad is shown either way."
)
_FAREWELL = (
    "The tour is over and nothing is left running. To try it yourself, run `make run` and, in another terminal, "
    "`.venv/bin/adtargeting load-sample`, which prints commands to try. The page "
    "on which a person chooses is then http://127.0.0.1:8080/choice."
)
_BUDGET_MS = 1000
_MAX_DIRECTORY_BYTES = 60
"""With the names of directory and socket added, the path stays below the 100 bytes that a socket may have."""
_FREE_PORT = "127.0.0.1:0"


def arguments(parser: ArgumentParser) -> None:
    """Add the address of the pages."""
    parser.add_argument(
        "--pages", metavar="HOST:PORT", default=_FREE_PORT, help="where the pages are served; if taken, on a free port"
    )


def run(given: Namespace, shell: Shell) -> int:
    """Start a service on a sample population and run the tour."""
    out, now_s = shell.out, int(time.time())
    out.print(f"{_INTRODUCTION}\n")
    with ExitStack() as closing:
        closing.enter_context(_quiet())
        closing.enter_context(_stopped_by_sigterm())
        directory = Path(closing.enter_context(_temporary_directory()))
        # A store of its own, because the tour stops and restarts it; sample data need not survive a power cut.
        store = closing.enter_context(EmbeddedRedis(directory, fsync="everysec"))
        service = closing.enter_context(Service(_settings(directory, store, _free(given.pages))))
        out.print(f"A service is running at {service.address}, on a Redis in {directory}.")
        people = list(population(_SEED, PEOPLE, now_s))
        load(out, _loader(service, closing).load(people, now_s), PEOPLE)
        out.print(f"{PEOPLE:,} sample people are loaded.")
        pages = f"{own_origin(service.web_address, service.doors)}/choice"
        tell(Stage(out, closing.enter_context(client_at(service.address)), store, people))
        if sys.stdin.isatty() and out.is_terminal:
            out.input(f"\nThe page on which a person chooses is at {pages}. Press Enter to end the demo.")
    out.print(f"\n{_FAREWELL}")
    return OK


def _temporary_directory() -> tempfile.TemporaryDirectory[str]:
    """Make a temporary directory: in the usual place, unless the socket path would be too long.

    With a long path the embedded store moves its socket, and to a different place after a restart.
    """
    usual = tempfile.gettempdir()
    parent = usual if len(os.fsencode(usual)) <= _MAX_DIRECTORY_BYTES else "/tmp"  # noqa: S108  # short enough
    return tempfile.TemporaryDirectory(prefix="adt-demo-", dir=parent)


def _free(address: str) -> str:
    """Return the address, or one with a free port where something listens on it already."""
    host, _, port = checked_address("--pages", address).rpartition(":")
    try:
        socket.create_server((host, int(port))).close()
    except OSError:
        return _FREE_PORT
    return address


def _settings(directory: Path, store: EmbeddedRedis, pages: str) -> Settings:
    """Return the settings of the tour; the environment's settings belong to a real service."""
    return Settings(
        grpc_address=_FREE_PORT,
        metrics_address=_FREE_PORT,
        web_address=pages,
        data_dir=directory,
        redis_url=store.url,
        # The tour must not depend on how busy the machine is.
        decision_budget_ms=_BUDGET_MS,
        drain_grace_s=1,
    )


def _loader(service: Service, closing: ExitStack) -> Loader:
    store = RedisStore(Primary(service.store.redis), service.store.pseudonyms)
    closing.callback(store.close)
    return Loader(
        [service.store.sealing(store)], service.store.pseudonyms, service.rules().policy.retention.profile_days
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the service's log out of the output."""
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        yield
    finally:
        logging.disable(before)


@contextmanager
def _stopped_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end the tour as Ctrl-C does, so that everything is removed."""

    def stop(_: int, __: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


DEMO = Command(arguments, run)
