"""Workers that end: replaced, after pauses that grow, until it is plain that none comes up. With real processes."""

import logging
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from server.lifecycle.process_signals import ProcessSignals
from server.logs import FloodFilter
from server.processes.reports import WorkerMain
from server.processes.restart_pauses import FIRST_S, LASTING_S, LONGEST_S, RestartPauses
from server.processes.supervisor import Supervisor, WorkersFailed
from server.processes.worker_slot import WorkerSlot
from server.settings import Settings
from tests.server.processes.light_workers import serves, serves_once, starts
from tests.server.running_service import settings
from tests.waiting import eventually

PAUSE_S = 0.05


@contextmanager
def supervising(given: Settings, run: WorkerMain) -> Iterator[Supervisor]:
    with Supervisor(given, 1, run, first_pause_s=PAUSE_S) as opened:
        yield opened


def run(opened: Supervisor) -> None:
    """Run until it gives up: nothing tells it to stop."""
    told = SimpleNamespace(**{name: SimpleNamespace(is_set=lambda: False) for name in ("stop", "reload")})
    opened.run(cast("ProcessSignals", told), FloodFilter())


@pytest.mark.parametrize(
    ("ran_s", "pauses_s"),
    [
        pytest.param([0.1] * 9, [0, 0.5, 1, 2, 4, 8, 16, 30, 30], id="doubled up to the longest"),
        pytest.param([0.1, 0.1, 0.1, LASTING_S, 0.1, 0.1], [0, 0.5, 1, 0, 0.5, 1], id="begun again by one that lasted"),
        pytest.param([0.1, 0.1, LASTING_S - 1, 0.1], [0, 0.5, 1, 2], id="not by one that did not"),
    ],
)
def test_the_pauses_grow(ran_s: list[float], pauses_s: list[float]) -> None:
    pauses = RestartPauses()
    assert (FIRST_S, LONGEST_S) == (0.5, 30)
    assert [pauses.after(each) for each in ran_s] == pauses_s


def test_when_no_worker_comes_up_the_supervisor_ends_and_says_why(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    given = settings(tmp_path)
    why = pytest.raises(WorkersFailed, match=r"^no worker process comes up: no policy$")
    with supervising(given, serves_once) as opened, caplog.at_level(logging.ERROR), why:
        run(opened)
    began_s = starts(given)
    assert len(began_s) == 1 + 5
    waited_s = [later - earlier for earlier, later in pairwise(began_s)]
    assert all(waited >= PAUSE_S * least for waited, least in zip(waited_s, [0, 1, 2, 4, 8], strict=True))
    assert [record.getMessage().partition(" ended: ")[2] for record in caplog.records] == [
        "see above; it is replaced",
        *["no policy; it is replaced"] * 5,
    ]


@pytest.mark.fault(row=12)
@pytest.mark.parametrize("protected", [True, False], ids=["protected", "unprotected"])
def test_a_killed_worker_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protected: bool) -> None:
    """Unprotected, no worker serves again."""
    if not protected:
        monkeypatch.setattr(WorkerSlot, "replace_if_ended", lambda _: False)
    given = settings(tmp_path)
    with supervising(given, serves) as opened:
        (slot,) = opened._slots
        killed = slot.pid
        os.kill(killed, signal.SIGKILL)

        def serves_again() -> bool:
            opened._turn()
            return bool(slot.pid != killed and slot.start_line)

        if protected:
            eventually(serves_again)
            assert (opened._not_ready(), slot.failures) == ("", 0)
        else:
            eventually(lambda: not slot.alive)
            assert not any(serves_again() for _ in range(5))
