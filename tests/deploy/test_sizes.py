"""The number of processes that each file of ``deploy/`` sets, and the memory and threads that it allows them."""

import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from server.settings import Settings
from tests.deploy.tools import DEPLOY, ROOT

ROOMS = 4
"""The three that calls wait in, and what is still arriving."""
WORKER_MIB = 128 + ROOMS * Settings().max_inflight_mib
SUPERVISOR_MIB = 128
WORKER_THREADS = 32
"""14 on two cores; numpy and h2corn start more of them on more."""
UNITS_MIB = {"Mi": 1, "m": 1, "Gi": 1024, "G": 1024}
"""As Kubernetes, podman and systemd write them."""
OPERATE = (ROOT / "docs" / "operate.md").read_text()


class Size(NamedTuple):
    """What a file sets."""

    processes: str
    memory: str

    @property
    def memory_mib(self) -> int:
        found = re.fullmatch(r"(\d+)(\D+)", self.memory)
        assert found
        return int(found[1]) * UNITS_MIB[found[2]]


def of_container(manifest: dict[str, Any]) -> Size:
    (container,) = manifest["spec"]["template"]["spec"]["containers"]
    values = {variable["name"]: variable.get("value", "") for variable in container["env"]}
    return Size(values.get("ADTARGETING_PROCESSES", "auto"), container["resources"]["limits"]["memory"])


def kubernetes_base() -> Size:
    return of_container(yaml.safe_load((DEPLOY / "kubernetes" / "base" / "deployment.yaml").read_text()))


def kubernetes_overlay() -> Size:
    overlay = yaml.safe_load((DEPLOY / "kubernetes" / "overlays" / "production" / "kustomization.yaml").read_text())
    patches = [yaml.safe_load(patch["patch"]) for patch in overlay["patches"]]
    (deployment,) = [patch for patch in patches if isinstance(patch, dict) and patch["kind"] == "Deployment"]
    return of_container(deployment)


def found(pattern: str, path: Path) -> str:
    match = re.search(pattern, path.read_text(), re.MULTILINE)
    return match[1] if match else "auto"


def systemd() -> Size:
    unit = DEPLOY / "systemd" / "adtargeting.service"
    return Size(found(r"^Environment=ADTARGETING_PROCESSES=(\S+)$", unit), found(r"^MemoryMax=(\S+)$", unit))


def container_image() -> Size:
    directory = DEPLOY / "container"
    return Size(
        found(r"ADTARGETING_PROCESSES=(\S+)", directory / "Containerfile"),
        found(r"--memory=(\S+)", directory / "README.md"),
    )


@pytest.mark.parametrize("size_of", [kubernetes_base, kubernetes_overlay, systemd, container_image])
def test_the_memory_is_enough_for_the_processes(size_of: Any) -> None:
    """The number is set: the cores of a machine say nothing about this memory."""
    size = size_of()
    assert size.processes.isdecimal()
    workers = int(size.processes)
    assert size.memory_mib >= workers * WORKER_MIB + SUPERVISOR_MIB * (workers > 1)


def test_the_unit_allows_the_threads_of_its_processes() -> None:
    most = int(found(r"^TasksMax=(\d+)$", DEPLOY / "systemd" / "adtargeting.service"))
    assert most >= (int(systemd().processes) + 1) * WORKER_THREADS


def test_the_page_for_operators_says_how_much_a_process_takes() -> None:
    text = " ".join(OPERATE.split())
    assert f"{WORKER_MIB} MiB for a worker, {SUPERVISOR_MIB} MiB for the supervisor" in text
