"""The queries of the dashboard in PromQL, over the instances that its variables select."""

from typing import Final, NamedTuple

SELECTED: Final = 'job="$job", instance=~"$instance"'


class Query(NamedTuple):
    """A query and the legend of its series: a text with ``{{label}}`` in it."""

    expr: str
    legend: str


def rate(metric: str, by: str, where: str = "") -> str:
    """Return the rate of a counter a second, by some labels; ``where`` selects by further labels."""
    return f"sum by ({by}) (rate({metric}{{{SELECTED}{', ' * bool(where)}{where}}}[$__rate_interval]))"


def total(metric: str, where: str = "") -> str:
    """Return the rate of a counter a second over all its labels."""
    return f"sum (rate({metric}{{{SELECTED}{', ' * bool(where)}{where}}}[$__rate_interval]))"


def increase(metric: str, by: str) -> str:
    """Return what a counter has grown by in the interval of the graph, by some labels."""
    return f"sum by ({by}) (increase({metric}{{{SELECTED}}}[$__rate_interval]))"


def gauge(function: str, metric: str, by: str = "instance") -> str:
    """Return a gauge: the ``sum``, ``min`` or ``max`` of it, by some labels."""
    return f"{function} by ({by}) ({metric}{{{SELECTED}}})"


def quantiles(metric: str, *shares: float, by: str = "") -> list[Query]:
    """Return queries for quantiles of a histogram: 0.5 is the median; by a label when one is named."""
    label = f" {{{{{by}}}}}" * bool(by)
    labels = f"le, {by}" if by else "le"
    return [
        Query(f"histogram_quantile({share}, {rate(metric + '_bucket', labels)})", f"p{share * 100:g}{label}")
        for share in shares
    ]


def mean(metric: str) -> str:
    """Return the mean of a histogram."""
    return f"{total(metric + '_sum')} / {total(metric + '_count')}"


def share(metric: str, where: str, by: str = "") -> str:
    """Return the share of a counter's increments with further labels, by a label when one is named; 0 without any."""
    part, whole = (rate(metric, by, where), rate(metric, by)) if by else (total(metric, where), total(metric))
    return f"({part} or 0 * {whole}) / {whole}"
