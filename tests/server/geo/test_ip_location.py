"""IP address to location from a database in MaxMind format."""

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from server.geo.ip_location import GeoDatabaseError, Locator, MaxMindLocator, open_locator
from targeting.places.geo import UNKNOWN_LOCATION, IpLocation
from tests.server.geo.mmdb_writer import BUILT_AT_S, Value, mmdb

ENGLAND: Value = {"country": {"iso_code": "GB", "geoname_id": 2635167}, "subdivisions": [{"iso_code": "ENG"}]}
NETWORKS: dict[str, Value] = {
    "81.2.69.0/24": ENGLAND,
    "2a00:1450::/32": {"country": {"iso_code": "IE"}, "registered_country": {"iso_code": "US"}},
    "5.0.0.0/8": {"registered_country": {"iso_code": "DE"}},
    "6.0.0.0/8": {"country": "FR"},
    "7.0.0.0/8": {"country_code": "NL"},
    "8.0.0.0/8": {"country": {"iso_code": "GB"}, "subdivisions": [{"iso_code": "SCT"}, {"iso_code": "GLG"}]},
    "9.0.0.0/8": {"country": {"iso_code": "EU"}, "subdivisions": [{"iso_code": "X"}]},
    "11.0.0.0/8": {"country": {"iso_code": "US"}, "subdivisions": []},
    "12.0.0.0/8": {"country": {"iso_code": "US"}, "subdivisions": [{"names": {"en": "California"}}]},
    "13.0.0.0/8": {"country": {"names": {"en": "Nowhere"}}},
    "14.0.0.0/8": {"country": 826},
    "15.0.0.0/8": "a record that is no map",
    "10.0.0.0/8": ENGLAND,
    "127.0.0.0/8": ENGLAND,
    "fc00::/7": ENGLAND,
}


def database(folder: Path, content: bytes, name: str = "geo.mmdb") -> str:
    path = folder / name
    path.write_bytes(content)
    return str(path)


@pytest.fixture(scope="module")
def locator(tmp_path_factory: pytest.TempPathFactory) -> Locator:
    return open_locator(database(tmp_path_factory.mktemp("geo"), mmdb(NETWORKS)))


@pytest.mark.parametrize(
    ("address", "location"),
    [
        pytest.param("81.2.69.160", IpLocation("GB", "GB-ENG"), id="ipv4"),
        pytest.param("2a00:1450:4009::200e", IpLocation("IE", ""), id="ipv6"),
        pytest.param("::ffff:81.2.69.160", IpLocation("GB", "GB-ENG"), id="mapped"),
        pytest.param("8.8.8.8", IpLocation("GB", "GB-SCT"), id="first-of-two-subdivisions"),
        pytest.param("11.0.0.1", IpLocation("US", ""), id="no-subdivision"),
        pytest.param("12.0.0.1", IpLocation("US", ""), id="subdivision-without-code"),
        pytest.param("5.0.0.1", UNKNOWN_LOCATION, id="registered-country-is-no-country"),
        pytest.param("6.0.0.1", IpLocation("FR", ""), id="country-as-text"),
        pytest.param("7.0.0.1", IpLocation("NL", ""), id="country-code"),
        pytest.param("9.0.0.1", IpLocation("EU", ""), id="somewhere-in-europe"),
        pytest.param("13.0.0.1", UNKNOWN_LOCATION, id="country-without-code"),
        pytest.param("14.0.0.1", UNKNOWN_LOCATION, id="country-of-another-type"),
        pytest.param("15.0.0.1", UNKNOWN_LOCATION, id="record-of-another-type"),
        pytest.param("1.1.1.1", UNKNOWN_LOCATION, id="not-listed"),
        pytest.param("10.1.2.3", UNKNOWN_LOCATION, id="private-even-if-listed"),
        pytest.param("127.0.0.1", UNKNOWN_LOCATION, id="loopback-even-if-listed"),
        pytest.param("fd00::1", UNKNOWN_LOCATION, id="private-ipv6-even-if-listed"),
        pytest.param("::ffff:10.1.2.3", UNKNOWN_LOCATION, id="mapped-private"),
        pytest.param("", UNKNOWN_LOCATION, id="empty"),
        pytest.param("81.2.69.160:443", UNKNOWN_LOCATION, id="port"),
        pytest.param("81.2.69", UNKNOWN_LOCATION, id="malformed"),
        pytest.param("\ud800", UNKNOWN_LOCATION, id="lone-surrogate"),
    ],
)
def test_every_address_has_a_defined_location(locator: Locator, address: str, location: IpLocation) -> None:
    assert locator.locate(address) == location


def test_an_ipv4_database_knows_no_ipv6_address(tmp_path: Path) -> None:
    locator = MaxMindLocator(database(tmp_path, mmdb({"81.2.69.0/24": ENGLAND}, ip_version=4)))
    assert locator.locate("81.2.69.160") == IpLocation("GB", "GB-ENG")
    assert locator.locate("2a00:1450:4009::200e") == UNKNOWN_LOCATION


