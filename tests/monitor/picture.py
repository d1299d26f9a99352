"""A picture of the dashboard: its panels, drawn in their places from what a Prometheus answers to their queries."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

from deploy.grafana.dashboard import PATH
from tests.monitor.prometheus_server import PrometheusServer, Series

_COLUMNS: Final = 24
_COLUMN_INCHES, _ROW_INCHES, _DPI, _GAP = 0.64, 0.27, 90, 0.004
_VARIABLES: Final = {"$__rate_interval": "5s", "$job": "adtargeting", "$instance": ".*"}
_INK, _PALE, _GOOD, _BAD = "#24292e", "#8a9299", "#37872d", "#c4162a"
_COLOURS: Final = ("#3274d9", "#e0752d", "#37872d", "#a352cc", "#c4162a", "#00868b", "#b08800", "#7c2ea3", "#8a9299")
_MOST_IN_LEGEND, _LETTERS_A_COLUMN, _LETTERS_A_HANDLE = 6, 11, 4

Panel = Mapping[str, Any]


class Line(NamedTuple):
    """One line of a graph: its name, its times (seconds from the start) and its values."""

    name: str
    times: Sequence[float]
    values: Sequence[float]


class DashboardPicture:
    """Draws what the service did from one time to another (seconds since 1970)."""

    def __init__(self, prometheus: PrometheusServer, start_s: float, end_s: float) -> None:
        self._prometheus = prometheus
        self._span = (start_s, end_s)
        self._panels = json.loads(PATH.read_text())["panels"]
        self._rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in self._panels)
        self._width, self._height = _COLUMNS * _COLUMN_INCHES, self._rows * _ROW_INCHES

    def save(self, path: Path) -> None:
        """Write the picture as PNG."""
        rcParams.update({"font.size": 7.5, "axes.edgecolor": "#d0d5da", "text.color": _INK, "axes.linewidth": 0.6})
        figure = Figure(figsize=(self._width, self._height), dpi=_DPI, facecolor="#f4f5f5")
        for panel in self._panels:
            draw = {"row": self._draw_title, "stat": self._draw_number, "timeseries": self._draw_lines}
            draw[panel["type"]](figure, panel)
        figure.savefig(path)

    def _draw_title(self, figure: Figure, panel: Panel) -> None:
        left, bottom, _, height = self._place(panel)
        figure.text(left + _GAP, bottom + height * 0.3, panel["title"], fontsize=10, fontweight="bold")

    def _draw_number(self, figure: Figure, panel: Panel) -> None:
        left, bottom, width, height = self._card(figure, panel)
        (line,) = list(self._lines(panel))
        text, colour = _format(panel)(line.values[-1]), _colour(panel, line.values[-1])
        place = (left + width / 2, bottom + height * 0.36)
        figure.text(*place, text, fontsize=20, color=colour, ha="center", va="center")

    def _draw_lines(self, figure: Figure, panel: Panel) -> None:
        axes = self._axes(figure, panel)
        lines = sorted(self._lines(panel), key=lambda line: -max(line.values))
        lines = [line for line in lines if max(line.values) > 0] or lines
        if "stacking" in panel["fieldConfig"]["defaults"].get("custom", {}):
            _stack(axes, lines)
        else:
            for line, colour in zip(lines, _COLOURS * (len(lines) // len(_COLOURS) + 1), strict=False):
                axes.plot(line.times, line.values, color=colour, linewidth=1.1, label=line.name)
        _draw_limit(axes, panel, lines)
        _dress(axes, panel)

    def _lines(self, panel: Panel) -> Iterator[Line]:
        for target in panel["targets"]:
            for series in self._prometheus.range(_query(target["expr"]), *self._span):
                yield Line(
                    _legend(target["legendFormat"], series),
                    [time_s - self._span[0] for time_s, _ in series.values],
                    [value for _, value in series.values],
                )

    def _axes(self, figure: Figure, panel: Panel) -> Axes:
        left, bottom, width, height = self._card(figure, panel)
        left_margin, bottom_margin, top_margin = 0.55 / self._width, 0.56 / self._height, 0.34 / self._height
        size = (width - left_margin - _GAP, height - bottom_margin - top_margin)
        return figure.add_axes((left + left_margin, bottom + bottom_margin, *size))

    def _card(self, figure: Figure, panel: Panel) -> tuple[float, float, float, float]:
        """Draw the background and title of a panel; return its place."""
        left, bottom, width, height = self._place(panel)
        place = (left + _GAP / 2, bottom + _GAP / 2, width - _GAP, height - _GAP / 2)
        figure.patches.append(
            Rectangle(place[:2], *place[2:], transform=figure.transFigure, facecolor="white", zorder=-1)
        )
        top = bottom + height - 0.17 / self._height
        figure.text(left + 2 * _GAP, top, panel["title"], fontsize=8, va="center")
        return place

    def _place(self, panel: Panel) -> tuple[float, float, float, float]:
        """Return left, bottom, width and height, as shares of the picture."""
        grid = panel["gridPos"]
        return (
            grid["x"] / _COLUMNS,
            1 - (grid["y"] + grid["h"]) / self._rows,
            grid["w"] / _COLUMNS,
            grid["h"] / self._rows,
        )


def _query(expression: str) -> str:
    for name, value in _VARIABLES.items():
        expression = expression.replace(name, value)
    return expression


def _legend(template: str, series: Series) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda label: series.labels.get(label[1], ""), template)


def _stack(axes: Axes, lines: Sequence[Line]) -> None:
    axes.stackplot(
        lines[0].times,
        *(line.values for line in lines),
        labels=[line.name for line in lines],
        colors=_COLOURS,
        alpha=0.55,
    )


def _limits(panel: Panel) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = panel["fieldConfig"]["defaults"].get("thresholds", {}).get("steps", [])
    return steps


def _draw_limit(axes: Axes, panel: Panel, lines: Sequence[Line]) -> None:
    highest = max((max(line.values) for line in lines), default=0)
    for step in _limits(panel):
        if step["value"] is not None and step["value"] < 3 * highest:
            axes.axhline(step["value"], color=_BAD, linewidth=0.8, linestyle="--")


def _colour(panel: Panel, value: float) -> str:
    reached = [step["color"] for step in _limits(panel) if step["value"] is None or value >= step["value"]]
    return _BAD if reached and reached[-1] == "red" else _GOOD


def _dress(axes: Axes, panel: Panel) -> None:
    axes.grid(color="#e9ecef", linewidth=0.6)
    axes.set_ylim(bottom=0)
    axes.tick_params(length=0, colors=_PALE, labelsize=6.5)
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _format(panel)(value)))
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda seconds, _: f"{seconds // 60:.0f}:{seconds % 60:02.0f}"))
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        axes.legend(
            handles[:_MOST_IN_LEGEND],
            labels[:_MOST_IN_LEGEND],
            loc="upper left",
            bbox_to_anchor=(-0.05, -0.09),
            ncols=max(
                panel["gridPos"]["w"]
                * _LETTERS_A_COLUMN
                // (max(map(len, labels[:_MOST_IN_LEGEND])) + _LETTERS_A_HANDLE),
                1,
            ),
            fontsize=6,
            frameon=False,
            handlelength=1,
            columnspacing=1,
            labelspacing=0.25,
        )


def _format(panel: Panel) -> Callable[[float], str]:
    unit = panel["fieldConfig"]["defaults"]["unit"]
    return {"s": _seconds, "percentunit": _percent, "cps": _per_second, "bytes": _bytes, "short": _number}[unit]


def _seconds(value: float) -> str:
    if value >= 86_400:
        return f"{value / 86_400:.0f} d"
    return f"{value:.3g} s" if value >= 1 else f"{value * 1_000:.3g} ms"


def _percent(value: float) -> str:
    return f"{value * 100:.3g} %"


def _per_second(value: float) -> str:
    return f"{_number(value)}/s"


def _bytes(value: float) -> str:
    return f"{value / 1024**2:.0f} MiB"


def _number(value: float) -> str:
    return f"{value / 1_000:.3g} k" if value >= 1_000 else f"{value:.3g}"
