"""Sections and graphs of the dashboard, as values. Nothing here knows Grafana."""

from collections.abc import Sequence
from typing import NamedTuple

from deploy.grafana.queries import Query

SECONDS, RATIO, PER_SECOND, BYTES, NUMBER = "s", "percentunit", "cps", "bytes", "short"
"""Units, as Grafana names them."""


class Graph(NamedTuple):
    """One graph. Widths are 24ths of the dashboard's; ``latest`` shows the newest value only, as a number.

    ``limit`` is the value from which an alert fires, or the least good one where ``is_floor``.
    """

    title: str
    text: str
    unit: str
    queries: Sequence[Query]
    width: int = 8
    stacked: bool = False
    latest: bool = False
    limit: float | None = None
    is_floor: bool = False


class Section(NamedTuple):
    """A row of the dashboard and its graphs."""

    title: str
    graphs: Sequence[Graph]


def number(title: str, text: str, unit: str, expr: str) -> Graph:
    """Return a graph of the newest value of one query."""
    return Graph(title, text, unit, [Query(expr, title)], width=4, latest=True)
