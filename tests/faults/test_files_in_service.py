"""Files that hang, are empty or huge when a running service reads them again: it goes on as before, and recovers."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest
from adtargeting.v1 import targeting_pb2 as pb
from adtargeting.v1.targeting_pb2_grpc import TargetingServiceStub

from server.app import Service
from server.files import bounded_file
from server.policy import current_policy, policy_file
from server.policy.policy_file import load_policy
from tests.server.running_service import settings, wait_until

pytestmark = pytest.mark.fault(row=27)

PROTECTED = pytest.mark.parametrize("protected", [True, False], ids=["protected", "unprotected"])
STRICT = 'version = "strict"\n[signals]\nhonour_do_not_track = true\n'
DO_NOT_TRACK = pb.DecideRequest(account_id="a", ip="8.8.8.8", signals=pb.PrivacySignals(do_not_track=True))


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.toml"
    path.write_text(STRICT, encoding="ascii")
    return path


@pytest.fixture
def service(tmp_path: Path, policy: Path) -> Iterator[Service]:
    with Service(settings(tmp_path, policy=str(policy))) as running:
        yield running


Decide = Callable[[], pb.DecideResponse]


@pytest.fixture
def decide(service: Service) -> Iterator[Decide]:
    """Asks the service about a person who does not want to be tracked."""
    with grpc.insecure_channel(service.address) as channel:
        stub = TargetingServiceStub(channel)
        yield lambda: stub.Decide(DO_NOT_TRACK, timeout=10)


def replace(path: Path, text: str) -> None:
    path.with_suffix(".new").write_text(text, encoding="ascii")
    path.with_suffix(".new").rename(path)


@PROTECTED
def test_an_empty_policy_is_refused_on_reload(
    service: Service,
    decide: Decide,
    policy: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    protected: bool,
) -> None:
    """A file that is being written is empty for a moment. Accepted, it would mean the built-in policy."""
    if not protected:
        monkeypatch.setattr(current_policy, "load_policy", lambda path, **_: load_policy(path))
    assert pb.REASON_DO_NOT_TRACK in decide().reasons
    policy.write_text("", encoding="ascii")
    service.reload()
    assert (pb.REASON_DO_NOT_TRACK in decide().reasons) == protected
    assert ("policy reload refused" in caplog.text) == protected


def hang(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def grow(path: Path) -> None:
    os.truncate(path, 1 << 40)


@pytest.mark.parametrize("spoil", [hang, grow], ids=["a file that hangs", "a huge file"])
def test_decisions_go_on_while_a_file_is_read_and_a_good_one_is_taken_afterwards(
    service: Service,
    decide: Decide,
    policy: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    spoil: Callable[[Path], None],
) -> None:
    monkeypatch.setattr(bounded_file, "TIMEOUT_S", 0.2)
    spoil(policy)
    service.request_reload()
    wait_until(lambda: decide().policy_version == "strict" and "policy reload refused" in caplog.text)
    replace(policy, 'version = "next"\n')
    service.request_reload()
    wait_until(lambda: decide().policy_version == "next")


@pytest.mark.fault(row=27, protection_off=True)
def test_without_bounds_a_file_that_hangs_keeps_all_later_ones_from_being_read(
    service: Service, decide: Decide, policy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading: list[Path] = []

    def read_for_as_long_as_it_takes(path: Path, *_: object) -> bytes:
        reading.append(path.resolve())
        return reading[-1].read_bytes()

    monkeypatch.setattr(policy_file, "read_bounded", read_for_as_long_as_it_takes)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    policy.unlink()
    policy.symlink_to(pipe)
    service.request_reload()
    wait_until(lambda: reading == [pipe])
    replace(policy, 'version = "next"\n')
    service.request_reload()
    # The only thread that reads files now waits for a writer of the pipe, so this cannot change with time.
    assert {decide().policy_version for _ in range(50)} == {"strict"}
    assert reading == [pipe]
    pipe.write_bytes(b"")  # ends the reading
