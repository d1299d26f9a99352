"""The service's secret key, from which the keys of pseudonyms and of network user ids are derived.

The key links pseudonyms to ids, so it is kept in a file of its own. Every instance on one store needs the same
key: with another key it finds no record. ``SecretKey.fingerprint`` tells keys apart and reveals none.

Invariant: a key is created only for a store without records, and never in place of a file that a setting names.
Knows nothing of stores.
"""

import hashlib
import os
import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from server.files.bounded_file import read_bounded
from server.settings import Settings, SettingsError

PSEUDONYMS, NETWORK_IDS, FINGERPRINT = b"pseudonyms", b"network ids", b"fingerprint"
"""The purposes for which keys are derived."""

_BYTES: Final = 32
_FINGERPRINT_BYTES: Final = 8
_LARGEST_FILE: Final = 4096
_KEY: Final = re.compile(r"[0-9A-Fa-f]{64}")


class SecretKey:
    """The key. Each purpose has a derived key of its own, so that none reveals another."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def draft(cls) -> "SecretKey":
        """Return a new random key."""
        return cls(secrets.token_bytes(_BYTES))

    def derive(self, purpose: bytes) -> bytes:
        """Return the 32-byte key of a purpose."""
        return hashlib.blake2b(purpose, key=self._key, digest_size=_BYTES).digest()

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that differ for every key, for logs and for the store's own record."""
        return self.derive(FINGERPRINT)[:_FINGERPRINT_BYTES].hex()

    def write_new(self, path: Path) -> None:
        """Write the key to a new file; a reader never sees a half-written one. Raises ``OSError``."""
        draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(self._key.hex() + "\n")
            os.link(draft, path)
        finally:
            draft.unlink()

    def __repr__(self) -> str:
        """Return the fingerprint only."""
        return f"SecretKey({self.fingerprint})"


class KeyFile:
    """The file of the secret key. ``named``: a setting names the file itself, so it must exist."""

    def __init__(self, path: Path, setting: str, *, named: bool) -> None:
        self._path = path
        self._setting = setting
        self._named = named

    def open(self, store_has_records: Callable[[], bool]) -> SecretKey:
        """Return the key of the file, or create one if the file is missing and the store has no records.

        ``store_has_records`` is called only when the file is missing. Raises ``SettingsError`` for a file that must
        exist or cannot be used, and whatever ``store_has_records`` raises.
        """
        key = self.read()
        return self.create_for(store_has_records, SecretKey.draft()) if key is None else key

    def create_for(self, store_has_records: Callable[[], bool], draft: SecretKey) -> SecretKey:
        """Write ``draft`` to the missing file if the store has no records. Raises as ``open`` does.

        Return the key of the file, which another process may have created first.
        """
        if store_has_records():
            raise SettingsError(
                f"{self._setting}: {self._path.name} is missing, but the store has records; restore the key, without "
                "which no record can be found"
            )
        return self._create(draft)

    def read(self) -> SecretKey | None:
        """Return the key, or None if the file is missing and may be created. Raises ``SettingsError``."""
        try:
            content = read_bounded(self._path, _LARGEST_FILE)
        except FileNotFoundError:
            if _KEY.fullmatch(self._path.name):
                # Or the key would stand in the log, as the name of a file.
                raise SettingsError(
                    f"{self._setting}: is a key; write the key to a file, and set the file's name"
                ) from None
            if self._named:
                raise SettingsError(
                    f"{self._setting}: {self._path} does not exist; restore it or, for a new store, create it with: "
                    f"umask 077; openssl rand -hex 32 > {self._path}"
                ) from None
            return None
        except OSError as error:
            raise SettingsError(f"{self._setting}: cannot read the secret key: {error.strerror}") from error
        return self._parse(content)

    def _create(self, draft: SecretKey) -> SecretKey:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with suppress(FileExistsError):
                draft.write_new(self._path)
            return self._parse(read_bounded(self._path, _LARGEST_FILE))
        except OSError as error:
            raise SettingsError(
                f"{self._setting}: cannot create the secret key: {error.strerror}; set another path"
            ) from error

    def _parse(self, content: bytes) -> SecretKey:
        try:
            key = bytes.fromhex(content.decode("ascii").strip())
        except ValueError:
            key = b""
        if len(key) != _BYTES:
            raise SettingsError(f"{self._setting}: the secret key must be {_BYTES} bytes in hexadecimal")
        return SecretKey(key)


def key_file(settings: Settings) -> KeyFile:
    """Return the key file of the settings."""
    return KeyFile(settings.secret_key_path, settings.secret_key_setting, named=bool(settings.secret_key_file))
