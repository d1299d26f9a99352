"""Addresses, masks and positions."""

import math
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targeting.places.geo import (
    UNKNOWN_LOCATION,
    IpAddress,
    IpLocation,
    format_ip,
    is_public,
    location_of,
    mask_ip,
    parse_ip,
    round_coordinate,
)

ANYTHING = st.text(st.characters(codec=None), max_size=64)


def ip(text: str) -> IpAddress:
    address = parse_ip(text)
    assert address is not None
    return address


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("81.2.69.160", "81.2.69.160"),
        ("0.0.0.0", "0.0.0.0"),
        ("255.255.255.255", "255.255.255.255"),
        ("2001:db8::1", "2001:db8::1"),
        pytest.param("2001:0DB8:0000:0000:0000:0000:0000:0001", "2001:db8::1", id="ipv6-in-full"),
        pytest.param("::", "::", id="ipv6-zero"),
        pytest.param("2001:db8::192.0.2.1", "2001:db8::c000:201", id="ipv6-with-dotted-end"),
        pytest.param("::ffff:81.2.69.160", "81.2.69.160", id="mapped"),
        pytest.param("::FFFF:5102:45a0", "81.2.69.160", id="mapped-in-hex"),
        pytest.param("0:0:0:0:0:ffff:81.2.69.160", "81.2.69.160", id="mapped-in-full"),
        pytest.param("2001:0db8:0000:0000:0000:0000:255.255.255.255", "2001:db8::ffff:ffff", id="longest"),
    ],
)
def test_addresses_are_read(text: str, canonical: str) -> None:
    assert format_ip(ip(text)) == canonical


@pytest.mark.parametrize(
    "text",
    [
        *[".", ":", ":::", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.-4", "1.2.3.", "1.2.3.4."],
        *["16909060", "01.2.3.4", "1.2.3.04", "0x1.2.3.4", "1e0.2.3.4", "+1.2.3.4", "1.2.3.4:80"],
        *["::ffff:01.2.3.4", "::ffff:1.2.3", "1.2.3.4/24", "1.2.3.4,5.6.7.8", "[::1]", "[::1]:80"],
        *["::1%lo", "fe80::1%25eth0", "::1/64", "1::2::3", "00001::", "1:2:3:4:5:6:7:8:9", "g::"],
        *["unknown", "_hidden", "localhost"],
        pytest.param("", id="empty"),
        pytest.param(" 1.2.3.4", id="leading-space"),
        pytest.param("1.2.3.4 ", id="trailing-space"),
        pytest.param("1.2.3.4\n", id="line-break"),
        pytest.param("1.2.3.4\0", id="zero-byte"),
        pytest.param("\u0661.2.3.4", id="arabic-digit"),
        pytest.param("\uff11.2.3.4", id="full-width-digit"),
        pytest.param("1\u30022.3.4", id="ideographic-full-stop"),
        pytest.param("1.2.3.4\udfff", id="lone-surrogate"),
        pytest.param("1" * 1_000_000, id="a-million-digits"),
        pytest.param(":" * 1_000_000, id="a-million-colons"),
    ],
)
def test_nothing_else_is_an_address(text: str) -> None:
    assert parse_ip(text) is None


@given(ANYTHING)
def test_reading_an_address_never_fails(text: str) -> None:
    address = parse_ip(text)
    assert address is None or len(address) in {4, 16}


@given(st.ip_addresses())
def test_writing_and_reading_agree_with_the_standard_library(address: IPv4Address | IPv6Address) -> None:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    assert parse_ip(str(address)) == (mapped or address).packed
    assert ip_address(format_ip(ip(str(address)))) == (mapped or address)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("81.2.69.160", "81.2.69.0"),
        ("2001:470:1f0b:12ff::1", "2001:470:1f0b:1200::"),
        pytest.param("::ffff:81.2.69.160", "81.2.69.0", id="mapped"),
        pytest.param("2002:5102:45a0:1::1", "2002:5102:4500::", id="6to4-hides-as-much-as-ipv4"),
        pytest.param("32.2.69.160", "32.2.69.0", id="ipv4-that-begins-like-6to4"),
    ],
)
def test_masks(text: str, masked: str) -> None:
    assert mask_ip(ip(text)) == masked


@pytest.mark.parametrize(
    ("bits", "masked"), [(0, "0.0.0.0"), (1, "128.0.0.0"), (23, "255.255.254.0"), (32, "255.255.255.255")]
)
def test_the_policy_chooses_the_ipv4_mask(bits: int, masked: str) -> None:
    assert mask_ip(ip("255.255.255.255"), ipv4_bits=bits) == masked


