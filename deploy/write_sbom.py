"""Write the bill of materials of an environment (CycloneDX): ``write_sbom.py PYTHON OUTPUT``.

Runs with the interpreter that has ``cyclonedx-bom``; ``make sbom`` does. Links of the packages to their sites are left
out: name, version, licence and purl identify a package, and links change without notice.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


def read_environment(python: str) -> dict[str, Any]:
    """Return the bill of materials of an interpreter's environment."""
    command = [sys.executable, "-m", "cyclonedx_py", "environment", "--output-reproducible", "--short-PURLs"]
    command += ["--pyproject", str(ROOT / "pyproject.toml"), python]
    bill: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return bill


def without_links(value: Any) -> Any:
    """Return a part of the bill without its external references."""
    if isinstance(value, dict):
        return {name: without_links(each) for name, each in value.items() if name != "externalReferences"}
    return [without_links(each) for each in value] if isinstance(value, list) else value


if __name__ == "__main__":
    bill = without_links(read_environment(sys.argv[1]))
    Path(sys.argv[2]).write_text(json.dumps(bill, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
