"""The limit of open files: connections take descriptors, as do the store, metrics and files."""

import resource
from typing import Final

_WITHOUT_HARD_LIMIT: Final = 10_240
"""The most that macOS takes then (``OPEN_MAX``; setrlimit(2), "Compatibility")."""


def raise_file_limit() -> int:
    """Raise the soft limit of open files to the hard one, and return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = max(soft, _WITHOUT_HARD_LIMIT) if hard == resource.RLIM_INFINITY else hard
    if soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return most
