"""The unit: systemd accepts it, its sandbox is tight, and its settings exist."""

import re
from pathlib import Path

from server.settings import Settings
from tests.deploy.tools import DEPLOY, SETTINGS, program, run, settings_in

UNIT = DEPLOY / "systemd" / "adtargeting.service"
TEXT = UNIT.read_text()
MAX_EXPOSURE = 20
"""Tenths of the exposure level of `systemd-analyze security`, where 100 is unprotected."""


def test_systemd_accepts_it(tmp_path: Path) -> None:
    installed = tmp_path / UNIT.name
    installed.write_text(TEXT.replace("/opt/adtargeting/bin/adtargeting", "/bin/true"))
    verified = run(program("systemd-analyze"), "verify", "--man=no", installed)
    complaints = [line for line in verified.stderr.splitlines() if UNIT.name in line]
    assert (verified.returncode, complaints) == (0, [])


def test_a_mistake_is_found(tmp_path: Path) -> None:
    wrong = tmp_path / UNIT.name
    wrong.write_text(TEXT.replace("ProtectSystem=strict", "ProtectSistem=strict"))
    assert "ProtectSistem" in run(program("systemd-analyze"), "verify", "--man=no", wrong).stderr


def test_its_sandbox_is_tight() -> None:
    rated = run(program("systemd-analyze"), "security", "--offline=true", f"--threshold={MAX_EXPOSURE}", UNIT)
    assert rated.returncode == 0, rated.stdout.splitlines()[-1:]


def test_without_its_sandbox_it_is_not(tmp_path: Path) -> None:
    open_unit = tmp_path / UNIT.name
    open_unit.write_text(re.sub(r"^(Protect|Restrict|SystemCall|Capability|Private).*\n", "", TEXT, flags=re.MULTILINE))
    rated = run(program("systemd-analyze"), "security", "--offline=true", f"--threshold={MAX_EXPOSURE}", open_unit)
    assert rated.returncode != 0


def test_its_settings_are_settings() -> None:
    assert settings_in(TEXT) <= SETTINGS


def test_it_waits_for_the_drain() -> None:
    found = re.search(r"^TimeoutStopSec=(\d+)$", TEXT, re.MULTILINE)
    assert found
    assert int(found[1]) > Settings().drain_delay_s + Settings().drain_grace_s
