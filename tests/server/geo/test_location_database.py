"""The country database that serves: replaced whole when its file changes, and never by a file that cannot be used."""

import logging
import os
import shutil
import threading
from array import array
from collections.abc import Callable
from math import isnan
from pathlib import Path

import pytest

from server.geo.country_table import CountryTable, GeoDatabaseError, Ranges
from server.geo.location_database import LocationDatabase
from targeting.places.geo import UNKNOWN_LOCATION, IpLocation
from tests.server.geo.mmdb_writer import BUILT_AT_S, mmdb

ADDRESS = "81.2.69.160"
DAY_S = 86_400
NO_RANGES = Ranges(array("Q", [0]), b"\0")


def content(country: str, built_at_s: int = BUILT_AT_S) -> bytes:
    return mmdb({"81.2.69.0/24": {"country": {"iso_code": country}}}, built_at_s=built_at_s)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "geo.mmdb"
    path.write_bytes(content("GB"))
    return path


@pytest.fixture
def database(path: Path) -> LocationDatabase:
    return LocationDatabase(str(path), lambda: BUILT_AT_S + 10 * DAY_S)


def rename(path: Path, new: bytes) -> None:
    path.with_suffix(".new").write_bytes(new)
    path.with_suffix(".new").rename(path)


def copy(path: Path, new: bytes) -> None:
    path.with_suffix(".new").write_bytes(new)
    shutil.copyfile(path.with_suffix(".new"), path)


def truncate_and_write(path: Path, new: bytes) -> None:
    os.truncate(path, 0)
    path.write_bytes(new)


def country(database: LocationDatabase) -> str:
    return database.locate(ADDRESS).country


def check_twice(database: LocationDatabase) -> None:
    """A change counts once it has stayed the same from one check to the next."""
    database.reload_if_changed()
    database.reload_if_changed()


REPLACEMENTS = [rename, copy, truncate_and_write]


@pytest.mark.fault(row=19)
@pytest.mark.parametrize("replace", REPLACEMENTS)
def test_a_replaced_file_is_loaded(
    database: LocationDatabase, path: Path, replace: Callable[[Path, bytes], None]
) -> None:
    replace(path, content("FR", built_at_s=BUILT_AT_S + DAY_S))
    assert country(database) == "GB"
    check_twice(database)
    assert (country(database), database.age_s()) == ("FR", 9 * DAY_S)


@pytest.mark.fault(row=19)
@pytest.mark.parametrize("replace", REPLACEMENTS)
@pytest.mark.parametrize("bad", [b"", b"no database", content("FR")[:-40]], ids=["empty", "text", "cut-off"])
def test_a_bad_file_is_refused_once_and_the_loaded_one_stays(
    database: LocationDatabase,
    path: Path,
    replace: Callable[[Path, bytes], None],
    bad: bytes,
    caplog: pytest.LogCaptureFixture,
) -> None:
    replace(path, bad)
    for _ in range(3):
        check_twice(database)
    assert country(database) == "GB"
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert caplog.messages[0].startswith("country database refused, the current one stays: ADTARGETING_GEO_DB: ")
    replace(path, content("FR"))
    check_twice(database)
    assert country(database) == "FR"


def test_a_file_that_has_gone_is_refused_and_the_loaded_one_stays(database: LocationDatabase, path: Path) -> None:
    path.unlink()
    check_twice(database)
    assert country(database) == "GB"


def test_a_copy_in_progress_is_not_loaded(database: LocationDatabase, path: Path) -> None:
    new = content("FR")
    path.write_bytes(new[:100])
    database.reload_if_changed()
    path.write_bytes(new)
    database.reload_if_changed()
    assert country(database) == "GB"
    database.reload_if_changed()
    assert country(database) == "FR"


def test_an_unchanged_file_is_not_loaded_again(database: LocationDatabase, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    for _ in range(3):
        database.reload_if_changed()
    assert caplog.messages == []
    database.reload()
    assert caplog.messages == ["country database reloaded, 10 days old"]


@pytest.mark.fault(row=19)
@pytest.mark.parametrize(("days", "lines"), [(180, 0), (181, 1)])
def test_an_old_file_is_one_warning(path: Path, days: int, lines: int, caplog: pytest.LogCaptureFixture) -> None:
    LocationDatabase(str(path), lambda: float(BUILT_AT_S + days * DAY_S))
    assert caplog.messages == [f"country database is {days} days old: replace the file"] * lines


def test_the_bundled_table_is_of_2024_and_is_never_loaded_again(caplog: pytest.LogCaptureFixture) -> None:
    database = LocationDatabase("", lambda: 1_718_668_800.0 + 365 * DAY_S)
    assert database.age_s() == 365 * DAY_S
    assert caplog.messages == [
        "country database is 365 days old: set ADTARGETING_GEO_DB to a recent file in MaxMind format"
    ]
    database.reload()
    check_twice(database)
    assert len(caplog.messages) == 1
    assert country(database) == "GB"


def test_a_database_that_does_not_say_its_age_has_none(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    table = CountryTable(NO_RANGES, NO_RANGES, [UNKNOWN_LOCATION])
    monkeypatch.setattr("server.geo.location_database.open_locator", lambda _: table)
    assert isnan(LocationDatabase("").age_s())
    assert caplog.messages == []


@pytest.mark.parametrize("path", ["none.mmdb", "a\0b"])
def test_the_first_load_must_succeed(path: str) -> None:
    with pytest.raises(GeoDatabaseError):
        LocationDatabase(path)


def test_every_lookup_sees_one_database_whole(database: LocationDatabase, path: Path) -> None:
    seen: set[IpLocation] = set()
    start, done = threading.Barrier(5), threading.Event()

    def look_up() -> None:
        start.wait()
        while not done.is_set():
            seen.add(database.locate(ADDRESS))

    threads = [threading.Thread(target=look_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    start.wait()
    for number in range(8):
        rename(path, content("FR" if number % 2 else "GB"))
        database.reload()
    done.set()
    for thread in threads:
        thread.join()
    assert seen <= {IpLocation("GB", ""), IpLocation("FR", "")}
