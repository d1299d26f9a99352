"""``make run``: a signal that stops make stops the service."""

import shutil
import signal
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICE = "#!/bin/sh\necho $ADTARGETING_WEB_ADDRESS $1\nexec sleep 60\n"


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_a_signal_to_make_ends_what_it_runs(tmp_path: Path) -> None:
    (tmp_path / "adtargeting").write_text(SERVICE)
    (tmp_path / "adtargeting").chmod(0o755)
    # The tests may themselves be run by make, which would make this one talk of directories.
    argv = ["env", "-u", "MAKEFLAGS", "-u", "MAKELEVEL", "make", f"BIN={tmp_path}", "READY=", "run"]
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, start_new_session=True, text=True) as make:
        assert make.stdout
        assert make.stdout.readline() == "127.0.0.1:8080 serve\n"
        make.send_signal(signal.SIGTERM)
        # The output ends with the last process that holds it.
        assert make.communicate(timeout=20)[0] == ""
