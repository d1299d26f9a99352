"""How many cores this process may use: its CPU affinity, and the CPU quotas of its control groups.

A container's CPU limit is a quota, and the affinity still shows every core of the machine. Sources: the kernel's
Documentation/admin-guide/cgroup-v2.rst (``cpu.max``) and scheduler/sched-bwc.rst (``cpu.cfs_quota_us``). Invariant: a
machine without control groups, or with files of another form, is one without quotas.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_MEMBERSHIP: Final = Path("/proc/self/cgroup")
_MOUNT: Final = Path("/sys/fs/cgroup")


def usable_cores(membership: Path = _MEMBERSHIP, mount: Path = _MOUNT) -> int:
    """Return the number of whole cores, at least 1.

    ``membership`` lists the control groups of this process, and ``mount`` is where their hierarchies are mounted.
    """
    return max(1, int(min(_affinity(), *_quotas(membership, mount))))


def _affinity() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def _quotas(membership: Path, mount: Path) -> Iterator[float]:
    """Yield the quota of every group that this process is in, in cores; infinity for one without."""
    yield float("inf")
    for line in _read(membership).splitlines():
        controllers, _, path = line.partition(":")[2].partition(":")
        if not controllers:
            yield from map(_quota_v2, _groups(mount, path))
        elif "cpu" in controllers.split(","):
            yield from map(_quota_v1, _groups(mount / "cpu", path))


def _groups(hierarchy: Path, path: str) -> Iterator[Path]:
    """Yield a group and all above it, as the quota of each counts.

    In a container the path may be the machine's, of which only the root of the hierarchy is there.
    """
    group = hierarchy / path.lstrip("/")
    while group != hierarchy:
        yield group
        group = group.parent
    yield hierarchy


def _quota_v2(group: Path) -> float:
    return _cores(*_read(group / "cpu.max").split())


def _quota_v1(group: Path) -> float:
    return _cores(_read(group / "cpu.cfs_quota_us"), _read(group / "cpu.cfs_period_us"))


def _cores(quota_us: str = "", period_us: str = "", *_: str) -> float:
    """Return a quota as a number of cores; ``max`` (v2) and -1 (v1) mean none."""
    try:
        quota, period = int(quota_us), int(period_us)
    except ValueError:
        return float("inf")
    return quota / period if quota > 0 and period > 0 else float("inf")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, ValueError):
        return ""
