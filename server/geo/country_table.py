"""IP address → country from the table in the package ``geoip2fast``, for operators without a database.

The table is MaxMind's GeoLite2 Country in the package's data format 120: a gzipped pickle of
``[version, about, number of networks, [_, names, first addresses, name indices, prefix lengths]]``. The last three
are parallel lists of chunks, IPv4 before IPv6, in order of address.

The package is never imported: importing it sets ``PYTHONWARNINGS=ignore`` and ``PYTHONIOENCODING`` for the process
and its children, and its own look-up is several times slower and takes ten times the memory.

Invariant: a table is immutable once built, so threads may share it. Knows nothing of requests.
"""

import gzip
import pickle
import re
import zlib
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from itertools import chain, islice, repeat
from operator import rshift
from pathlib import Path
from typing import IO, Any, Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from server.memory import return_freed_memory
from targeting.places.geo import UNKNOWN_LOCATION, IpLocation, location_of, parse_ip

_Numbers: TypeAlias = npt.NDArray[Any]
_File: TypeAlias = IO[bytes] | gzip.GzipFile

_PACKAGE: Final = "geoip2fast"
_FILE: Final = "geoip2fast-ipv6.dat.gz"
_VERSION: Final = 120
_DATE: Final = re.compile(r"\d{8}$")
_FIRST_IPV6: Final = 1 << 32
_REMEDY: Final = "set ADTARGETING_GEO_DB to a file in MaxMind format, or reinstall the package"


class GeoDatabaseError(Exception):
    """The country database cannot be used. The message is one line and names the setting."""


class Ranges(NamedTuple):
    """Address ranges: range ``index`` begins at ``starts[index]`` (the first at 0) and ends before the next start."""

    starts: "array[int]"
    location_indices: bytes


class _Networks(NamedTuple):
    """Networks in order of address: first address (64 bits of IPv6), prefix length, index of the name."""

    ipv4_count: int
    starts: _Numbers
    lengths: _Numbers
    name_indices: _Numbers


class CountryTable:
    """Countries by address range: whole IPv4 addresses, and the first 64 bits of IPv6 addresses.

    An IPv6 network longer than /64, the size of one subnet (RFC 4291 section 2.5.4), counts as the /64 around it.
    """

    __slots__ = ("_ipv4", "_ipv6", "_locations", "built_at_s")

    def __init__(self, ipv4: Ranges, ipv6: Ranges, locations: Sequence[IpLocation], built_at_s: float = 0.0) -> None:
        """``built_at_s`` is when the table was built, in seconds since 1970; 0 if it does not say."""
        self.built_at_s = built_at_s
        self._ipv4 = ipv4
        self._ipv6 = ipv6
        self._locations = tuple(locations)

    def locate(self, ip_text: str) -> IpLocation:
        """Return the country of an address; unknown for private, special, malformed and unlisted ones."""
        ip = parse_ip(ip_text)
        if ip is None:
            return UNKNOWN_LOCATION
        starts, location_indices = self._ipv4 if len(ip) == 4 else self._ipv6
        return self._locations[location_indices[bisect_right(starts, int.from_bytes(ip[:8], "big")) - 1]]


def load_country_table() -> CountryTable:
    """Build the table from the installed package, in about 0.3 s. Raises ``GeoDatabaseError``."""
    package = find_spec(_PACKAGE)
    if package is None or not package.submodule_search_locations:
        raise GeoDatabaseError(f"the package {_PACKAGE} is not installed: {_REMEDY}")
    path = Path(package.submodule_search_locations[0]) / _FILE
    try:
        with gzip.open(path) as file:
            table = read_country_table(file)
    except (OSError, EOFError, ValueError, TypeError, LookupError, zlib.error, pickle.UnpicklingError) as error:
        raise GeoDatabaseError(f"{path} cannot be used ({type(error).__name__}): {_REMEDY}") from error
    # Building takes 20 MiB of small objects, which the allocator would keep.
    return_freed_memory()
    return table


