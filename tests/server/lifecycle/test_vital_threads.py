"""The end of a part that serving needs ends the process, with a line that says which."""

import subprocess
import sys
import threading
from pathlib import Path

import grpc
import pytest
from adtargeting.v1.preference_pb2 import GetPreferencesRequest
from adtargeting.v1.preference_pb2_grpc import PreferenceServiceStub

from server.app import Service
from server.calls.call_worker import CallWorker
from server.lifecycle.vital_threads import NAMES, VitalThreads
from tests.rpc import health
from tests.server.cli.conftest import ROOT
from tests.server.running_service import settings, wait_until

BREAK = {
    "thread call-worker": "from server.calls.call_worker import CallWorker as Part",
    "thread file-watch": "from server.files.file_watch import FileWatch as Part",
    "gate's event loop": "from server.decisions.worker import Worker as Part",
}
"""Parts whose code a test replaces by one that ends at once."""

PROGRAM = """
import sys
{part}

def end(self): pass
async def end_async(self): pass

for name, kind in (("run", "Worker"), ("run", "CallWorker"), ("_run", "FileWatch")):
    if Part.__name__ == kind:
        setattr(Part, name, end_async if kind == "Worker" else end)

from server.cli.main import main
sys.exit(main(["serve"]))
"""


@pytest.mark.fault(row=12)
@pytest.mark.parametrize("part", BREAK)
def test_a_part_that_ends_takes_its_process_down_and_says_so(tmp_path: Path, part: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(part=BREAK[part])],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=False,
        env={
            "PYTHONPATH": f"{ROOT}:{ROOT / 'proto'}",
            "ADTARGETING_GRPC_ADDRESS": "127.0.0.1:0",
            "ADTARGETING_METRICS_ADDRESS": "127.0.0.1:0",
            "ADTARGETING_DATA_DIR": str(tmp_path),
        },
    )
    assert ended.returncode == 1
    assert f"the {part} has ended unexpectedly" in ended.stderr


@pytest.mark.fault(row=12, protection_off=True)
def test_unwatched_health_says_serving_while_no_thread_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in this process looks at ``ended_part``; the command line does."""
    monkeypatch.setattr(CallWorker, "run", lambda _: None)
    with Service(settings(tmp_path)) as service, grpc.insecure_channel(service.address) as channel:
        wait_until(lambda: health(channel, "adtargeting.v1.PreferenceService") == "SERVING")
        with pytest.raises(grpc.RpcError) as caught:
            PreferenceServiceStub(channel).GetPreferences(GetPreferencesRequest(account_id="alice"), timeout=0.5)
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


def test_every_vital_thread_of_a_service_is_watched(tmp_path: Path) -> None:
    with Service(settings(tmp_path)) as service:
        assert {thread.name for thread in threading.enumerate()} >= set(NAMES)
        assert service.ended_part() == ""


@pytest.fixture
def own_names(monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """Names of this test alone: other services may run in the same process."""
    names = ("first-of-this-test", "second-of-this-test")
    monkeypatch.setattr("server.lifecycle.vital_threads.NAMES", names)
    return names


def test_a_thread_that_ends_is_named(own_names: tuple[str, ...]) -> None:
    ends = [threading.Event() for _ in own_names]
    threads = [threading.Thread(target=end.wait, name=name) for name, end in zip(own_names, ends, strict=True)]
    for thread in threads:
        thread.start()
    vital = VitalThreads()
    assert vital.ended() == ""
    ends[1].set()
    threads[1].join()
    assert vital.ended() == f"thread {own_names[1]}"
    ends[0].set()
    threads[0].join()


def test_a_thread_that_never_ran_counts_as_ended(own_names: tuple[str, ...]) -> None:
    assert VitalThreads().ended() == f"thread {own_names[0]}"
