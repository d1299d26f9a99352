"""A start that hangs in the system's own code: SIGTERM ends it all the same."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server.cli.conftest import ROOT

HANGING_LOOKUP = """\
import ctypes, socket, sys

def never(host, *_, **__):
    # Waits in C, where a thread handles no signal, until the standard input ends.
    ctypes.CDLL(None).system(f"echo looking up {{host}} >&2; read line".encode())

socket.getaddrinfo = never
{protection_off}
from server.cli.main import main
sys.exit(main(["serve"]))
"""
UNBOUNDED = "from server.store.redis import handshake; handshake.look_up = lambda host, _: never(host)"


@pytest.mark.fault(row=27)
@pytest.mark.parametrize("protected", [True, False], ids=["protected", "unprotected"])
def test_sigterm_ends_a_start_that_waits_for_a_name_server(tmp_path: Path, protected: bool) -> None:
    program = HANGING_LOOKUP.format(protection_off="" if protected else UNBOUNDED)
    anywhere = {f"ADTARGETING_{name}_ADDRESS": "127.0.0.1:0" for name in ("GRPC", "METRICS")}
    (tmp_path / "secret.key").write_text("0123456789abcdef" * 4)
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
        env={
            **anywhere,
            "PYTHONPATH": f"{ROOT}:{ROOT / 'proto'}",
            "PATH": os.environ["PATH"],
            "ADTARGETING_DATA_DIR": str(tmp_path),
            "ADTARGETING_REDIS_URL": "redis://store.example:6379/0",
        },
    ) as service:
        assert service.stderr
        while "looking up store.example" not in service.stderr.readline():
            assert service.poll() is None
        service.send_signal(signal.SIGTERM)
        if protected:
            assert service.wait(60) == 0
            return
        with pytest.raises(subprocess.TimeoutExpired):
            service.wait(2)
        service.kill()
