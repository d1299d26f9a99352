"""Looking up host names within a time, on threads of their own: the system's lookup can be neither bounded nor stopped.

Invariant: at most one lookup of a name is under way in a process, however many wait for it; those who give up leave it
to the next.
"""

import socket
import threading

from server.store.ports import StoreTimeout

_LOCK = threading.Lock()
_UNDER_WAY: "dict[str, _Lookup]" = {}


def look_up(host: str, timeout_s: float) -> list[str]:
    """Return the addresses of a host, as texts, in the order to try them. Raises ``OSError``, ``StoreTimeout``."""
    with _LOCK:
        lookup = _UNDER_WAY.get(host)
        if lookup is None:
            lookup = _UNDER_WAY[host] = _Lookup(host)
            # A daemon: it must not keep the process from ending.
            threading.Thread(target=lookup.run, name="name-lookup", daemon=True).start()
    if not lookup.done.wait(timeout_s):
        raise StoreTimeout("the host name of the store was not resolved in time")
    if lookup.error is not None:
        raise lookup.error
    return lookup.addresses


class _Lookup:
    """One lookup, and how it ended."""

    def __init__(self, host: str) -> None:
        self._host = host
        self.done = threading.Event()
        self.addresses: list[str] = []
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            found = socket.getaddrinfo(self._host, None, type=socket.SOCK_STREAM)
            self.addresses = [str(address[0]) for *_, address in found]
        except Exception as error:  # noqa: BLE001  # whatever it is, those who wait must learn of it
            self.error = error
        finally:
            with _LOCK:
                del _UNDER_WAY[self._host]
            self.done.set()
