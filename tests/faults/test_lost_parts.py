"""Parts of a running service end: the embedded store is started again, and a lost thread ends the process."""

import os
import signal
from pathlib import Path

import pytest

from server.lifecycle.vital_threads import VitalThreads
from server.store.embedded.restarter import Restarter
from tests.faults.known_person import known_person
from tests.server.running_service import wait_until
from tests.server.test_app_store import process_id

pytestmark = pytest.mark.fault(row=12)

PROTECTED = pytest.mark.parametrize("protected", [True, False], ids=["protected", "unprotected"])


@PROTECTED
def test_a_killed_embedded_store_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protected: bool) -> None:
    checks: list[None] = []
    check = Restarter.check

    def counted(restarter: Restarter) -> None:
        checks.append(None)
        if protected:
            check(restarter)

    monkeypatch.setattr(Restarter, "check", counted)
    with known_person(tmp_path) as alice:
        os.kill(process_id(alice.service), signal.SIGKILL)
        before = len(checks)
        wait_until(lambda: len(checks) >= before + 3)
        if protected:
            wait_until(alice.is_behavioural)
        else:
            assert not alice.is_behavioural()


@PROTECTED
def test_a_process_without_one_of_its_threads_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protected: bool
) -> None:
    """A process that says so ends: ``tests/server/lifecycle/test_vital_threads.py``."""
    if not protected:
        monkeypatch.setattr(VitalThreads, "ended", lambda _: "")
    with known_person(tmp_path) as alice:
        alice.service._watch._stopping.set()
        alice.service._watch._thread.join()
        assert alice.service.ended_part() == ("thread store-watch" if protected else "")
