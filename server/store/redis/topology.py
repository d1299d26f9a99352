"""Where the primary is: named by the URL, or asked of sentinels. Each new connection asks again."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from server.files.bounded_file import read_bounded
from server.store.ports import StoreUnavailable
from server.store.redis.url import RedisAddress

_MAX_PASSWORD_BYTES = 4096


class Address(Protocol):
    """The address of a store, of whatever topology. Shows neither user nor password."""

    def resolve(self) -> RedisAddress:
        """Return where the primary is now, and how to log in there. Raises ``StoreError``."""
        ...


@dataclass(frozen=True, slots=True)
class PasswordFromFile:
    """Another address, whose password is read from a file for every connection, so that it can be rotated."""

    address: Address
    path: Path

    def resolve(self) -> RedisAddress:
        """Return the address with the password of the file. Raises ``StoreUnavailable``."""
        try:
            password = read_bounded(self.path, _MAX_PASSWORD_BYTES).decode("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise StoreUnavailable("the password of the store cannot be read from its file") from None
        return replace(self.address.resolve(), password=password)

    def __str__(self) -> str:
        """Return the other address."""
        return str(self.address)
