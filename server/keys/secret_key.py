"""The service's secret key: what pseudonyms and the networks' ids are made with.

Whoever has it can tell which pseudonym is whose, so it lives in a file of its own. Every instance on one store needs
the same key: with another, it finds nobody.
"""

import hashlib
import os
import secrets
from pathlib import Path

from server.settings import SettingsError

PSEUDONYMS, NETWORK_IDS = b"pseudonyms", b"network ids"
"""The purposes that keys are derived for."""

_BYTES = 32


class SecretKey:
    """The key; keys for separate purposes are derived from it, so that none gives away another."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def derive(self, purpose: bytes) -> bytes:
        """Give the 32-byte key of a purpose."""
        return hashlib.blake2b(purpose, key=self._key, digest_size=_BYTES).digest()

    def __repr__(self) -> str:
        """Show nothing."""
        return "SecretKey(***)"


def read_or_create(path: Path, setting: str = "ADTARGETING_SECRET_KEY_FILE") -> SecretKey:
    """Read the key, or make one where there is none. Raises ``SettingsError``, which blames the setting."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _create(path)
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except OSError as problem:
        raise SettingsError(
            f"{setting}: cannot read or make the secret key there: {problem.strerror}; name another place"
        ) from problem
    except ValueError:
        key = b""
    if len(key) != _BYTES:
        raise SettingsError(f"{setting}: the secret key there must be {_BYTES} bytes as hexadecimal digits")
    return SecretKey(key)


def _create(path: Path) -> None:
    """Write a new key, unless somebody has; a half-written file is never seen under the name."""
    if path.exists():
        return
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(_BYTES) + "\n")
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()
