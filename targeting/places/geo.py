"""IP addresses and positions: reading them, coarsening them, and the place that a database knows.

Invariant: an ``IpAddress`` is 4 bytes or 16, never an IPv4 address in IPv6 clothing; what leaves ``mask_ip``
holds no bit beyond the mask. Of ``socket`` only the conversion of text is used; nothing here opens anything.
"""

import re
from bisect import bisect_right
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from ipaddress import ip_network
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import Final, NamedTuple, NewType

from targeting.places.locale import parse_country

IpAddress = NewType("IpAddress", bytes)
"""An address in network byte order: 4 bytes for IPv4, 16 for IPv6."""


class IpLocation(NamedTuple):
    """Where an address is used: ISO 3166-1 alpha-2 and ISO 3166-2 (``GB-ENG``). Unknown parts are empty."""

    country: str
    subdivision: str


UNKNOWN_LOCATION: Final = IpLocation("", "")
MAX_IP_LENGTH: Final = 45
"""Characters of the longest address: IPv6 with its last 32 bits in decimal."""

_MAPPED_PREFIX: Final = bytes(10) + b"\xff\xff"
_SIX_TO_FOUR_PREFIX: Final = b"\x20\x02"
_SUBDIVISION: Final = re.compile(r"[A-Z0-9]{1,3}", re.ASCII)


def parse_ip(text: str) -> IpAddress | None:
    """Read an address, strictly; None for anything else.

    IPv4 is four decimal numbers without leading zeros (RFC 6943 section 3.1.1), IPv6 any form of RFC 4291
    section 2.2. An IPv4-mapped address (``::ffff:192.0.2.1``) is the IPv4 address. A port, a zone, a mask,
    brackets and white space are refused: which part of such a text is the client's address would be a guess.
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
    """Write an address canonically (RFC 5952)."""
    return inet_ntop(AF_INET if len(ip) == 4 else AF_INET6, ip)


def mask_ip(ip: IpAddress, ipv4_bits: int = 24, ipv6_bits: int = 56) -> str:
    """Write the leading bits of an address (of 32 and of 128), the others as zero.

    A 6to4 address (RFC 3056 section 2) carries the person's IPv4 address after its first 16 bits; no more of
    that is kept than of the IPv4 address itself.
    """
    bits = ipv4_bits if len(ip) == 4 else ipv6_bits
    if ip.startswith(_SIX_TO_FOUR_PREFIX) and len(ip) == 16:
        bits = min(bits, 16 + ipv4_bits)
    dropped = len(ip) * 8 - bits
    masked = int.from_bytes(ip, "big") >> dropped << dropped
    return format_ip(IpAddress(masked.to_bytes(len(ip), "big")))


def is_public(ip: IpAddress) -> bool:
    """Tell whether an address can be a client's on the Internet: not private, local, reserved or multicast.

    By the IANA special-purpose address registries (RFC 6890) and, for IPv6, the one block of global unicast
    addresses that IANA delegates from (2000::/3).
    """
    return bisect_right(_SPECIAL_V4 if len(ip) == 4 else _SPECIAL_V6, ip) % 2 == 0


@lru_cache(maxsize=8192)
def location_of(country: str, subdivision: str) -> IpLocation:
    """Build a location from a database's codes: a country, and the part of ISO 3166-2 after the hyphen."""
    code = parse_country(country)
    if code is None:
        return UNKNOWN_LOCATION
    return IpLocation(code, f"{code}-{subdivision}" if _SUBDIVISION.fullmatch(subdivision) else "")


def round_coordinate(value: float, decimals: int = 2) -> float | None:
    """Round degrees half away from zero, as they are written in decimal: 1.005 becomes 1.01.

    None for what is no coordinate: beyond 180 degrees, or not a number. Never a negative zero.
    """
    if not -180 <= value <= 180:
        return None
    # The shortest decimal that reads back as the number: what was written, not its binary neighbour.
    exact = Decimal(repr(float(value)))
    return float(exact.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)) + 0.0


def _bounds(*networks: str) -> tuple[bytes, ...]:
    """Give where the networks begin and end, in order: at an odd number of bounds one is inside."""
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
