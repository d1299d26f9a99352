"""A client needs nothing but the contract: three files that compile alone, and a package of their stubs."""

import re
import shutil
import subprocess
import sys
import tomllib
import venv
from importlib.metadata import Distribution, distribution
from pathlib import Path
from zipfile import ZipFile

import pytest
from adtargeting.v1 import targeting_pb2
from generate_stubs import ROOT
from grpc_tools import protoc

from tests.node_tools import MODULES, NODE_DIRECTORY, needs_node

SERVICES = "adtargeting.v1.PreferenceService adtargeting.v1.ProfileService adtargeting.v1.TargetingService"
LIBRARIES = {"grpcio", "protobuf"}
IMPORT_ALL = "import adtargeting.v1.{}_pb2_grpc as module; print(module.__file__)"


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the .proto files and nothing else."""
    target = tmp_path / "copy" / "adtargeting" / "v1"
    target.mkdir(parents=True)
    for proto in ROOT.glob("adtargeting/v1/*.proto"):
        shutil.copy(proto, target)
    return tmp_path / "copy"


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """The wheel that ``pip install ./proto`` builds."""
    source = tmp_path / "source"
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns("__pycache__"))
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(tmp_path), str(source))
    return next(tmp_path.glob("adtargeting_proto-*.whl"))


def pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    subprocess.run(command, check=True, capture_output=True, text=True)


def test_protoc_compiles_the_three_files_alone(copied: Path, tmp_path: Path) -> None:
    well_known = Path(protoc.__file__).parent / "_proto"
    sources = [str(path) for path in copied.rglob("*.proto")]
    assert len(sources) == 3
    out = tmp_path / "descriptors"
    assert protoc.main(["protoc", f"-I{copied}", f"-I{well_known}", f"--descriptor_set_out={out}", *sources]) == 0
    assert out.stat().st_size > 0


@needs_node
def test_node_loads_the_three_files_alone(copied: Path) -> None:
    command = ["node", str(NODE_DIRECTORY / "load_protos.js"), str(copied)]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout.split() == SERVICES.split()


@needs_node
def test_buf_finds_nothing_to_complain_about() -> None:
    linted = subprocess.run([MODULES / ".bin" / "buf", "lint", ROOT], check=False, capture_output=True, text=True)
    assert (linted.returncode, linted.stdout) == (0, "")


@pytest.mark.parametrize("proto", sorted(ROOT.glob("adtargeting/v1/*.proto")), ids=lambda path: path.name)
def test_a_file_imports_only_the_contract_and_well_known_types(proto: Path) -> None:
    for name in re.findall(r'^import "(.+)";', proto.read_text(), re.MULTILINE):
        assert name.startswith("google/protobuf/") or (ROOT / name).is_file(), name


def test_a_removed_field_is_never_used_again() -> None:
    proto = (ROOT / "adtargeting/v1/targeting.proto").read_text()
    assert 'reserved 7;\n  reserved "user_agent";' in proto
    assert 7 not in targeting_pb2.DecideRequest.DESCRIPTOR.fields_by_number


def test_the_package_has_the_version_of_the_service() -> None:
    def version(directory: Path) -> str:
        return str(tomllib.loads((directory / "pyproject.toml").read_text())["project"]["version"])

    assert version(ROOT) == version(ROOT.parent)


def test_the_wheel_needs_grpcio_and_protobuf_and_nothing_else(wheel: Path, tmp_path: Path) -> None:
    unpacked = tmp_path / "site"
    with ZipFile(wheel) as archive:
        archive.extractall(unpacked)
    needed = requirements(Distribution.at(next(unpacked.glob("*.dist-info"))))
    assert needed == LIBRARIES
    for name in closure(needed):
        link(distribution(name), unpacked)
    # -I -S: neither this environment's packages nor the checkout can be found.
    program = f"import sys; sys.path.append({str(unpacked)!r}); {IMPORT_ALL.format('profile')}"
    loaded = subprocess.run([sys.executable, "-I", "-S", "-c", program], check=True, capture_output=True, text=True)
    assert Path(loaded.stdout.strip()).is_relative_to(unpacked)


def test_the_wheel_of_the_service_bundles_the_same_stubs(wheel: Path, tmp_path: Path) -> None:
    source = tmp_path / "service"
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        source.mkdir(exist_ok=True)
        shutil.copy(ROOT.parent / name, source)
    for name in ("server", "targeting", "proto"):
        shutil.copytree(ROOT.parent / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(tmp_path), str(source))
    with ZipFile(wheel) as client, ZipFile(next(tmp_path.glob("adtargeting-*.whl"))) as service:
        stubs = {name for name in client.namelist() if name.startswith("adtargeting/")}
        assert len(stubs) > 9
        assert all(client.read(name) == service.read(name) for name in stubs)
        (metadata,) = (name for name in service.namelist() if name.endswith("/METADATA"))
        assert b"adtargeting-proto" not in service.read(metadata)


@pytest.mark.slow
def test_pip_installs_the_package_in_a_new_environment(tmp_path: Path) -> None:
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    command = [str(python), "-m", "pip", "install", "--quiet", str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, text=True)
    program = IMPORT_ALL.format("targeting")
    loaded = subprocess.run([str(python), "-I", "-c", program], check=True, capture_output=True, text=True)
    assert Path(loaded.stdout.strip()).is_relative_to(tmp_path)


def requirements(package: Distribution) -> set[str]:
    """Return the names of the packages that a distribution needs, its extras left out."""
    lines = [line for line in package.requires or () if "extra ==" not in line]
    return {re.split(r"[^\w.-]", line, maxsplit=1)[0].lower() for line in lines}


def closure(names: set[str]) -> set[str]:
    """Return the names, and those of all that they need in turn."""
    return names.union(*(closure(requirements(distribution(name))) for name in names))


def link(package: Distribution, target: Path) -> None:
    """Make the files of an installed distribution visible below a directory."""
    for file in package.files or ():
        source, link = Path(str(package.locate_file(file))), target / file
        if ".." not in file.parts and not link.exists():
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(source)
