"""The Node packages that some tests use: ``make tools`` installs them below ``tests/node``."""

import shutil
from pathlib import Path
from typing import Final

import pytest

NODE_DIRECTORY: Final = Path(__file__).parent / "node"
MODULES: Final = NODE_DIRECTORY / "node_modules"

needs_node = pytest.mark.skipif(
    shutil.which("node") is None or not MODULES.is_dir(),
    reason="needs Node.js and the packages of tests/node: run `make tools`",
)
