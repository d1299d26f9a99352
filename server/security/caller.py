"""Who makes a call, as far as the service knows.

A caller is named by the clients file; without that file every caller is anonymous. Knows nothing of how a caller
proves its name.
"""

from typing import Final, NamedTuple

_OWN: Final = "internal:"
"""No client of the file has a colon in its name, so none is taken for a part of the service."""


class Caller(NamedTuple):
    """The maker of one call. Either part may be empty, for example both of a call over a Unix socket."""

    name: str = ""
    """The client's name in the clients file; empty for an anonymous caller."""
    connection: str = ""
    """The address of its connection (``host:port``); never logged."""

    @property
    def share(self) -> str:
        """Whose share of the room and of rates a call counts against: the client's, else its connection's."""
        return self.name or self.connection

    @property
    def is_own(self) -> bool:
        """Whether the service itself calls, so that the call counts in no metric of decisions."""
        return self.name.startswith(_OWN)


ANONYMOUS: Final = Caller()


def client_name(share: str) -> str:
    """Return the client's name in a share, or the service's part; empty for a connection, whose address has a colon."""
    return share if ":" not in share or share.startswith(_OWN) else ""


def own_caller(part: str) -> Caller:
    """Return the caller that a part of the service is, such as ``internal:pages``."""
    return Caller(_OWN + part)
