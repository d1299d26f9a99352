"""The dashboard: it is what its script makes, its queries parse, and together they show every metric."""

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.grafana.dashboard import PATH, dashboard_json
from deploy.grafana.sections import SECTIONS
from server.metrics.metrics import Metrics
from tests.deploy.alert_rules import exposed, metrics_in, recorded, recorded_in
from tests.deploy.tools import program, run

COMMITTED = json.loads(PATH.read_text())
QUERIES = [target["expr"] for panel in COMMITTED["panels"] for target in panel.get("targets", [])]
COLUMNS = 24


def test_it_is_what_its_script_makes() -> None:
    assert PATH.read_text() == dashboard_json(), "run `make dashboard`"


def test_grafanas_own_types_read_it() -> None:
    register_default_plugins()
    assert json.loads(JSONEncoder().encode(Dashboard.from_json(COMMITTED))) == COMMITTED


def parses(tmp_path: Path, queries: list[str]) -> bool:
    """Have promtool parse queries as the rules that they could be."""
    plain = [query.replace("$__rate_interval", "1m") for query in queries]
    rules = [{"record": f"query:{index}", "expr": query} for index, query in enumerate(plain)]
    path = tmp_path / "queries.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    return run(program("promtool"), "check", "rules", "--lint=none", path).returncode == 0


def test_every_query_parses(tmp_path: Path) -> None:
    assert parses(tmp_path, QUERIES)


def test_a_query_that_does_not_parse_is_found(tmp_path: Path) -> None:
    assert not parses(tmp_path, ["sum by (job) rate(up[5m])"])


def test_every_query_uses_what_exists() -> None:
    for query in QUERIES:
        used, records = metrics_in(query), recorded_in(query)
        assert used | records or "ALERTS" in query
        assert used <= exposed()
        assert records <= recorded()


def test_every_metric_is_shown() -> None:
    shown = set[str]().union(*map(metrics_in, QUERIES))
    for family in Metrics().registry.collect():
        if family.name.startswith("adtargeting_"):
            assert any(re.match(rf"{family.name}(_total|_bucket)?$", name) for name in shown), family.name


def test_every_alert_threshold_is_drawn() -> None:
    limits = {graph.title: graph.limit for section in SECTIONS for graph in section.graphs if graph.limit is not None}
    assert limits["Oldest unconfirmed choice"] == 60
    assert limits["Missed calls"] == 0.001


def rows() -> list[list[dict[str, Any]]]:
    """Return the panels that begin at one height, from left to right."""
    heights = sorted({panel["gridPos"]["y"] for panel in COMMITTED["panels"]})
    at = [[panel for panel in COMMITTED["panels"] if panel["gridPos"]["y"] == height] for height in heights]
    return [sorted(row, key=lambda panel: int(panel["gridPos"]["x"])) for row in at]


def test_the_panels_fill_every_row_and_have_ids_of_their_own() -> None:
    for row in rows():
        assert sum(panel["gridPos"]["w"] for panel in row) == COLUMNS
        for left, right in pairwise(row):
            assert left["gridPos"]["x"] + left["gridPos"]["w"] == right["gridPos"]["x"]
    ids = [panel["id"] for panel in COMMITTED["panels"]]
    assert sorted(ids) == list(range(1, len(ids) + 1))
