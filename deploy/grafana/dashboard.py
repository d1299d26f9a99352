"""The dashboard as Grafana reads it: ``python -m deploy.grafana.dashboard`` writes ``adtargeting.json``."""

from itertools import count
from pathlib import Path
from typing import Final, TypeVar

from grafana_foundation_sdk.builders.common import GraphThresholdsStyleConfig, StackingConfig, VizLegendOptions
from grafana_foundation_sdk.builders.dashboard import (
    Dashboard,
    DatasourceVariable,
    QueryVariable,
    Row,
    ThresholdsConfig,
)
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.timeseries import Panel as TimeSeries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import GraphThresholdsStyleMode, LegendDisplayMode, StackingMode
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DataSourceRef,
    Threshold,
    ThresholdsMode,
    VariableRefresh,
)

from deploy.grafana.graphs import RATIO, Graph
from deploy.grafana.sections import SECTIONS

PATH: Final = Path(__file__).with_name("adtargeting.json")
_DATASOURCE: Final = DataSourceRef(type_val="prometheus", uid="${datasource}")
_HEIGHT, _HEIGHT_OF_NUMBERS = 8, 4
_Panel = TypeVar("_Panel", Stat, TimeSeries)


def dashboard_json() -> str:
    """Return the dashboard in JSON."""
    dashboard = (
        Dashboard("adtargeting")
        .uid("adtargeting")
        .description("Decisions, latency, store, preferences, networks and processes of adtargeting.")
        .tags(["adtargeting"])
        .time("now-1h", "now")
        .refresh("30s")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .with_variable(DatasourceVariable("datasource").label("Data source").type("prometheus"))
        .with_variable(_labels_of("job", "label_values(adtargeting_build_info, job)"))
        .with_variable(
            _labels_of("instance", 'label_values(adtargeting_build_info{job="$job"}, instance)')
            .multi(multi=True)
            .include_all(include_all=True)
            .all_value(".*")
        )
    )
    ids = count(1)
    for section in SECTIONS:
        dashboard.with_row(Row(section.title).id(next(ids)))
        for graph in section.graphs:
            panel = _number(graph) if graph.latest else _time_series(graph)
            dashboard.with_panel(panel.id(next(ids)))
    return JSONEncoder(indent=2, sort_keys=True).encode(dashboard.build()) + "\n"


def _labels_of(name: str, query: str) -> QueryVariable:
    return (
        QueryVariable(name)
        .label(name)
        .datasource(_DATASOURCE)
        .query(query)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
    )


def _number(graph: Graph) -> Stat:
    panel = Stat().height(_HEIGHT_OF_NUMBERS).thresholds(_thresholds(graph))
    if graph.unit == RATIO:
        panel.decimals(2)
    return _filled(panel, graph)


def _time_series(graph: Graph) -> TimeSeries:
    legend = VizLegendOptions().display_mode(LegendDisplayMode.LIST).show_legend(show_legend=True)
    panel = TimeSeries().height(_HEIGHT).legend(legend).min(0).fill_opacity(8)
    if graph.stacked:
        panel.stacking(StackingConfig().mode(StackingMode.NORMAL)).fill_opacity(40)
    if graph.limit is not None:
        line = GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.DASHED)
        panel.thresholds(_thresholds(graph)).thresholds_style(line)
    return _filled(panel, graph)


def _thresholds(graph: Graph) -> ThresholdsConfig:
    colours = ("red", "green") if graph.is_floor else ("green", "red")
    steps = [Threshold(value, colour) for value, colour in zip((None, graph.limit), colours, strict=True)]
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps if graph.limit is not None else steps[:1])


def _filled(panel: _Panel, graph: Graph) -> _Panel:
    panel.title(graph.title).description(graph.text).unit(graph.unit).span(graph.width).datasource(_DATASOURCE)
    for index, query in enumerate(graph.queries):
        panel.with_target(
            Dataquery()
            .ref_id(chr(ord("A") + index))
            .expr(query.expr)
            .legend_format(query.legend)
            .datasource(_DATASOURCE)
        )
    return panel


def main() -> None:
    """Write the dashboard."""
    PATH.write_text(dashboard_json(), encoding="utf-8")


if __name__ == "__main__":
    main()
