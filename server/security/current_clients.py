"""The clients in force: read at the start, and again on SIGHUP and when the file changes.

Invariant: a file that is refused changes nothing, and a call is judged by one file whole.
"""

import logging
from pathlib import Path

from server.files.file_changes import FileChanges
from server.security.clients import Clients
from server.security.clients_file import ClientsFileError, load_clients

_LOG = logging.getLogger(__name__)


class CurrentClients:
    """Holds the clients of the file at ``path``. Reload from one thread only; read from any.

    Raises ``ClientsFileError`` when the first load fails.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._changes = FileChanges([path])
        self.clients: Clients = load_clients(Path(path))

    def reload(self) -> None:
        """Read the file again, and log the result in one line. A refused file leaves the current clients in force."""
        self._changes.note_loaded()
        try:
            self.clients = load_clients(Path(self._path))
        except ClientsFileError as problem:
            _LOG.error("clients file refused, the current clients stay: %s", problem)
            return
        count = self.clients.count
        _LOG.info("clients file loaded: %d %s", count, "client" if count == 1 else "clients")

    def reload_if_changed(self) -> None:
        """Reload the file if it has changed."""
        if self._changes.have_settled():
            self.reload()
