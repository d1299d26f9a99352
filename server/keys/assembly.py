"""The reader of ``NAP`` cookies that the settings ask for."""

from collections.abc import Callable
from pathlib import Path

from targeting.signals.nap import Nap


def nap_reader(key_path: str, on_failure: Callable[[], None]) -> Callable[[str], Nap | None]:
    """Return the reader under the keys at ``key_path``; without a path, one that reads no cookie.

    Raises ``NapKeyError``.
    """
    if not key_path:
        return _no_nap
    # Only services with keys pay for the library's several MiB.
    from server.keys.nap import NapCipher, read_keys  # noqa: PLC0415  # as above

    return NapCipher(read_keys(Path(key_path)), on_failure).decrypt


def _no_nap(_: str) -> Nap | None:
    """Return nothing: without keys no cookie can be read."""
    return None