@pytest.mark.parametrize(
    ("bits", "masked"), [(0, "::"), (20, "ffff:f000::"), (128, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")]
)
def test_the_policy_chooses_the_ipv6_mask(bits: int, masked: str) -> None:
    assert mask_ip(ip(":".join(["ffff"] * 8)), ipv6_bits=bits) == masked


@given(st.ip_addresses(), st.integers(0, 32), st.integers(0, 128))
def test_a_mask_keeps_the_leading_bits_and_nothing_else(
    address: IPv4Address | IPv6Address, ipv4_bits: int, ipv6_bits: int
) -> None:
    packed = ip(str(address))
    masked = ip_address(mask_ip(packed, ipv4_bits, ipv6_bits))
    width = ipv4_bits if len(packed) == 4 else ipv6_bits
    if len(packed) == 16 and packed[:2] == b"\x20\x02":
        width = min(width, 16 + ipv4_bits)
    assert masked == ip_network((bytes(packed), width), strict=False).network_address


@pytest.mark.parametrize(
    "text", ["81.2.69.160", "1.1.1.1", "172.32.0.1", "223.255.255.255", "2a00:1450::1", "2002::1", "3ffe::1"]
)
def test_public_addresses(text: str) -> None:
    assert is_public(ip(text))


@pytest.mark.parametrize(
    "text",
    [
        *["0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1"],
        *["172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1"],
        *["198.51.100.7", "203.0.113.7", "224.0.0.1", "240.0.0.1", "255.255.255.255"],
        *["::ffff:10.0.0.1", "::", "::1", "64:ff9b::1", "fe80::1", "fc00::1", "fd12::1", "ff02::1"],
        *["2001::1", "2001:db8::1", "3fff::1", "4000::1", "8000::"],
    ],
)
def test_addresses_that_no_client_on_the_internet_has(text: str) -> None:
    assert not is_public(ip(text))


@pytest.mark.parametrize(
    ("country", "subdivision", "location"),
    [
        ("GB", "ENG", IpLocation("GB", "GB-ENG")),
        ("us", "CA", IpLocation("US", "US-CA")),
        ("FR", "75C", IpLocation("FR", "FR-75C")),
        ("IE", "", IpLocation("IE", "")),
        pytest.param("GB", "eng", IpLocation("GB", ""), id="no-such-form"),
        pytest.param("GB", "ENGL", IpLocation("GB", ""), id="too-long"),
        pytest.param("GB", "EN\n", IpLocation("GB", ""), id="line-break"),
        pytest.param("US", "06", IpLocation("US", ""), id="fips-number-of-california"),
        pytest.param("US", "ENG", IpLocation("US", ""), id="subdivision-of-another-country"),
        pytest.param("HK", "HCW", IpLocation("HK", ""), id="country-without-subdivisions"),
        pytest.param("EU", "ENG", IpLocation("EU", ""), id="somewhere-in-europe"),
        *(pytest.param(code, "CA", UNKNOWN_LOCATION, id=code) for code in ("XX", "ZZ", "T1", "A1", "A2", "O1", "AP")),
        pytest.param("", "ENG", UNKNOWN_LOCATION, id="no-country-code"),
    ],
)
def test_a_location_is_made_of_standard_codes(country: str, subdivision: str, location: IpLocation) -> None:
    assert location_of(country, subdivision) == location


@pytest.mark.parametrize(
    ("value", "rounded"),
    [
        (51.50735, 51.51),
        pytest.param(1.005, 1.01, id="half-that-binary-holds-as-less"),
        pytest.param(2.675, 2.68, id="another-half-that-binary-holds-as-less"),
        pytest.param(-1.005, -1.01, id="half-away-from-zero"),
        pytest.param(0.125, 0.13, id="half-that-even-rounding-would-lower"),
        (-180, -180.0),
        (180.0, 180.0),
        (1e-300, 0.0),
    ],
)
def test_coordinates_are_rounded_as_they_are_written(value: float, rounded: float) -> None:
    assert round_coordinate(value) == rounded


@pytest.mark.parametrize("value", [-0.0, -0.001, 0.001])
def test_there_is_one_zero(value: float) -> None:
    assert math.copysign(1, round_coordinate(value) or 0.0) == 1
    assert str(round_coordinate(value)) == "0.0"


@pytest.mark.parametrize("value", [180.001, -181, 1e300, math.inf, -math.inf, math.nan, 10**400])
def test_what_is_no_coordinate_is_dropped(value: float) -> None:
    assert round_coordinate(value) is None


@pytest.mark.parametrize(("decimals", "rounded"), [(0, 52.0), (1, 51.5), (4, 51.5074)])
def test_the_number_of_decimals_can_be_chosen(decimals: int, rounded: float) -> None:
    assert round_coordinate(51.50735, decimals) == rounded
