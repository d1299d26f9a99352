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
def test_a_manifest_of_the_base_is_valid_by_itself(manifest: Path, tmp_path: Path) -> None:
    """But for the labels and selectors, which kustomize adds: here without it, so that no kubectl is needed."""
    (found,) = yaml.safe_load_all(manifest.read_text())
    assert found["metadata"]["name"] == "adtargeting"
    if found["kind"] == "Deployment":
        found["spec"]["selector"] = {"matchLabels": {"app": "any"}}
    path = tmp_path / "manifest.yaml"
    path.write_text(yaml.safe_dump(found))
    validated = run(program("kubernetes-validate"), "--strict", path)
    assert validated.returncode == 0, validated.stdout + validated.stderr


def test_a_mistake_in_a_manifest_is_found(tmp_path: Path) -> None:
    service = (BASE / "service.yaml").read_text()
    (tmp_path / "wrong.yaml").write_text(service.replace("appProtocol", "appProtocoll"))
    assert run(program("kubernetes-validate"), "--strict", tmp_path / "wrong.yaml").returncode != 0


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


def test_service_and_annotations_say_that_pods_speak_tls() -> None:
    """``https`` is the service name that IANA has for it; ``kubernetes.io/h2c`` would be cleartext."""
    (port,) = yaml.safe_load((BASE / "service.yaml").read_text())["spec"]["ports"]
    template = yaml.safe_load((BASE / "deployment.yaml").read_text())["spec"]["template"]
    assert "ADTARGETING_TLS_CERT" in {variable["name"] for variable in container()["env"]}
    assert port["appProtocol"] == "https"
    assert template["metadata"]["annotations"] == {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": "9464",
        "prometheus.io/scheme": "https",
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
    values = {variable["name"]: variable.get("value") for variable in container["env"]}
    assert (values["ADTARGETING_REPLICAS"], values["ADTARGETING_PROCESSES"]) == ("1", "2")
    assert values["ADTARGETING_DRAIN_DELAY_S"] == "10"


def test_the_image_has_the_version_of_the_project() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert container()["image"] == f"adtargeting:{version}"
    assert f"newTag: {version}}}" in (OVERLAY / "kustomization.yaml").read_text()


def test_the_policy_is_one() -> None:
    assert load_policy(BASE / "policy.toml").version == "kubernetes-1"
