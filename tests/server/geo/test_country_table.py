"""The bundled table of countries: its format, and its answers for real addresses."""

import io
import os
import pickle
import subprocess
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import pytest

import server.geo.country_table
from server.geo.country_table import CountryTable, GeoDatabaseError, load_country_table, read_country_table
from server.geo.ip_location import open_locator
from targeting.places.geo import UNKNOWN_LOCATION, IpLocation

NAMES = ["02:Private Network Class A", "EU:Europe", "GB:United Kingdom", "FR:France"]
PRIVATE, EUROPE, BRITAIN, FRANCE = range(4)


def packed(
    networks: list[tuple[int, int, int]], version: int = 120, chunk_size: int = 2, description: object = None
) -> io.BytesIO:
    """Pack (first address, prefix length, index of the name) in the package's format."""
    chunks = [networks[index : index + chunk_size] for index in range(0, len(networks), chunk_size)]
    lists = [[[network[part] for network in chunk] for chunk in chunks] for part in (0, 2, 1)]
    return io.BytesIO(pickle.dumps([version, description or {}, len(networks), [[], NAMES, *lists]]))


def ipv4(text: str) -> int:
    return int.from_bytes(map(int, text.split(".")), "big")


@pytest.fixture(scope="module")
def small() -> CountryTable:
    return read_country_table(
        packed(
            [
                (ipv4("1.0.0.0"), 24, BRITAIN),
                (ipv4("1.0.1.0"), 24, BRITAIN),
                (ipv4("1.0.2.0"), 24, FRANCE),
                (ipv4("1.0.4.0"), 32, FRANCE),
                (ipv4("9.0.0.0"), 8, EUROPE),
                (ipv4("10.0.0.0"), 8, PRIVATE),
                (ipv4("255.255.255.0"), 24, FRANCE),
                (0x2A00_0000 << 96, 32, BRITAIN),
                (0x2A00_0002 << 96, 128, FRANCE),
                ((0x2A00_0002 << 96) + 2, 127, FRANCE),
                (0x2A00_0003 << 96, 64, FRANCE),
            ]
        )
    )


@pytest.mark.parametrize(
    ("address", "country"),
    [
        pytest.param("0.0.0.0", "", id="before-the-first"),
        pytest.param("0.255.255.255", "", id="just-before-the-first"),
        ("1.0.0.0", "GB"),
        ("1.0.1.255", "GB"),
        pytest.param("1.0.2.0", "FR", id="next-network"),
        pytest.param("1.0.3.0", "", id="gap"),
        pytest.param("1.0.4.0", "FR", id="single-address"),
        pytest.param("1.0.4.1", "", id="after-the-single-address"),
        pytest.param("9.1.1.1", "EU", id="somewhere-in-europe"),
        pytest.param("10.1.1.1", "", id="private"),
        pytest.param("255.255.254.255", "", id="before-the-last"),
        pytest.param("255.255.255.255", "FR", id="the-last"),
        pytest.param("::ffff:1.0.2.0", "FR", id="mapped"),
        pytest.param("::", "", id="before-the-first-ipv6"),
        ("2a00::1", "GB"),
        ("2a00:0:ffff:ffff:ffff:ffff:ffff:ffff", "GB"),
        pytest.param("2a00:1::", "", id="gap-ipv6"),
        pytest.param("2a00:2::ffff", "FR", id="longer-than-64-counts-as-64"),
        pytest.param("2a00:2:0:1::", "", id="next-subnet"),
        pytest.param("2a00:3::1", "FR", id="exactly-64"),
        pytest.param("ffff::", "", id="after-the-last-ipv6"),
        pytest.param("1.0.0", "", id="malformed"),
    ],
)
def test_ranges(small: CountryTable, address: str, country: str) -> None:
    assert small.locate(address) == IpLocation(country, "")


