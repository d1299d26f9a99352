"""What supervisor and worker say to each other over their pipe."""

from collections.abc import Callable
from multiprocessing.connection import Connection
from socket import socket
from typing import Final, Literal, NamedTuple

from server.processes.merged_metrics import Families
from server.settings import Settings

SCRAPE: Final = "scrape"
"""Sent by the supervisor; answered by a report of kind ``metrics``."""

WorkerMain = Callable[[Settings, socket, Connection], None]
"""What a worker process runs: its settings, the socket to accept on, and its end of the pipe."""


class Report(NamedTuple):
    """Sent by a worker: its start line, its metrics, or why it cannot start."""

    kind: Literal["serving", "metrics", "failed"]
    text: str = ""
    metrics: Families = []  # noqa: RUF012  # never changed
