"""Targets for files and certificates: settings, clients, vendor list; refused in one line, or read whole."""

import ssl
import tempfile
from pathlib import Path

from server.security.certificates import facts_of
from server.security.clients import Clients
from server.security.clients_file import load_clients
from server.settings import Settings, SettingsError, read_settings
from targeting.signals.tcf.vendor_list import parse_vendor_list
from targeting.signals.unreadable import Unreadable
from tests.fuzzing.attempt import attempt

_FOLDER = tempfile.TemporaryDirectory(prefix="adt-fuzzing-")


def certificate(data: bytes) -> None:
    """A certificate has names, or none; those of a client are texts, its hosts in lower case."""
    pem = data if data.startswith(b"-----") else ssl.DER_cert_to_PEM_cert(data).encode()
    facts = facts_of(pem)
    assert all("://" in name or name == name.lower() for name in facts.names)
    assert facts.expires_s or not facts.names


def clients_file(data: bytes) -> None:
    """A clients file gives every credential to one client, or is refused in one line without a value of it."""
    path = _file("clients.toml", data)
    clients = attempt(lambda: load_clients(path), SettingsError)
    assert isinstance(clients, Clients) or len(str(clients).splitlines()) == 1


def settings_file(data: bytes) -> None:
    """A settings file is read within the bounds of every setting, or refused in one line that names the setting."""
    path = _file("settings.toml", data)
    settings = attempt(lambda: read_settings({}, path), SettingsError)
    if isinstance(settings, Settings):
        assert 1 <= settings.max_inflight <= 1_000_000
    else:
        assert str(settings).startswith(("--config: ", "ADTARGETING_")) or "unknown setting" in str(settings)
        assert len(str(settings).splitlines()) == 1


def vendor_list(data: bytes) -> None:
    """A vendor list is refused by the path of its first wrong member, or has declarations within their masks."""
    vendors = attempt(lambda: parse_vendor_list(data), Unreadable)
    if isinstance(vendors, Unreadable):
        return
    assert 1 <= vendors.vendor_list_version <= 4095
    for number, declared in vendors.vendors.items():
        assert 1 <= number <= 65_535
        assert declared.flexible_purposes & ~(declared.purposes | declared.leg_int_purposes) == 0
        assert max(declared) < 1 << 25


def _file(name: str, data: bytes) -> Path:
    path = Path(_FOLDER.name, name)
    path.write_bytes(data)
    return path
