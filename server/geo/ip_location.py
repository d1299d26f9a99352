"""IP address → country and subdivision, from the operator's database or the bundled table.

Invariant: a locator never changes and never raises for an address; an address it cannot locate is unknown. A new
database is a new locator, which ``SwappableLocator`` swaps in while calls are in flight. Knows nothing of requests
and of what a location is used for.
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
    """A source of locations."""

    def locate(self, ip_text: str) -> IpLocation:
        """Return the location of an address; unknown for malformed, private, special and unlisted ones."""


class MaxMindLocator:
    """A file in MaxMind format (City, Country, Enterprise, …), read by maxminddb's C reader through a memory map.

    The country is the record's ``country``, where the address is used. ``registered_country``, where its owner is
    registered, is ignored: it does not describe the person. Threads may share the reader.

    To replace the file under a running service, rename a new one over it: what is written into the mapped file
    changes under the reader.
    """

    __slots__ = ("_look_up",)

    def __init__(self, path: str) -> None:
        reader = _open(path)
        # Decoding a record of the City edition, with names in eight languages, takes 10 µs.
        self._look_up = lru_cache(_ADDRESSES_KEPT)(partial(_look_up, reader, reader.metadata().ip_version))

    def locate(self, ip_text: str) -> IpLocation:
        """Return the location of an address; unknown for malformed, private, special and unlisted ones."""
        return self._look_up(ip_text) if len(ip_text) <= MAX_IP_LENGTH else UNKNOWN_LOCATION


class SwappableLocator:
    """The current locator. A call in flight ends on the locator it began with."""

    __slots__ = ("_current",)

    def __init__(self, current: IpLocator) -> None:
        self._current = current

    def locate(self, ip_text: str) -> IpLocation:
        """Return the location by the current locator."""
        return self._current.locate(ip_text)

    def replace(self, successor: IpLocator) -> None:
        """Use ``successor`` from now on."""
        self._current = successor


def open_locator(path: str) -> IpLocator:
    """Open the database at ``path``, or the bundled table if it is empty. Raises ``GeoDatabaseError``."""
    return MaxMindLocator(path) if path else load_country_table()


def _open(path: str) -> maxminddb.Reader:
    try:
        reader = maxminddb.open_database(path, maxminddb.MODE_MMAP_EXT)
        has_countries = any(_location_in(record).country for _, record in islice(reader, _NETWORKS_PROBED))
    except OSError as error:
        raise GeoDatabaseError(f"{_SETTING}: cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        # An impossible path, or an installation of maxminddb without its C reader.
        raise GeoDatabaseError(f"{_SETTING}: cannot open the file: {error}") from error
    except maxminddb.InvalidDatabaseError as error:
        raise GeoDatabaseError(f"{_SETTING}: {path} is damaged or not in MaxMind format") from error
    if not has_countries:
        raise GeoDatabaseError(f"{_SETTING}: {path} contains no countries")
    return reader


def _look_up(reader: maxminddb.Reader, ip_version: int, ip_text: str) -> IpLocation:
    ip = parse_ip(ip_text)
    if ip is None or not is_public(ip) or (len(ip) == 16 and ip_version == 4):
        return UNKNOWN_LOCATION
    try:
        return _location_in(reader.get(format_ip(ip)))
    except maxminddb.InvalidDatabaseError:
        # Damage that opening does not detect. A decision never fails for lack of a country.
        return UNKNOWN_LOCATION


def _location_in(record: object) -> IpLocation:
    """Return country and first subdivision of a record, in MaxMind's form or the flat form of other makers."""
    if not isinstance(record, dict):
        return UNKNOWN_LOCATION
    country = record.get("country", record.get("country_code"))
    subdivisions = record.get("subdivisions")
    subdivision = _code_in(subdivisions[0]) if isinstance(subdivisions, list) and subdivisions else ""
    return location_of(country if isinstance(country, str) else _code_in(country), subdivision)


def _code_in(region: object) -> str:
    code = region.get("iso_code") if isinstance(region, dict) else None
    return code if isinstance(code, str) else ""
