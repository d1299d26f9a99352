"""Turns the reports of a pytest run, also of one spread over processes, into evidence for the fault matrix."""

from collections import defaultdict
from pathlib import Path

import pytest

from tests.faults.matrix.evidence_file import write_evidence
from tests.faults.matrix.marks import CLAIM, FIGURE, Claim
from tests.faults.matrix.verdicts import Evidence


class EvidenceCollector:
    """A pytest plugin that keeps what the tests with a claim did."""

    def __init__(self) -> None:
        self._reports: defaultdict[str, list[pytest.TestReport]] = defaultdict(list)
        self.uncollected: list[str] = []
        """Modules that could not be imported: what their tests would have shown is unknown."""

    @property
    def evidence(self) -> list[Evidence]:
        """One entry a test and claim."""
        return [each for reports in self._reports.values() for each in _evidence(reports)]

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep the name of a module that cannot be imported."""
        if report.failed:
            self.uncollected.append(report.nodeid or "a module outside the repository")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the report of one phase of a test: its set-up, its call or its end."""
        self._reports[report.nodeid].append(report)


class EvidenceRecorder(EvidenceCollector):
    """A pytest plugin that writes the evidence to a file at the end of the run."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def pytest_sessionfinish(self) -> None:
        """Write the file."""
        write_evidence(self._path, self.evidence)


def _evidence(reports: list[pytest.TestReport]) -> list[Evidence]:
    outcomes = {report.outcome for report in reports}
    outcome = next(each for each in ("failed", "skipped", "passed") if each in outcomes)
    properties = dict.fromkeys((name, _hashable(value)) for report in reports for name, value in report.user_properties)
    figures = tuple(str(value) for name, value in properties if name == FIGURE)
    seconds = sum(report.duration for report in reports)
    return [
        Evidence(reports[0].nodeid, Claim(*value), outcome, figures, seconds)
        for name, value in properties
        if name == CLAIM and isinstance(value, tuple)
    ]


def _hashable(value: object) -> object:
    """Return a claim as it was: between processes a tuple travels as a list."""
    return tuple(value) if isinstance(value, list) else value
