"""IP address → country and subdivision, from whichever database the operator has.

Invariant: a locator never changes and never fails on an address; what it does not know is unknown. A new
database is a new locator, which ``SwappableLocator`` puts in the old one's place while calls are under way. Knows
nothing of requests and of what a location is used for.
"""

from functools import lru_cache, partial
from itertools import islice
from typing import Final, Protocol

import maxminddb

from server.geo.country_table import GeoDatabaseError, load_country_table
from targeting.places.geo import (
    MAX_IP_LENGTH,
    UNKNOWN_LOCATION,
    IpLocation,
    format_ip,
    is_public,
    location_of,
    parse_ip,
)

__all__ = ["GeoDatabaseError", "IpLocator", "MaxMindLocator", "SwappableLocator", "open_locator"]

_SETTING: Final = "ADTARGETING_GEO_DB"
_NETWORKS_PROBED: Final = 4096
_ADDRESSES_KEPT: Final = 8192


class IpLocator(Protocol):
    """Whatever can say where an address is used."""

    def locate(self, ip_text: str) -> IpLocation:
        """Give the place of an address; unknown for malformed, private, special and unlisted ones."""


class MaxMindLocator:
    """A file in MaxMind format (City, Country, Enterprise, …), read by maxminddb's C reader through a memory map.

    The country is ``country``: where the address is used. ``registered_country`` (where its owner is registered)
    is no substitute: it says nothing of the person. The reader may be shared between threads.

    To replace the file under a running service, rename a new one over it: what is written into the mapped file
    changes under the reader.
    """

    __slots__ = ("_look_up",)

    def __init__(self, path: str) -> None:
        reader = _open(path)
        # A record of the City edition takes 10 µs to decode, names in eight languages and all.
        self._look_up = lru_cache(_ADDRESSES_KEPT)(partial(_look_up, reader, reader.metadata().ip_version))

    def locate(self, ip_text: str) -> IpLocation:
        """Give the place of an address; unknown for malformed, private, special and unlisted ones."""
        return self._look_up(ip_text) if len(ip_text) <= MAX_IP_LENGTH else UNKNOWN_LOCATION


class SwappableLocator:
    """The locator of the moment; a call that is under way ends on the locator that it began with."""

    __slots__ = ("_current",)

    def __init__(self, current: IpLocator) -> None:
        self._current = current

    def locate(self, ip_text: str) -> IpLocation:
        """Ask the locator of the moment."""
        return self._current.locate(ip_text)

    def replace(self, successor: IpLocator) -> None:
        """Ask ``successor`` from now on."""
        self._current = successor


def open_locator(path: str) -> IpLocator:
    """Open the database at ``path``, or the bundled table of countries if empty. Raises ``GeoDatabaseError``."""
    return MaxMindLocator(path) if path else load_country_table()


def _open(path: str) -> maxminddb.Reader:
    try:
        reader = maxminddb.open_database(path, maxminddb.MODE_MMAP_EXT)
        has_countries = any(_location_in(record).country for _, record in islice(reader, _NETWORKS_PROBED))
    except OSError as error:
        raise GeoDatabaseError(f"{_SETTING}: {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        # A path that cannot be one, or an installation of maxminddb without its C reader.
        raise GeoDatabaseError(f"{_SETTING}: cannot be opened: {error}") from error
    except maxminddb.InvalidDatabaseError as error:
        raise GeoDatabaseError(f"{_SETTING}: {path} is damaged or not in MaxMind format") from error
    if not has_countries:
        raise GeoDatabaseError(f"{_SETTING}: {path} holds no countries")
    return reader


def _look_up(reader: maxminddb.Reader, ip_version: int, ip_text: str) -> IpLocation:
    ip = parse_ip(ip_text)
    if ip is None or not is_public(ip) or (len(ip) == 16 and ip_version == 4):
        return UNKNOWN_LOCATION
    try:
        return _location_in(reader.get(format_ip(ip)))
    except maxminddb.InvalidDatabaseError:
        # Damage that opening could not see. A decision never fails for want of a country.
        return UNKNOWN_LOCATION


def _location_in(record: object) -> IpLocation:
    """Find country and first subdivision in a record, in MaxMind's form or a plainer one of other makers."""
    if not isinstance(record, dict):
        return UNKNOWN_LOCATION
    country = record.get("country", record.get("country_code"))
    subdivisions = record.get("subdivisions")
    subdivision = _code_in(subdivisions[0]) if isinstance(subdivisions, list) and subdivisions else ""
    return location_of(country if isinstance(country, str) else _code_in(country), subdivision)


def _code_in(place: object) -> str:
    code = place.get("iso_code") if isinstance(place, dict) else None
    return code if isinstance(code, str) else ""
