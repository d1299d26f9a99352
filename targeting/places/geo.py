"""IP addresses and positions: reading them, coarsening them, and the location that a database returns.

Invariant: an ``IpAddress`` has 4 bytes or 16 and is never an IPv4-mapped IPv6 address; the result of ``mask_ip``
has no bit beyond the mask. From ``socket`` only the conversion of text is used; nothing here opens a socket.
"""

from bisect import bisect_right
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from ipaddress import ip_network
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import Final, NamedTuple, NewType

from targeting.places.iso3166_2 import SUBDIVISIONS
from targeting.places.locale import parse_place

IpAddress = NewType("IpAddress", bytes)
"""An address in network byte order: 4 bytes for IPv4, 16 for IPv6."""


class IpLocation(NamedTuple):
    """A location: ISO 3166-1 alpha-2 or ``EU`` (somewhere in Europe), and ISO 3166-2 (``GB-ENG``); empty if unknown."""

    country: str
    subdivision: str


UNKNOWN_LOCATION: Final = IpLocation("", "")
MAX_IP_LENGTH: Final = 45
"""Characters of the longest address: IPv6 with the last 32 bits in decimal."""

_MAPPED_PREFIX: Final = bytes(10) + b"\xff\xff"
_SIX_TO_FOUR_PREFIX: Final = b"\x20\x02"


def parse_ip(text: str) -> IpAddress | None:
    """Parse an address strictly; return None for anything else.

    IPv4 is four decimal numbers without leading zeros (RFC 6943 section 3.1.1), IPv6 any form of RFC 4291
    section 2.2. An IPv4-mapped address (``::ffff:192.0.2.1``) is the IPv4 address. A port, a zone, a mask,
    brackets and whitespace are refused: which part of such a text is the client's address would be a guess.
    """
    # Some systems' inet_pton takes a zone.
    if len(text) > MAX_IP_LENGTH or "%" in text:
        return None
    try:
        packed = inet_pton(AF_INET6 if ":" in text else AF_INET, text)
    except (OSError, ValueError):
        # ValueError: a zero byte, or half a surrogate pair.
        return None
    if packed.startswith(_MAPPED_PREFIX):
        packed = packed[len(_MAPPED_PREFIX) :]
    return IpAddress(packed)


def format_ip(ip: IpAddress) -> str:
    """Return the canonical text of an address (RFC 5952)."""
    return inet_ntop(AF_INET if len(ip) == 4 else AF_INET6, ip)


def mask_ip(ip: IpAddress, ipv4_bits: int = 24, ipv6_bits: int = 56) -> str:
    """Return the text of an address with only its leading bits (of 32 or 128) kept.

    A 6to4 address (RFC 3056 section 2) carries the person's IPv4 address after its first 16 bits; no more of it is
    kept than of an IPv4 address.
    """
    bits = ipv4_bits if len(ip) == 4 else ipv6_bits
    if ip.startswith(_SIX_TO_FOUR_PREFIX) and len(ip) == 16:
        bits = min(bits, 16 + ipv4_bits)
    dropped = len(ip) * 8 - bits
    masked = int.from_bytes(ip, "big") >> dropped << dropped
    return format_ip(IpAddress(masked.to_bytes(len(ip), "big")))


def is_public(ip: IpAddress) -> bool:
    """Return whether an address can belong to a client on the Internet: not private, local, reserved or multicast.

    Sources: the IANA special-purpose address registries (RFC 6890) and, for IPv6, the one block of global unicast
    addresses that IANA delegates from (2000::/3).
    """
    return bisect_right(_SPECIAL_V4 if len(ip) == 4 else _SPECIAL_V6, ip) % 2 == 0


@lru_cache(maxsize=8192)
def location_of(country: str, subdivision: str) -> IpLocation:
    """Return the location for the codes of a country, and of a subdivision (the part of ISO 3166-2 after the hyphen).

    A subdivision that the country does not have, such as the FIPS number ``06`` in ``US``, is unknown.
    """
    code = parse_place(country)
    if not code:
        return UNKNOWN_LOCATION
    return IpLocation(code, f"{code}-{subdivision}" if subdivision in SUBDIVISIONS.get(code, ()) else "")


def round_coordinate(value: float, decimals: int = 2) -> float | None:
    """Round degrees in decimal, half away from zero: 1.005 becomes 1.01.

    Returns None beyond 180 degrees and for NaN, and never a negative zero.
    """
    if not -180 <= value <= 180:
        return None
    # The shortest decimal that reads back as this number, which is what the sender wrote.
    exact = Decimal(repr(float(value)))
    return float(exact.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)) + 0.0


def _bounds(*networks: str) -> tuple[bytes, ...]:
    """Return the sorted bounds of the networks: an address after an odd number of bounds is inside one."""
    bounds = []
    for network in map(ip_network, networks):
        bounds.append(network.network_address.packed)
        end = int(network.broadcast_address) + 1
        if end >> network.max_prefixlen == 0:
            bounds.append(end.to_bytes(network.max_prefixlen // 8, "big"))
    return tuple(sorted(bounds))


_SPECIAL_V4: Final = _bounds(
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/3",
)
_SPECIAL_V6: Final = _bounds("::/3", "2001::/23", "2001:db8::/32", "3fff::/20", "4000::/2", "8000::/1")