@pytest.mark.parametrize(
    ("description", "built_at_s"),
    [
        pytest.param({"info": "MAXMIND:GeoLite2-Country-IPv4IPv6-en-20240618"}, 1_718_668_800, id="a-date"),
        pytest.param({"info": "MAXMIND:GeoLite2-Country-en-20241399"}, 0, id="an-impossible-date"),
        pytest.param({"info": "MAXMIND"}, 0, id="no-date"),
        pytest.param({"info": 20240618}, 0, id="no-text"),
        pytest.param([], 0, id="no-description"),
    ],
)
def test_when_the_table_was_built(description: object, built_at_s: float) -> None:
    table = read_country_table(packed([(ipv4("1.0.0.0"), 24, BRITAIN)], description=description))
    assert table.built_at_s == built_at_s


class _Calls:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.getcwd, ()


@pytest.mark.parametrize(
    ("content", "error"),
    [
        pytest.param(packed([(0, 8, PRIVATE)], version=121), ValueError, id="other-version"),
        pytest.param(io.BytesIO(pickle.dumps(_Calls())), pickle.UnpicklingError, id="code"),
        pytest.param(io.BytesIO(pickle.dumps([120])), ValueError, id="other-layout"),
        pytest.param(io.BytesIO(b""), EOFError, id="empty"),
    ],
)
def test_other_data_is_refused(content: io.BytesIO, error: type[Exception]) -> None:
    with pytest.raises(error):
        read_country_table(content)


@pytest.fixture(scope="module")
def bundled() -> CountryTable:
    table = open_locator("")
    assert isinstance(table, CountryTable)
    return table


@pytest.mark.parametrize(
    ("address", "country"),
    [
        ("81.2.69.160", "GB"),
        ("::ffff:81.2.69.160", "GB"),
        ("8.8.8.8", "US"),
        ("193.99.144.80", "DE"),
        ("133.11.0.1", "JP"),
        ("2a02:2e0:3fe:1001:302::", "DE"),
        ("2001:200::1", "JP"),
    ],
)
def test_real_addresses_resolve_out_of_the_box(bundled: CountryTable, address: str, country: str) -> None:
    assert bundled.locate(address) == IpLocation(country, "")


@pytest.mark.parametrize(
    "address",
    [
        *["", "localhost", "0.0.0.0", "10.0.0.1", "100.64.0.1", "127.0.0.1", "169.254.1.1", "172.16.0.1"],
        *["192.168.1.1", "192.0.2.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "255.255.255.255"],
        *["::", "::1", "fe80::1", "fd00::1", "ff02::1", "2001:db8::1"],
    ],
)
def test_special_and_malformed_addresses_are_unknown(bundled: CountryTable, address: str) -> None:
    assert bundled.locate(address) == UNKNOWN_LOCATION


def spec_at(folder: Path | None) -> Any:
    spec = ModuleSpec("geoip2fast", None)
    spec.submodule_search_locations = None if folder is None else [str(folder)]
    return lambda _: spec


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(None, id="missing"),
        pytest.param(b"", id="empty"),
        pytest.param(b"no gzip", id="not-compressed"),
        pytest.param(b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xff", id="damaged"),
    ],
)
def test_an_unusable_package_is_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "geoip2fast-ipv6.dat.gz").write_bytes(content)
    monkeypatch.setattr(server.geo.country_table, "find_spec", spec_at(tmp_path))
    with pytest.raises(GeoDatabaseError, match=r"^\S+geoip2fast-ipv6\.dat\.gz cannot be used .*ADTARGETING_GEO_DB"):
        load_country_table()


@pytest.mark.parametrize("found", [lambda _: None, spec_at(None)], ids=["no-package", "a-module"])
def test_a_missing_package_is_one_clear_error(monkeypatch: pytest.MonkeyPatch, found: Any) -> None:
    monkeypatch.setattr(server.geo.country_table, "find_spec", found)
    with pytest.raises(GeoDatabaseError, match=r"^the package geoip2fast is not installed.*ADTARGETING_GEO_DB"):
        load_country_table()


def test_loading_leaves_the_process_as_it_was() -> None:
    script = (
        "import os, sys; before = dict(os.environ);"
        "from server.geo.country_table import load_country_table; load_country_table();"
        "assert dict(os.environ) == before; assert 'geoip2fast' not in sys.modules"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True, timeout=60)
