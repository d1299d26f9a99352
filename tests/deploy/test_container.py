"""The container: two stages, no root, nothing fetched but hashed packages; its steps run without an engine."""

import os
import re
import shutil
import subprocess
import sys
import threading
import tomllib
from pathlib import Path

import pytest

from server.app import Service
from server.settings import Settings
from tests.deploy.tools import DEPLOY, ROOT, program, run, settings_in
from tests.pki import Authority

CONTAINERFILE = DEPLOY / "container" / "Containerfile"
TEXT = CONTAINERFILE.read_text()
HEALTH = DEPLOY / "container" / "health.py"


def test_the_linter_finds_nothing() -> None:
    linted = run(program("hadolint"), CONTAINERFILE)
    assert (linted.returncode, linted.stdout) == (0, "")


def test_the_last_stage_has_no_root_and_a_health_check() -> None:
    stages = re.split(r"^FROM ", TEXT, flags=re.MULTILINE)[1:]
    assert len(stages) == 2
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", stages[-1], re.MULTILINE)
    assert "HEALTHCHECK" in stages[-1]
    assert "pip" not in stages[-1]


def test_the_labels_say_what_it_is_and_where_it_is_from() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    last = TEXT.rpartition("\nFROM ")[2]
    arguments = dict(re.findall(r"^ARG (\w+)=(\S+)$", last, re.MULTILINE))
    labels = dict(re.findall(r'org\.opencontainers\.image\.(\w+)="([^"]+)"', last))
    assert arguments["VERSION"] == version
    assert {labels[name] for name in ("version", "source", "revision")} == {f"${{{name}}}" for name in arguments}


def test_both_stages_begin_from_the_image_that_may_be_pinned() -> None:
    assert re.findall(r"^FROM (\S+)", TEXT, re.MULTILINE) == ["${PYTHON_IMAGE}"] * 2


def test_every_copied_file_exists() -> None:
    for line in re.findall(r"^COPY (?!--from)(.+) \S+$", TEXT, re.MULTILINE):
        for source in line.split():
            assert (ROOT / source).exists(), source


def test_only_hashed_packages_are_installed() -> None:
    script = (DEPLOY / "container" / "install.sh").read_text()
    build, packages, project, install = re.findall(r"^.*pip (?:install|wheel) .+$", script, re.MULTILINE)
    assert "--no-deps --require-hashes --requirement requirements-build.txt" in build
    assert packages.startswith("deploy/container/hashed_pip.sh requirements.txt ")
    assert project.endswith('pip wheel --no-deps --no-build-isolation --wheel-dir "$build" .')
    assert "--no-deps --no-index" in install


def test_temporary_files_go_where_a_read_only_container_can_write() -> None:
    directories = dict(re.findall(r"(ADTARGETING_DATA_DIR|TMPDIR)=(\S+)", TEXT))
    assert directories["TMPDIR"] == directories["ADTARGETING_DATA_DIR"]
    assert f"VOLUME {directories['TMPDIR']}\n" in TEXT


def test_its_settings_are_settings() -> None:
    assert settings_in(TEXT) <= {f"ADTARGETING_{name}" for name in ("DATA_DIR", "PROCESSES", "REDIS_URL")}


def health(address: str, certificate: str = "") -> int:
    environment = {**os.environ, "ADTARGETING_METRICS_ADDRESS": address, "ADTARGETING_TLS_CERT": certificate}
    return subprocess.run([sys.executable, HEALTH], check=False, env=environment, capture_output=True).returncode


@pytest.mark.parametrize("uses_tls", [True, False], ids=["TLS", "plaintext"])
def test_the_health_check_tells_a_service_that_decides(tmp_path: Path, uses_tls: bool) -> None:
    free, certificate, key = "127.0.0.1:0", "", ""
    if uses_tls:
        certificate, key = map(str, Authority().issue().write(tmp_path))
    settings = Settings(
        grpc_address=free,
        metrics_address=free,
        data_dir=tmp_path,
        tls_cert=certificate,
        tls_key=key,
        drain_delay_s=0,
        drain_grace_s=0,
    )
    with Service(settings) as service:
        port = service.metrics_address.rsplit(":", 1)[1]
        assert health(f"0.0.0.0:{port}", certificate) == 0
        service.drain(threading.Event())
        assert health(service.metrics_address, certificate) == 1
    assert health(service.metrics_address, certificate) == 1


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_build_step_installs_a_service_that_starts(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for line in re.findall(r"^COPY (?!--from)(.+) \S+$", TEXT, re.MULTILINE):
        for name in line.split():
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, source / name)
    prefix = tmp_path / "opt"
    clean = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHON": sys.executable}
    subprocess.run(["deploy/container/install.sh", prefix], check=True, cwd=source, env=clean, capture_output=True)
    data = tmp_path / "data"
    data.mkdir()
    environment = {**dict(re.findall(r"^(?:ENV|   ) (\w+)=(\S+)", TEXT, re.MULTILINE)), "PATH": os.environ["PATH"]}
    environment |= {"ADTARGETING_DATA_DIR": str(data), "TMPDIR": str(data)}
    environment |= {"ADTARGETING_GRPC_ADDRESS": "127.0.0.1:0", "ADTARGETING_METRICS_ADDRESS": "127.0.0.1:0"}
    command = [str(prefix / "bin" / "adtargeting"), "serve"]
    with subprocess.Popen(command, env=environment, cwd="/", stdout=subprocess.PIPE, text=True) as service:
        try:
            assert service.stdout
            line = service.stdout.readline()
            addresses = re.search(r"gRPC on (\S+) .* metrics on http://([\d.:]+)/", line)
            assert addresses
            asked = {"ADTARGETING_METRICS_ADDRESS": addresses[2]}
            subprocess.run([prefix / "bin" / "python", "-I", prefix / "health.py"], check=True, env=asked)
            call = [prefix / "bin" / "adtargeting", "decide", "--address", addresses[1], "--account", "a"]
            decided = subprocess.run(call, check=True, env={}, cwd="/", capture_output=True, text=True)
            assert decided.stdout.startswith("LIMITED")
        finally:
            service.terminate()
    assert service.returncode == 0
