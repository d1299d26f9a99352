"""The build that runs: its version, from the installed package. Known to the command line, the log and the metrics."""

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Final

PROGRAM: Final = "adtargeting"
UNKNOWN: Final = "unknown"
"""The version of a checkout that is not installed."""


def build_version() -> str:
    """Return the version of the installed package, or ``UNKNOWN``."""
    try:
        return version(PROGRAM)
    except PackageNotFoundError:
        return UNKNOWN


def python_version() -> str:
    """Return the version of the interpreter, such as ``3.11.7``."""
    return platform.python_version()
