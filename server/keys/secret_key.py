"""The service's secret key, from which the keys of pseudonyms and of network user ids are derived.

The key links pseudonyms to ids, so it is kept in a file of its own. Every instance on one store needs the same
key: with another key it finds no record.
"""

import hashlib
import os
import secrets
from pathlib import Path

from server.settings import SettingsError

PSEUDONYMS, NETWORK_IDS = b"pseudonyms", b"network ids"
"""The purposes for which keys are derived."""

_BYTES = 32


class SecretKey:
    """The key. Each purpose has a derived key of its own, so that none reveals another."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def derive(self, purpose: bytes) -> bytes:
        """Return the 32-byte key of a purpose."""
        return hashlib.blake2b(purpose, key=self._key, digest_size=_BYTES).digest()

    def __repr__(self) -> str:
        """Return a mask."""
        return "SecretKey(***)"


def read_or_create(path: Path, setting: str = "ADTARGETING_SECRET_KEY_FILE") -> SecretKey:
    """Read the key, or create one if the file is missing. Raises ``SettingsError`` that names ``setting``."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _create(path)
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except OSError as error:
        raise SettingsError(
            f"{setting}: cannot read or create the secret key: {error.strerror}; set another path"
        ) from error
    except ValueError:
        key = b""
    if len(key) != _BYTES:
        raise SettingsError(f"{setting}: the secret key must be {_BYTES} bytes in hexadecimal")
    return SecretKey(key)


def _create(path: Path) -> None:
    """Write a new key unless the file exists. A reader never sees a half-written file."""
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
