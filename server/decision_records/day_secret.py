"""The secret of the day, from which the groups of people in decision records are made. It is never stored."""

import secrets
from typing import Final

_DAY_S: Final = 86_400
_SECRET_BYTES: Final = 32


class DaySecret:
    """A secret in the memory of this process; on the next day (UTC) it is replaced, and the old one is gone."""

    def __init__(self) -> None:
        self._day = -1
        self._secret = b""

    def on(self, now_s: float) -> bytes:
        """Return the secret of a day, at a time in Unix seconds."""
        day = int(now_s // _DAY_S)
        if day != self._day:
            self._day, self._secret = day, secrets.token_bytes(_SECRET_BYTES)
        return self._secret

    def __repr__(self) -> str:
        """Show nothing of it."""
        return "DaySecret()"
