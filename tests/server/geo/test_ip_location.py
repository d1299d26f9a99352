"""IP address to location from a database in MaxMind format, and swapping databases while serving."""

import os
import threading
from importlib import import_module
from pathlib import Path

import pytest

from server.geo.ip_location import GeoDatabaseError, IpLocator, MaxMindLocator, SwappableLocator, open_locator
from targeting.places.geo import UNKNOWN_LOCATION, IpLocation
from tests.server.geo.mmdb_writer import Value, mmdb

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
def locator(tmp_path_factory: pytest.TempPathFactory) -> IpLocator:
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
        pytest.param("9.0.0.1", UNKNOWN_LOCATION, id="a-continent-is-no-country"),
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
def test_every_address_has_a_defined_location(locator: IpLocator, address: str, location: IpLocation) -> None:
    assert locator.locate(address) == location


def test_an_ipv4_database_knows_no_ipv6_address(tmp_path: Path) -> None:
    locator = MaxMindLocator(database(tmp_path, mmdb({"81.2.69.0/24": ENGLAND}, ip_version=4)))
    assert locator.locate("81.2.69.160") == IpLocation("GB", "GB-ENG")
    assert locator.locate("2a00:1450:4009::200e") == UNKNOWN_LOCATION


def test_the_c_reader_is_installed() -> None:
    assert import_module("maxminddb.extension").Reader


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


def test_a_missing_file_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(GeoDatabaseError, match=r"^ADTARGETING_GEO_DB: cannot read .*/none\.mmdb: No such file"):
        open_locator(str(tmp_path / "none.mmdb"))


def test_an_impossible_path_is_one_clear_error() -> None:
    with pytest.raises(GeoDatabaseError, match=r"^ADTARGETING_GEO_DB: cannot open the file: embedded null"):
        open_locator("a\0b")


def test_an_address_in_a_damaged_record_is_unknown(tmp_path: Path) -> None:
    content = mmdb({"1.0.0.0/8": ENGLAND, "2.0.0.0/8": {"country": {"iso_code": "FR"}}})
    # The second record becomes a pointer (type 1) to far behind the end of the data.
    start = content.rindex(b"\xe1\x47country")
    damaged = content[:start] + b"\x3f\xff\xff\xff\xff" + content[start + 5 :]
    locator = MaxMindLocator(database(tmp_path, damaged))
    assert locator.locate("1.1.1.1") == IpLocation("GB", "GB-ENG")
    assert locator.locate("2.2.2.2") == UNKNOWN_LOCATION


def test_a_database_is_replaced_by_renaming_a_new_one_over_it(tmp_path: Path) -> None:
    path = database(tmp_path, mmdb({"81.2.69.0/24": {"country": {"iso_code": "GB"}}}))
    locator = SwappableLocator(open_locator(path))
    os.replace(  # noqa: PTH105 - the text form is what the setting holds
        database(tmp_path, mmdb({"81.2.69.0/24": {"country": {"iso_code": "FR"}}}), "new.mmdb"), path
    )
    assert locator.locate("81.2.69.160").country == "GB"
    locator.replace(open_locator(path))
    assert locator.locate("81.2.69.160").country == "FR"


def test_threads_share_a_locator_while_it_is_replaced(locator: IpLocator) -> None:
    shared = SwappableLocator(locator)
    seen: list[IpLocation] = []
    start = threading.Barrier(5)

    def look_up() -> None:
        start.wait()
        seen.extend({shared.locate("81.2.69.160") for _ in range(2000)})

    threads = [threading.Thread(target=look_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    start.wait()
    for _ in range(2000):
        shared.replace(locator)
    for thread in threads:
        thread.join()
    assert seen == [IpLocation("GB", "GB-ENG")] * 4
