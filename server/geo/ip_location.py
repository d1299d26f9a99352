"""IP address → country and subdivision, from the operator's database or the bundled table.

Invariant: a locator never changes and never raises for an address; an address it cannot locate is unknown.
``server.geo.location_database`` replaces one by another. Knows nothing of requests and of what a location is used for.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final, Protocol

import maxminddb

from server.files.bounded_file import read_bounded
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

__all__ = ["GeoDatabaseError", "IpLocator", "Locator", "MaxMindLocator", "open_locator"]

_SETTING: Final = "ADTARGETING_GEO_DB"
_NETWORKS_PROBED: Final = 4096
_SPACES: Final = (IPv4Network("0.0.0.0/0"), IPv6Network("2000::/3"))
_ADDRESSES_KEPT: Final = 8192
_LARGEST_FILE: Final = 1 << 30
_READ_TIMEOUT_S: Final = 60.0


class IpLocator(Protocol):
    """A source of locations."""

    def locate(self, ip_text: str) -> IpLocation:
        """Return the location of an address; unknown for malformed, private, special and unlisted ones."""


class Locator(IpLocator, Protocol):
    """A database of locations."""

    @property
    def built_at_s(self) -> float:
        """When the database was built, in seconds since 1970; 0 if it does not say."""


class MaxMindLocator:
    """A file in MaxMind format (City, Country, Enterprise, …), copied into memory and read by maxminddb's C reader.

    The country is the record's ``country``, where the address is used. ``registered_country``, where its owner is
    registered, is ignored: it does not describe the person. Threads may share the reader.

    The C reader maps what it reads, and a mapped file that is truncated kills the process (SIGBUS). Hence the copy.
    """

    __slots__ = ("_look_up", "built_at_s")

    def __init__(self, path: str) -> None:
        reader = _open(path)
        # Decoding a record of the City edition, with names in eight languages, takes 10 µs.
        self._look_up = lru_cache(_ADDRESSES_KEPT)(partial(_look_up, reader, reader.metadata().ip_version))
        self.built_at_s = float(reader.metadata().build_epoch)

    def locate(self, ip_text: str) -> IpLocation:
        """Return the location of an address; unknown for malformed, private, special and unlisted ones."""
        return self._look_up(ip_text) if len(ip_text) <= MAX_IP_LENGTH else UNKNOWN_LOCATION


def open_locator(path: str) -> Locator:
    """Open the database at ``path``, or the bundled table if it is empty. Raises ``GeoDatabaseError``."""
    return MaxMindLocator(path) if path else load_country_table()


def _open(path: str) -> maxminddb.Reader:
    try:
        with _unshared_file(read_bounded(Path(path), _LARGEST_FILE, _READ_TIMEOUT_S)) as copy:
            reader = maxminddb.open_database(copy, maxminddb.MODE_MMAP_EXT)
        has_countries = any(_location_in(record).country for record in _records(reader))
    except OSError as error:
        raise GeoDatabaseError(f"{_SETTING}: cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        # An installation of maxminddb without its C reader.
        raise GeoDatabaseError(f"{_SETTING}: cannot open the file: {error}") from error
    except maxminddb.InvalidDatabaseError as error:
        raise GeoDatabaseError(f"{_SETTING}: {path} is damaged or not in MaxMind format") from error
    if not has_countries:
        raise GeoDatabaseError(f"{_SETTING}: {path} contains no countries")
    return reader


def _records(reader: maxminddb.Reader) -> Iterator[object]:
    """Yield the records of the first networks, of IPv4 and of the public part of IPv6; None for gaps between them.

    Each is looked up, as the C reader's iterator writes beyond its memory, or never ends, where a damaged tree has a
    cycle. A look-up takes no more steps than an address has bits.
    """
    for space in _SPACES[: 1 if reader.metadata().ip_version == 4 else None]:
        address, last, bits = int(space[0]), int(space[-1]), space.max_prefixlen
        for _ in range(_NETWORKS_PROBED):
            if address > last:
                break
            record, prefix_length = reader.get_with_prefix_len(ip_address(address.to_bytes(bits // 8)))
            yield record
            host_bits = bits - min(max(prefix_length, 0), bits)
            address = ((address >> host_bits) + 1) << host_bits


@contextmanager
def _unshared_file(content: bytes) -> Iterator[str]:
    """Yield the path of a file that no other process changes. What maps it may do so after the path has gone."""
    if hasattr(os, "memfd_create"):
        with os.fdopen(os.memfd_create("country-database"), "wb") as file:
            file.write(content)
            file.flush()
            yield f"/proc/self/fd/{file.fileno()}"
    else:
        with NamedTemporaryFile(prefix="adt-") as file:
            file.write(content)
            file.flush()
            yield file.name


def _look_up(reader: maxminddb.Reader, ip_version: int, ip_text: str) -> IpLocation:
    ip = parse_ip(ip_text)
    if ip is None or not is_public(ip) or (len(ip) == 16 and ip_version == 4):
        return UNKNOWN_LOCATION
    try:
        return _location_in(reader.get(format_ip(ip)))
    except (maxminddb.InvalidDatabaseError, ValueError):
        # Damage that opening does not detect, of the tree or of a text. A decision never fails for lack of a country.
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
