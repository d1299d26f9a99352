"""A real Prometheus on the loopback interface, with the shortened rules, and what its HTTP API says."""

import json
import shutil
import subprocess
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.parse import urlencode

import yaml

from tests.deploy.alert_rules import RULES
from tests.monitor.free_ports import free_port
from tests.monitor.shortened_rules import shorten
from tests.waiting import eventually


class MissingProgram(Exception):
    """Prometheus is not installed."""


class Series(NamedTuple):
    """One series over a time: its labels, and its values by time (seconds since 1970)."""

    labels: Mapping[str, str]
    values: Sequence[tuple[float, float]]


def find_prometheus() -> str:
    """Find the program. Raises ``MissingProgram``."""
    found = shutil.which("prometheus")
    if found is None:
        raise MissingProgram("prometheus is missing: apt install prometheus")
    return found


class PrometheusServer:
    """Scrapes two instances of one job; a context manager that is open while it runs.

    The second is scraped over TLS, with a certificate of ``authority``.
    """

    def __init__(self, directory: Path, plain: str, guarded: str, authority: Path) -> None:
        directory.mkdir()
        for path in RULES:
            (directory / path.name).write_text(shorten(path.read_text()))
        (directory / "prometheus.yml").write_text(yaml.safe_dump(_configuration(plain, guarded, authority)))
        self._port = free_port()
        command = [find_prometheus(), f"--config.file={directory / 'prometheus.yml'}", "--log.level=error"]
        command += [f"--storage.tsdb.path={directory / 'data'}", f"--web.listen-address=127.0.0.1:{self._port}"]
        with (directory / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)

    def __enter__(self) -> Self:
        eventually(self._is_ready)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(10)

    def firing(self) -> set[str]:
        """Return the names of the alerts that fire."""
        alerts = self._ask("alerts")["alerts"]
        return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}

    def range(self, query: str, start_s: float, end_s: float, step_s: float = 1) -> list[Series]:
        """Return what a query gives from one time (seconds since 1970) to another."""
        found = self._ask("query_range", query=query, start=start_s, end=end_s, step=step_s)
        return [
            Series(each["metric"], [(time_s, float(value)) for time_s, value in each["values"]])
            for each in found["result"]
        ]

    def _is_ready(self) -> bool:
        try:
            return bool(self._ask("query", query="up")["result"])
        except OSError:
            return False

    def _ask(self, path: str, **parameters: Any) -> Any:
        url = f"http://127.0.0.1:{self._port}/api/v1/{path}?{urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)["data"]


def _configuration(plain: str, guarded: str, authority: Path) -> dict[str, Any]:
    tls = {"scheme": "https", "tls_config": {"ca_file": str(authority)}}
    return {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "500ms"},
        "rule_files": [path.name for path in RULES],
        "scrape_configs": [_job("plain", plain), _job("guarded", guarded) | tls],
    }


def _job(name: str, target: str) -> dict[str, Any]:
    """Return a scrape configuration whose series have the job that the rules expect."""
    return {
        "job_name": name,
        "static_configs": [{"targets": [target]}],
        "relabel_configs": [{"target_label": "job", "replacement": "adtargeting"}],
    }
