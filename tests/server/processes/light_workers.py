"""Worker processes without a service: they speak to the supervisor as workers do, and start in a tenth of the time."""

import time
from multiprocessing.connection import Connection
from pathlib import Path
from socket import socket

from server.processes.reports import Report
from server.settings import Settings


def serves(settings: Settings, listener: socket, pipe: Connection) -> None:
    """Say that it serves, until the supervisor goes or kills it."""
    note_start(settings)
    pipe.send(Report("serving", "serves"))
    while pipe.recv():
        pipe.send(Report("metrics"))


def serves_once(settings: Settings, listener: socket, pipe: Connection) -> None:
    """Serve and end the first time; fail to start from then on."""
    note_start(settings)
    first = len(starts(settings)) == 1
    pipe.send(Report("serving", "serves") if first else Report("failed", "no policy"))


def note_start(settings: Settings) -> None:
    with _log_of(settings).open("a") as log:
        log.write(f"{time.monotonic()}\n")


def starts(settings: Settings) -> list[float]:
    """When workers were started, in seconds of ``time.monotonic``."""
    return [float(line) for line in _log_of(settings).read_text().splitlines()]


def _log_of(settings: Settings) -> Path:
    return settings.data_dir / "starts"
