"""The doors of one process: what the listeners need to let callers in, made from the settings."""

from collections.abc import Mapping
from math import nan
from typing import Final, NamedTuple

from server.security.admission import Admission
from server.security.current_clients import CurrentClients
from server.security.exposure import is_unix
from server.security.tls import CurrentTls, tls_files
from server.settings import Settings

NO_CERTIFICATES: Final[Mapping[str, float]] = {"server": nan, "client_ca": nan}


class Doors(NamedTuple):
    """Who is let in, and the TLS files; None without TLS."""

    admission: Admission
    tls: CurrentTls | None
    clients: CurrentClients | None
    socket_mode: int = 0o660
    """The permissions of Unix sockets."""

    def tls_at(self, address: str) -> CurrentTls | None:
        """Return what a listener at this address serves TLS with; None for plaintext, as at every Unix socket."""
        return None if is_unix(address) else self.tls

    def certificate_ends_s(self) -> Mapping[str, float]:
        """Return when certificates expire, in seconds since 1970, by what they are for; NaN where there is none."""
        if self.tls is None:
            return NO_CERTIFICATES
        material = self.tls.material
        return {"server": material.certificate_ends_s(), "client_ca": material.client_ca_ends_s()}

    def reload(self) -> None:
        """Read all files again."""
        for part in (self.clients, self.tls):
            if part is not None:
                part.reload()

    def reload_if_changed(self) -> None:
        """Read the files again that have changed."""
        for part in (self.clients, self.tls):
            if part is not None:
                part.reload_if_changed()


def protection(address: str, doors: Doors) -> str:
    """Return how the listener at an address is protected, for the start line."""
    plain = "Unix socket" if is_unix(address) else "plaintext"
    kind = "TLS" if doors.tls_at(address) else plain
    return kind if doors.admission.is_open else f"{kind}, clients"


def open_to_all() -> Doors:
    """Return doors without TLS and without a clients file."""
    return Doors(Admission(), None, None)


def open_doors(settings: Settings) -> Doors:
    """Return the doors of the settings. Raises ``SettingsError`` for files that cannot be used."""
    files = tls_files(settings)
    clients = CurrentClients(settings.clients) if settings.clients else None
    tls = None if files is None else CurrentTls(files)
    return Doors(Admission(clients), tls, clients, int(settings.socket_mode, 8))
