"""Generate the committed stubs from the contract: ``python proto/generate_stubs.py [DIRECTORY]``."""

import sys
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).parent


def generate(into: Path) -> None:
    """Write the stubs below a directory. Raises RuntimeError when the compiler refuses the contract."""
    well_known = Path(protoc.__file__).parent / "_proto"
    sources = sorted(str(path) for path in ROOT.glob("adtargeting/v1/*.proto"))
    outputs = [f"--{kind}_out={into}" for kind in ("python", "pyi", "grpc_python")]
    if protoc.main(["protoc", f"-I{ROOT}", f"-I{well_known}", *outputs, *sources]) != 0:
        raise RuntimeError("protoc refused the contract")


if __name__ == "__main__":
    generate(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT)
