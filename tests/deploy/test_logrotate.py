"""The rotation of the audit log: logrotate moves the file away, the service makes the next one."""

import re
from pathlib import Path

from server.files.line_file import LineFile
from tests.deploy.tools import DEPLOY, program, run

FILE = DEPLOY / "systemd" / "adtargeting.logrotate"


def test_no_line_is_lost_when_logrotate_moves_the_file_away(tmp_path: Path) -> None:
    log, rules, reloaded = tmp_path / "audit.log", tmp_path / "rules", tmp_path / "reloaded"
    text = FILE.read_text(encoding="utf-8").replace("/var/log/adtargeting/audit.log", str(log))
    rules.write_text(re.sub(r"systemctl reload .*", f"touch {reloaded}", text), encoding="utf-8")
    file = LineFile(log)
    file.append(b"before\n")
    rotated = run(program("logrotate"), "--force", "--state", tmp_path / "state", rules)
    assert (rotated.returncode, rotated.stderr) == (0, "")
    file.append(b"between\n")
    assert reloaded.exists()
    file.reopen()
    file.append(b"after\n")
    file.close()
    (moved,) = tmp_path.glob("audit.log-*")
    assert (moved.read_bytes(), log.read_bytes()) == (b"before\nbetween\n", b"after\n")
    assert log.stat().st_mode & 0o777 == 0o600


def test_the_signal_is_the_one_that_reloads() -> None:
    unit = (DEPLOY / "systemd" / "adtargeting.service").read_text(encoding="utf-8")
    assert "ExecReload=/bin/kill -HUP $MAINPID" in unit
    assert "systemctl reload adtargeting.service" in FILE.read_text(encoding="utf-8")
