"""How many processes ``auto`` is: by the CPU affinity and by the quotas of control groups, as a container has them."""

import os
from pathlib import Path

import pytest

from server.processes import serving
from server.processes.serving import process_count
from server.processes.usable_cores import usable_cores
from server.settings import Settings


@pytest.mark.parametrize(
    ("asked", "cores", "processes"),
    [("auto", 1, 1), ("auto", 2, 1), ("auto", 3, 2), ("auto", 16, 15), ("auto", 256, 64), ("1", 16, 1), ("4", 1, 4)],
)
def test_auto_leaves_a_core_to_the_store(
    monkeypatch: pytest.MonkeyPatch, asked: str, cores: int, processes: int
) -> None:
    monkeypatch.setattr(serving, "usable_cores", lambda: cores)
    assert process_count(Settings(processes=asked)) == processes


V2 = "0::/pod/worker\n"
V1 = "7:memory:/pod\n4:cpu,cpuacct:/pod/worker\n1:name=systemd:/pod\n0::/\n"
QUOTAS = [
    pytest.param(V2, {}, 16, id="none"),
    pytest.param(V2, {"pod/worker/cpu.max": "200000 100000\n"}, 2, id="a container of two cores"),
    pytest.param(V2, {"cpu.max": "200000 100000\n"}, 2, id="seen from inside the container"),
    pytest.param(V2, {"pod/worker/cpu.max": "max 100000\n", "pod/cpu.max": "150000 50000\n"}, 3, id="of a group above"),
    pytest.param(V2, {"pod/worker/cpu.max": "max 100000\n", "pod/cpu.max": "max 100000\n"}, 16, id="no limit"),
    pytest.param(V2, {"pod/worker/cpu.max": "250000 100000\n"}, 2, id="half a core more is not a core"),
    pytest.param(V2, {"pod/worker/cpu.max": "50000 100000\n"}, 1, id="half a core"),
    pytest.param(V2, {"pod/worker/cpu.max": "6400000 100000\n"}, 16, id="more than there are"),
    pytest.param(V2, {"pod/worker/cpu.max": "much\n"}, 16, id="another form"),
    pytest.param("0::/../..\n", {"cpu.max": "200000 100000\n"}, 2, id="outside of the namespace's root"),
    pytest.param("", {"cpu.max": "200000 100000\n"}, 16, id="in no group"),
    pytest.param(
        V1, {"cpu/pod/worker/cpu.cfs_quota_us": "300000\n", "cpu/pod/worker/cpu.cfs_period_us": "100000\n"}, 3, id="v1"
    ),
    pytest.param(
        V1, {"cpu/cpu.cfs_quota_us": "300000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 3, id="v1, inside the container"
    ),
    pytest.param(
        V1, {"cpu/pod/cpu.cfs_quota_us": "-1\n", "cpu/pod/cpu.cfs_period_us": "100000\n"}, 16, id="v1, no limit"
    ),
    pytest.param(V1, {"cpu/pod/cpu.cfs_quota_us": "100000\n"}, 16, id="v1, half of it"),
]


@pytest.mark.parametrize(("membership", "files", "cores"), QUOTAS)
def test_a_quota_counts_where_it_is_less_than_the_affinity(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, membership: str, files: dict[str, str], cores: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)), raising=False)
    (tmp_path / "membership").write_text(membership)
    for name, text in files.items():
        path = tmp_path / "mount" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert usable_cores(tmp_path / "membership", tmp_path / "mount") == cores


def test_a_machine_without_control_groups_or_affinity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    assert usable_cores(tmp_path / "none", tmp_path) == 3


def test_on_this_machine_it_is_a_number_of_cores() -> None:
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)