def read_country_table(file: _File) -> CountryTable:
    """Build the table from uncompressed data. Raises ``ValueError`` and what ``pickle`` raises."""
    description, names, networks = _networks(file)
    locations, location_of_name = _index_locations(names)
    ipv4, ipv6 = slice(networks.ipv4_count), slice(networks.ipv4_count, None)
    location_indices = location_of_name[networks.name_indices]
    return CountryTable(
        _ranges(np.uint32, networks.starts[ipv4], 32 - networks.lengths[ipv4], location_indices[ipv4]),
        _ranges(np.uint64, networks.starts[ipv6], 64 - networks.lengths[ipv6], location_indices[ipv6]),
        locations,
        _built_at_s(description),
    )


def _built_at_s(description: object) -> float:
    """Return the date at the end of ``MAXMIND:GeoLite2-Country-IPv4IPv6-en-20240618`` in seconds since 1970, or 0."""
    info = description.get("info") if isinstance(description, dict) else None
    found = _DATE.search(info) if isinstance(info, str) else None
    try:
        return datetime.strptime(found[0], "%Y%m%d").replace(tzinfo=UTC).timestamp() if found else 0.0
    except ValueError:
        return 0.0


def _networks(file: _File) -> tuple[object, Sequence[str], _Networks]:
    """Read description, names and networks. The 50 MiB of Python lists are freed on return."""
    version, description, count, (_, names, chunks, name_indices, lengths) = _PlainUnpickler(file).load()
    if version != _VERSION:
        raise ValueError("a data format of another version")
    ipv4_count = sum(bisect_left(chunk, _FIRST_IPV6) for chunk in chunks)
    addresses = chain.from_iterable(chunks)
    # No Python code runs for a network: there are 788,000.
    starts = chain(islice(addresses, ipv4_count), map(rshift, addresses, repeat(64)))
    return (
        description,
        names,
        _Networks(
            ipv4_count,
            np.fromiter(starts, np.uint64, count),
            np.fromiter(chain.from_iterable(lengths), np.int16, count),
            np.fromiter(chain.from_iterable(name_indices), np.uint16, count),
        ),
    )


class _PlainUnpickler(pickle.Unpickler):
    """Reads numbers, strings and lists. A pickle that refers to a class or function is refused."""

    def find_class(self, *_: str) -> Any:
        raise pickle.UnpicklingError("plain data only")


def _index_locations(names: Sequence[str]) -> tuple[Sequence[IpLocation], _Numbers]:
    """Return the locations, and for each name (``GB:United Kingdom``) the index of its location."""
    named = [location_of(name.partition(":")[0], "") for name in names]
    locations = list(dict.fromkeys([UNKNOWN_LOCATION, *named]))
    return locations, np.array([locations.index(location) for location in named], np.uint8)


def _ranges(
    width: type[np.unsignedinteger[Any]], starts: _Numbers, host_bits: _Numbers, location_indices: _Numbers
) -> Ranges:
    """Turn networks into ranges. Gaps become ranges of unknown location; equal neighbours are merged."""
    ends = starts + (np.uint64(1) << np.maximum(host_bits, 0).astype(np.uint64))
    gaps = ends[:-1][ends[:-1] < starts[1:]]
    # Unless the last network includes the last address, a gap follows it.
    rest = ends[-1:][ends[-1:] - 1 < np.iinfo(width).max]
    starts = np.concatenate([np.zeros(1, np.uint64), starts, gaps, rest])
    location_indices = np.concatenate(
        [np.zeros(1, np.uint8), location_indices, np.zeros(len(gaps) + len(rest), np.uint8)]
    )
    order = np.argsort(starts, kind="stable")
    starts, location_indices = starts[order], location_indices[order]
    changes = np.append(np.True_, location_indices[1:] != location_indices[:-1])
    return Ranges(
        array(np.dtype(width).char, starts[changes].astype(width).tobytes()), location_indices[changes].tobytes()
    )
