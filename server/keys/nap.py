"""The ``NAP`` cookie's encryption: Fernet tokens under keys that rotate.

The key file has one key per line (32 bytes in URL-safe base64, as ``Fernet.generate_key`` returns them); ``#`` starts
a comment. The first key encrypts; all keys decrypt. To rotate, add a new key at the top and remove the last one once
every cookie encrypted with it has expired.

Invariant: no key and no decrypted value in an error or a ``repr``. Knows nothing of requests and decisions.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from server.files.bounded_file import read_bounded
from targeting.signals.nap import Nap, parse_nap, render_nap
from targeting.signals.unreadable import Unreadable

MAX_TOKEN_LENGTH: Final = 4096
"""Characters. Longer cookies are not decrypted: browsers need not keep more (RFC 6265 section 6.1)."""

_LARGEST_FILE: Final = 1 << 20
_REMEDY: Final = "set ADTARGETING_NAP_KEYS (or --keys) to a key file"
_KEY: Final = re.compile(r"[A-Za-z0-9_-]{43}=")


class NapKeyError(ValueError):
    """The key file cannot be used. The message names the file and the line, never its content."""


class NapCipher:
    """Encrypts and decrypts ``NAP`` cookies. Threads may share it.

    ``on_failure`` is called for each cookie that cannot be decrypted or parsed; it receives no value.
    """

    __slots__ = ("_fernet", "_key_count", "_on_failure")

    def __init__(self, keys: Sequence[str], on_failure: Callable[[], None]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys])
        self._key_count = len(keys)
        self._on_failure = on_failure

    def __repr__(self) -> str:
        """Return the number of keys only."""
        return f"NapCipher({self._key_count} keys)"

    def encrypt(self, value: Nap) -> str:
        """Return the cookie value. Raises ``ValueError`` when a field is not in its normal form."""
        return self._fernet.encrypt(render_nap(value)).decode("ascii")

    def decrypt(self, token: str) -> Nap | None:
        """Return the decrypted cookie, or None if it is empty or unreadable; unreadable ones are counted."""
        if not token:
            return None
        try:
            return parse_nap(self._plaintext(token))
        except (InvalidToken, Unreadable):
            self._on_failure()
            return None

    def _plaintext(self, token: str) -> bytes:
        # For non-ASCII text the library raises another error, whose message contains the text.
        if len(token) > MAX_TOKEN_LENGTH or not token.isascii():
            raise InvalidToken
        return self._fernet.decrypt(token)


def read_keys(path: Path) -> tuple[str, ...]:
    """Read a key file. Raises ``NapKeyError`` when it is unreadable, holds no key, or a line is not a key."""
    if _KEY.fullmatch(str(path)):
        # Or the key would stand in the log, as the name of a file that does not exist.
        raise NapKeyError(f"a key was given where the name of a key file belongs; {_REMEDY}")
    try:
        lines = read_bounded(path, _LARGEST_FILE).decode("utf-8").splitlines()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise NapKeyError(f"{path}: cannot read the key file: {reason}; {_REMEDY}") from None
    keys = []
    for number, line in enumerate(lines, 1):
        key = line.partition("#")[0].strip()
        if key and not _KEY.fullmatch(key):
            raise NapKeyError(f"{path}, line {number}: not a key; a key is 32 bytes in URL-safe base64")
        keys += [key] if key else []
    if not keys:
        raise NapKeyError(f"{path}: contains no key; {_REMEDY}")
    return tuple(keys)