def test_the_c_reader_is_installed() -> None:
    assert import_module("maxminddb.extension").Reader


@pytest.mark.fault(row=19)
@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param(b"", "damaged or not in MaxMind format", id="empty"),
        pytest.param(b"GIF89a" * 1000, "damaged or not in MaxMind format", id="something-else"),
        pytest.param(mmdb(NETWORKS)[:-40], "damaged or not in MaxMind format", id="cut-off"),
        pytest.param(mmdb(NETWORKS)[2000:], "damaged or not in MaxMind format", id="beginning-missing"),
        pytest.param(mmdb({"1.0.0.0/8": {"autonomous_system_number": 13335}}), "contains no countries", id="asn"),
    ],
)
def test_an_unusable_file_is_one_clear_error(tmp_path: Path, content: bytes, problem: str) -> None:
    path = database(tmp_path, content)
    with pytest.raises(GeoDatabaseError) as caught:
        open_locator(path)
    assert str(caught.value) == f"ADTARGETING_GEO_DB: {path} {'is ' * problem.startswith('damaged')}{problem}"


@pytest.mark.fault(row=19)
def test_a_missing_file_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(GeoDatabaseError, match=r"^ADTARGETING_GEO_DB: cannot read .*/none\.mmdb: No such file"):
        open_locator(str(tmp_path / "none.mmdb"))


def test_an_impossible_path_is_one_clear_error() -> None:
    with pytest.raises(GeoDatabaseError, match=r"^ADTARGETING_GEO_DB: cannot read a\x00b: embedded null"):
        open_locator("a\0b")


def test_an_address_in_a_damaged_record_is_unknown(tmp_path: Path) -> None:
    content = mmdb({"1.0.0.0/8": ENGLAND, "2.0.0.0/8": {"country": {"iso_code": "FR"}}})
    # The second record becomes a pointer (type 1) to far behind the end of the data.
    start = content.rindex(b"\xe1\x47country")
    damaged = content[:start] + b"\x3f\xff\xff\xff\xff" + content[start + 5 :]
    locator = MaxMindLocator(database(tmp_path, damaged))
    assert locator.locate("1.1.1.1") == IpLocation("GB", "GB-ENG")
    assert locator.locate("2.2.2.2") == UNKNOWN_LOCATION


def test_an_address_whose_country_is_no_text_is_unknown(tmp_path: Path) -> None:
    content = mmdb({"1.0.0.0/8": ENGLAND, "2.0.0.0/8": {"country": {"iso_code": "FR"}}})
    locator = MaxMindLocator(database(tmp_path, content.replace(b"\x42FR", b"\x42\xed\xa0")))
    assert locator.locate("1.1.1.1") == IpLocation("GB", "GB-ENG")
    assert locator.locate("2.2.2.2") == UNKNOWN_LOCATION


@pytest.mark.parametrize("to_the_right", [0, 1], ids=["on the left", "on the right"])
def test_a_tree_with_a_cycle_ends_every_search(tmp_path: Path, to_the_right: int) -> None:
    """In a process of its own: iterating over such a tree, the C reader writes beyond its memory, or never ends."""
    content = bytearray(mmdb({"1.0.0.0/8": ENGLAND}, ip_version=4))
    content[3 * to_the_right : 3 * to_the_right + 3] = bytes(3)
    script = (
        "import sys; from server.geo.ip_location import open_locator, GeoDatabaseError\n"
        "try: print(open_locator(sys.argv[1]).locate('1.1.1.1'))\n"
        "except GeoDatabaseError as refused: print(refused)"
    )
    command = [sys.executable, "-c", script, database(tmp_path, bytes(content))]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert ended.stdout.startswith("ADTARGETING_GEO_DB: ") or "GB" in ended.stdout


def test_truncating_the_file_in_place_changes_nothing(tmp_path: Path) -> None:
    """In a process of its own, which a mapped file that is truncated would kill."""
    path = database(tmp_path, mmdb(NETWORKS))
    script = (
        "import os, sys; from server.geo.ip_location import open_locator;"
        "locator = open_locator(sys.argv[1]); os.truncate(sys.argv[1], 0); print(locator.locate('81.2.69.160'))"
    )
    ended = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, check=True, timeout=60)
    assert ended.stdout == "IpLocation(country='GB', subdivision='GB-ENG')\n"


def test_the_copy_needs_no_system_call_of_linux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "memfd_create")
    locator = open_locator(database(tmp_path, mmdb(NETWORKS)))
    assert locator.locate("81.2.69.160") == IpLocation("GB", "GB-ENG")


def test_a_database_says_when_it_was_built(locator: Locator) -> None:
    assert locator.built_at_s == BUILT_AT_S
