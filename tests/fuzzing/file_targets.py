"""Targets for files and certificates: what the service is given to read is refused in one line, or read whole."""

import ssl
import tempfile
from pathlib import Path

from server.geo.ip_location import GeoDatabaseError, open_locator
from server.keys.nap import NapKeyError, read_keys
from server.keys.secret_key import KeyFile
from server.security.certificates import facts_of
from server.security.clients import Clients
from server.security.clients_file import load_clients
from server.settings import Settings, SettingsError, read_settings
from server.web.links import read_links
from targeting.signals.tcf.vendor_list import parse_vendor_list
from targeting.signals.unreadable import Unreadable
from tests.fuzzing.attempt import attempt
from tests.fuzzing.signal_targets import text_of

_TELLING = 16
"""Shorter texts may stand in a message by chance."""
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


def country_database(data: bytes) -> None:
    """A database in MaxMind format is refused, or finds a place or none for every address."""
    path = _file("countries.mmdb", data)
    locator = attempt(lambda: open_locator(str(path)), GeoDatabaseError)
    if isinstance(locator, GeoDatabaseError):
        assert len(str(locator).splitlines()) == 1
        return
    for address in ("8.8.8.8", "81.2.69.160", "2001:4860:4860::8888", "10.0.0.1", "", "nowhere"):
        place = locator.locate(address)
        assert len(place.country) in {0, 2}
    assert locator.built_at_s >= 0


def key_files(data: bytes) -> None:
    """A file with a secret key, or with the keys of NAP cookies, is refused without a byte of it, or is one."""
    path = _file("key", data)
    secret = attempt(KeyFile(path, "ADTARGETING_SECRET_KEY_FILE", named=True).read, SettingsError)
    nap = attempt(lambda: read_keys(path), NapKeyError)
    for refused in (secret, nap):
        if isinstance(refused, Exception):
            assert len(str(refused).splitlines()) == 1
            assert len(data) < _TELLING or text_of(data).strip() not in str(refused)


def web_links(data: bytes) -> None:
    """The links of the pages are refused in the name of their setting, or lead to http or https alone."""
    path = _file("links.toml", data)
    links = attempt(lambda: read_links(str(path)), SettingsError)
    if isinstance(links, SettingsError):
        assert str(links).startswith("ADTARGETING_WEB_LINKS: ")
        return
    for url in (links.statement, links.sign_in, *(url for place in links.places for url in place.url.values())):
        assert url is None or url.startswith(("http://", "https://"))


def _file(name: str, data: bytes) -> Path:
    path = Path(_FOLDER.name, name)
    path.write_bytes(data)
    return path
