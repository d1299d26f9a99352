"""A disk that is really full: a small file system in memory, which takes the right to mount one."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from adtargeting.v1 import preference_pb2 as preferences
from adtargeting.v1.preference_pb2_grpc import PreferenceServiceStub

from server.store.ports import StoreError
from server.store.redis.probe import ServerCheck
from server.store.refusals import WriteRefusals
from targeting.model import Subject, SubjectKind
from targeting.records.preference import decode_preference
from tests.faults.known_person import KnownPerson, known_person
from tests.faults.matrix.marks import Figure
from tests.faults.redis_process import RedisProcess
from tests.rpc import health
from tests.server.running_service import wait_until

pytestmark = pytest.mark.fault(row=24)

WRITING = "adtargeting.v1.PreferenceService"
_BLOCK = bytes(4096)


class SmallDisk:
    """A file system of 8 MiB."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._filler = path / "filler"

    def fill(self) -> None:
        file = os.open(self._filler, os.O_WRONLY | os.O_CREAT)
        try:
            while os.write(file, _BLOCK):
                pass
        except OSError:
            return
        finally:
            os.close(file)

    def free(self) -> None:
        self._filler.unlink()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    path = tmp_path / "disk"
    path.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(path)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"needs the right to mount a file system: {mounted.stderr.strip()}")
    try:
        yield SmallDisk(path)
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


class People:
    """Opt out one after the other, and are remembered when that was acknowledged."""

    def __init__(self, alice: KnownPerson) -> None:
        self._alice = alice
        self._stub = PreferenceServiceStub(alice.channel)
        self.asked = 0
        self.acknowledged: list[Subject] = []

    def opt_out(self) -> bool:
        """Return whether the next one's opt-out was acknowledged."""
        self.asked += 1
        subject = Subject(SubjectKind.ACCOUNT, f"person {self.asked}")
        request = preferences.SetPreferenceRequest(account_id=subject.id, choice=preferences.CHOICE_OPT_OUT)
        try:
            self._stub.SetPreference(request, timeout=10)
        except grpc.RpcError:
            return False
        self.acknowledged.append(subject)
        return True

    def check_records(self) -> None:
        """Every acknowledged opt-out is there, and every record that is there is whole."""
        backend = self._alice.service.store.backend
        store = backend.open_store(self._alice.service.store.pseudonyms)
        everyone = [Subject(SubjectKind.ACCOUNT, f"person {number + 1}") for number in range(self.asked)]
        held = dict(zip(everyone, self._alice.service.store.sealing(store).read(everyone, 5.0), strict=True))
        store.close()
        assert all(held[subject].preference is not None for subject in self.acknowledged)
        for records in held.values():
            if records.preference is not None:
                decode_preference(records.preference, records.owner)


def is_full(redis: RedisProcess) -> bool:
    """Whether the server refuses what no longer fits, after it has used up the last page."""
    try:
        redis.ask(b"SET", b"another", _BLOCK)
    except StoreError:
        return True
    return False


@pytest.mark.parametrize("protected", [True, False], ids=["protected", "unprotected"])
def test_a_server_whose_disk_is_full(
    tmp_path: Path,
    disk: SmallDisk,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    figure: Figure,
    protected: bool,
) -> None:
    """With the protection off, the health check only reads, and refused writes do not count."""
    checks: list[None] = []

    def read(check: ServerCheck, deadline_s: float) -> None:
        check.connect(deadline_s).ask((b"EXISTS", b"anything"), deadline_s)
        checks.append(None)

    if not protected:
        monkeypatch.setattr(ServerCheck, "check", read)
        monkeypatch.setattr(WriteRefusals, "refused", lambda *_: None)
    everysec = ("--appendonly", "yes", "--appendfsync", "everysec")
    with (
        RedisProcess(disk.path / "redis", *everysec) as redis,
        known_person(tmp_path, redis_url=f"redis://127.0.0.1:{redis.port}/0") as alice,
    ):
        people = People(alice)
        assert people.opt_out()
        disk.fill()
        wait_until(lambda: is_full(redis))
        assert not people.opt_out()
        if not protected:
            before = len(checks)
            wait_until(lambda: len(checks) >= before + 3)
            assert health(alice.channel, WRITING) == "SERVING"
            return
        wait_until(lambda: health(alice.channel, WRITING) == "NOT_SERVING")
        assert alice.is_behavioural()
        assert "it cannot write to its disk" in caplog.text
        disk.free()
        wait_until(lambda: health(alice.channel, WRITING) == "SERVING")
        assert people.opt_out()
        redis.kill()
        redis.start()
        wait_until(alice.is_behavioural)
        people.check_records()
        figure(f"full disk: {len(people.acknowledged)} of {people.asked} opt-outs acknowledged, all of them kept")


def test_an_embedded_store_whose_disk_is_full(
    tmp_path: Path, disk: SmallDisk, caplog: pytest.LogCaptureFixture
) -> None:
    """It syncs every write, so it ends with the first that does not fit, and is started again once there is room."""
    with known_person(tmp_path, data_dir=disk.path / "data") as alice:
        people = People(alice)
        assert people.opt_out()
        disk.fill()
        wait_until(lambda: not people.opt_out())
        wait_until(lambda: health(alice.channel, WRITING) == "NOT_SERVING")
        wait_until(lambda: "cannot write to the directory: No space left on device" in caplog.text)
        disk.free()
        wait_until(lambda: health(alice.channel, WRITING) == "SERVING", timeout_s=40)
        wait_until(alice.is_behavioural)
        assert people.opt_out()
        people.check_records()
