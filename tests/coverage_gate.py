"""Fail when a package is covered below its floor: ``python -m tests.coverage_gate REPORT package=percent …``."""

import json
import sys
from pathlib import Path


def covered(report: dict[str, dict[str, dict[str, dict[str, int]]]], package: str) -> float:
    """Percentage of statements and branches that ran, over all files of a package."""
    summaries = [file["summary"] for name, file in report["files"].items() if name.startswith(f"{package}/")]
    ran = sum(each["covered_lines"] + each["covered_branches"] for each in summaries)
    return 100 * ran / sum(each["num_statements"] + each["num_branches"] for each in summaries)


def main(arguments: list[str]) -> int:
    """Compare every package with its floor; 1 when one is below."""
    report = json.loads(Path(arguments[0]).read_text())
    status = 0
    for package, floor in (argument.split("=") for argument in arguments[1:]):
        percent = covered(report, package)
        enough = percent >= float(floor)
        print(f"{package}: {percent:.2f} % covered, floor {floor} %{'' if enough else ' — BELOW'}")
        status |= not enough
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
