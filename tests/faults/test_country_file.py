"""The country file is truncated in place while it is used: what maps a file that another truncates is killed."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server.geo.mmdb_writer import mmdb
from tests.server.geo.test_ip_location import NETWORKS, database

LOOK_UP_AFTER_TRUNCATION = """\
import os, sys
from server.geo import ip_location
{protection_off}
locator = ip_location.open_locator(sys.argv[1])
os.truncate(sys.argv[1], 0)
print(locator.locate("81.2.69.160").country)
"""
MAPPED = (
    "ip_location._open = lambda path: ip_location.maxminddb.open_database(path, ip_location.maxminddb.MODE_MMAP_EXT)"
)


@pytest.mark.fault(row=19)
@pytest.mark.parametrize("protected", [True, False], ids=["protected", "unprotected"])
def test_a_truncated_file_ends_no_process(tmp_path: Path, protected: bool) -> None:
    path = database(tmp_path, mmdb(NETWORKS))
    script = LOOK_UP_AFTER_TRUNCATION.format(protection_off="" if protected else MAPPED)
    ended = subprocess.run(
        [sys.executable, "-c", script, path], capture_output=True, text=True, check=False, timeout=60
    )
    assert (ended.returncode, ended.stdout) == ((0, "GB\n") if protected else (-signal.SIGBUS, ""))
