"""The ``NAP`` cookie's encryption: Fernet tokens under keys that rotate.

The keys are in a file, one a line (32 bytes in URL-safe base64, as ``Fernet.generate_key`` writes them); ``#`` starts
a comment. The first key encrypts, all of them decrypt. To rotate, put a new key on top, and drop the last one when
every cookie that it encrypted has expired.

Invariant: no key and no decrypted value in an error or a ``repr``. Knows nothing of requests and decisions.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from targeting.signals.nap import Nap, parse_nap, render_nap
from targeting.signals.unreadable import Unreadable

MAX_TOKEN_LENGTH: Final = 4096
"""Characters of the longest cookie that is decrypted; browsers keep no longer one (RFC 6265 section 6.1)."""

_REMEDY: Final = "by ADTARGETING_NAP_KEYS (or --keys)"
_KEY: Final = re.compile(r"[A-Za-z0-9_-]{43}=")


class NapKeyError(ValueError):
    """The key file cannot be used. The message names the file and the line, never its content."""


class NapCipher:
    """Encrypts and decrypts ``NAP`` cookies; safe to share between threads.

    ``on_failure`` is called, without a value, for each cookie that does not decrypt or that holds no readable text.
    """

    __slots__ = ("_fernet", "_key_count", "_on_failure")

    def __init__(self, keys: Sequence[str], on_failure: Callable[[], None]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys])
        self._key_count = len(keys)
        self._on_failure = on_failure

    def __repr__(self) -> str:
        """Show how many keys there are."""
        return f"NapCipher({self._key_count} keys)"

    def encrypt(self, value: Nap) -> str:
        """Make the cookie's value. Raises ``ValueError`` when a field is not in its normal form."""
        return self._fernet.encrypt(render_nap(value)).decode("ascii")

    def decrypt(self, token: str) -> Nap | None:
        """Read the cookie's value; None for an empty one, and, counted, for one that cannot be read."""
        if not token:
            return None
        try:
            return parse_nap(self._plaintext(token))
        except (InvalidToken, Unreadable):
            self._on_failure()
            return None

    def _plaintext(self, token: str) -> bytes:
        # What is not ASCII is an error of another kind to the library, and the person's text would be in it.
        if len(token) > MAX_TOKEN_LENGTH or not token.isascii():
            raise InvalidToken
        return self._fernet.decrypt(token)


def read_keys(path: Path) -> tuple[str, ...]:
    """Read a key file. Raises ``NapKeyError`` when it cannot be read, holds no key or a line that is none."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise NapKeyError(f"{path}: cannot be read as a key file: {reason}; name one {_REMEDY}") from None
    keys = []
    for number, line in enumerate(lines, 1):
        key = line.partition("#")[0].strip()
        if key and not _KEY.fullmatch(key):
            raise NapKeyError(f"{path}, line {number}: not a key (32 bytes in URL-safe base64)")
        keys += [key] if key else []
    if not keys:
        raise NapKeyError(f"{path}: holds no key; name a key file {_REMEDY}")
    return tuple(keys)
