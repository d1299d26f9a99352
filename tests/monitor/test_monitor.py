"""The whole run, as ``make monitor`` does it."""

import shutil
import subprocess
import sys

import pytest

from tests.deploy.tools import ROOT


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(shutil.which("prometheus") is None, reason="needs prometheus: apt install prometheus")
def test_every_series_moves_and_every_alert_fires_and_resolves() -> None:
    watched = subprocess.run(
        [sys.executable, "-m", "tests.monitor"], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert watched.returncode == 0, watched.stdout + watched.stderr
