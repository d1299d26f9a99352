"""The manifests: rendered by kustomize, valid by the schemas of Kubernetes, and safe by their own rules."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from server.policy.policy_file import load_policy
from tests.deploy.tools import DEPLOY, ROOT, SETTINGS, program, run

BASE = DEPLOY / "kubernetes" / "base"
OVERLAY = DEPLOY / "kubernetes" / "overlays" / "production"
MANIFESTS = sorted(path for path in BASE.glob("*.yaml") if path.name != "kustomization.yaml")
Manifest = dict[str, Any]

rendered = pytest.mark.parametrize("directory", [BASE, OVERLAY], ids=lambda path: path.name)


def render(directory: Path) -> list[Manifest]:
    kubectl = program("kubectl")
    if not re.search(r"Kustomize Version: v[5-9]", run(kubectl, "version", "--client").stdout):
        pytest.skip("needs kubectl with kustomize 5 or newer")
    shown = run(kubectl, "kustomize", directory)
    assert shown.returncode == 0, shown.stderr
    return list(yaml.safe_load_all(shown.stdout))


def by_kind(manifests: list[Manifest]) -> dict[str, Manifest]:
    return {manifest["kind"]: manifest for manifest in manifests}


@rendered
def test_what_is_rendered_is_valid(directory: Path, tmp_path: Path) -> None:
    manifests = render(directory)
    path = tmp_path / "rendered.yaml"
    path.write_text(yaml.safe_dump_all(manifests))
    validated = run(program("kubernetes-validate"), "--strict", path)
    assert validated.returncode == 0, validated.stdout + validated.stderr
    assert validated.stdout.count(" passed ") + validated.stderr.count(" passed ") == len(manifests)


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: path.stem)
def test_a_manifest_by_itself_is_yaml_of_one_object(manifest: Path) -> None:
    (found,) = yaml.safe_load_all(manifest.read_text())
    assert found["metadata"]["name"] == "adtargeting"


def container() -> Manifest:
    deployment = yaml.safe_load((BASE / "deployment.yaml").read_text())
    (found,) = deployment["spec"]["template"]["spec"]["containers"]
    return dict(found)


def test_its_settings_are_settings() -> None:
    assert {variable["name"] for variable in container()["env"]} <= SETTINGS


def test_secrets_come_from_secrets() -> None:
    for variable in container()["env"]:
        if variable["name"] in {"ADTARGETING_REDIS_URL"}:
            assert "secretKeyRef" in variable["valueFrom"]


def test_the_pod_is_confined() -> None:
    assert container()["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert set(container()["resources"]["limits"]) == {"memory"}


def test_every_probe_asks_the_service() -> None:
    paths = {"startupProbe": "/readyz", "livenessProbe": "/livez", "readinessProbe": "/readyz"}
    assert {probe: container()[probe]["httpGet"] for probe in paths} == {
        probe: {"path": path, "port": "metrics", "scheme": "HTTPS"} for probe, path in paths.items()
    }


@rendered
def test_the_selectors_find_the_pods(directory: Path) -> None:
    found = by_kind(render(directory))
    labels = found["Deployment"]["spec"]["template"]["metadata"]["labels"]
    for selector in (
        found["Deployment"]["spec"]["selector"]["matchLabels"],
        found["Service"]["spec"]["selector"],
        found["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        found["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
    ):
        assert selector
        assert selector.items() <= labels.items()


def test_the_overlay_changes_what_it_says() -> None:
    deployment = by_kind(render(OVERLAY))["Deployment"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert (deployment["spec"]["replicas"], deployment["metadata"]["namespace"]) == (4, "advertising")
    assert {"name": "ADTARGETING_REPLICAS", "value": "1"} in container["env"]


def test_the_image_has_the_version_of_the_project() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert container()["image"] == f"adtargeting:{version}"
    assert f"newTag: {version}}}" in (OVERLAY / "kustomization.yaml").read_text()


def test_the_policy_is_one() -> None:
    assert load_policy(BASE / "policy.toml").version == "kubernetes-1"
