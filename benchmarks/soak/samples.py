"""What is looked at during a soak: the kernel's view of the service's processes, and its own metrics (Linux)."""

import re
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families

_PARENT = re.compile(r"^PPid:\s*(\d+)$", re.MULTILINE)
_THREADS = re.compile(r"^Threads:\s*(\d+)$", re.MULTILINE)
_RESIDENT_KIB = re.compile(r"^VmRSS:\s*(\d+) kB$", re.MULTILINE)
_STORE = re.compile(r"^Name:\s*(?:redis|valkey)", re.MULTILINE)


class Footprint(NamedTuple):
    """What the processes of the service hold: memory in MiB, open descriptors, threads."""

    resident_mib: float
    descriptors: int
    threads: int


class Counts(NamedTuple):
    """What the service has counted so far."""

    decisions: float
    limited: float
    timeouts: float
    circuit_open: float


def footprint(pid: int) -> Footprint:
    """Return what a process and its descendants hold, but for the embedded store, which holds the data."""
    statuses = dict(_family(pid))
    return Footprint(
        resident_mib=sum(_number(_RESIDENT_KIB, status) for status in statuses.values()) / 1024,
        descriptors=sum(_descriptors(each) for each in statuses),
        threads=sum(_number(_THREADS, status) for status in statuses.values()),
    )


def counts(metrics_url: str) -> Counts:
    """Read what the service has counted."""
    with urllib.request.urlopen(metrics_url, timeout=10) as answer:
        families = text_string_to_metric_families(answer.read().decode())
    samples = [sample for family in families for sample in family.samples]

    def total(name: str, **labels: str) -> float:
        return sum(each.value for each in samples if each.name == name and labels.items() <= each.labels.items())

    return Counts(
        decisions=total("adtargeting_decisions_total"),
        limited=total("adtargeting_decisions_total", mode="limited"),
        timeouts=total("adtargeting_limit_reasons_total", reason="store_timeout"),
        circuit_open=total("adtargeting_circuit_open"),
    )


def _family(pid: int) -> Iterator[tuple[int, str]]:
    """Return the ids and the status of a process and of all its descendants, without stores."""
    every = {int(path.parent.name): _read(path) for path in Path("/proc").glob("[0-9]*/status")}
    parents = {each: _number(_PARENT, status) for each, status in every.items()}
    wanted = [pid]
    while wanted:
        current = wanted.pop()
        if not _STORE.search(every.get(current, "")):
            yield current, every.get(current, "")
            wanted += [child for child, parent in parents.items() if parent == current]


def _read(path: Path) -> str:
    # A process may end between listing and reading.
    with suppress(FileNotFoundError, ProcessLookupError):
        return path.read_text(errors="replace")
    return ""


def _number(pattern: re.Pattern[str], status: str) -> int:
    found = pattern.search(status)
    return int(found[1]) if found else 0


def _descriptors(pid: int) -> int:
    with suppress(FileNotFoundError, ProcessLookupError, PermissionError):
        return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    return 0
