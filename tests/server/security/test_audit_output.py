"""Standard output as the place of the audit log."""

import subprocess
import sys
from pathlib import Path

import pytest

from server.security.audit_output import StandardOutput

ROOT = Path(__file__).parents[3]


def test_standard_output_has_whole_lines(capfd: pytest.CaptureFixture[str]) -> None:
    StandardOutput().append(b"one\n")
    StandardOutput().append(b"two\n")
    assert capfd.readouterr().out == "one\ntwo\n"


def test_a_reader_of_standard_output_that_takes_nothing_holds_no_call_up() -> None:
    program = (
        "from server.security.audit_output import StandardOutput\n"
        "import sys\n"
        "try:\n"
        "    while True:\n"
        "        StandardOutput().append(b'x' * 4000 + b'\\n')\n"
        "except OSError as problem:\n"
        "    sys.stderr.write(problem.strerror)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PYTHONPATH": str(ROOT)},
        cwd=ROOT,
    ) as writer:
        assert writer.wait(30) == 0
        assert writer.stderr
        assert writer.stderr.read() == b"standard output has no reader"
