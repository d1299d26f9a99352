"""The sections about calls: what is decided, how long it takes, and what waits."""

from typing import Final

from deploy.grafana.graphs import NUMBER, PER_SECOND, RATIO, SECONDS, Graph, Section, number
from deploy.grafana.queries import Query, gauge, mean, quantiles, rate, share, total

_STATES: Final = ("up", "writable", "trusted")
_MISSED: Final = 'job:adtargeting_decision_calls_missed:ratio_rate{window}{{job="$job"}}'
_FIRING: Final = 'count (ALERTS{alertstate="firing", alertname=~"Adtargeting.*"}) or vector(0)'

OVERVIEW: Final = Section(
    "Overview",
    [
        number("Decisions", "Decisions a second.", PER_SECOND, total("adtargeting_decisions_total")),
        number(
            "In time",
            "Decision calls answered within 30 ms, over an hour; the objective is 99.9 %.",
            RATIO,
            f"1 - {_MISSED.format(window='1h')}",
        )._replace(limit=0.999, is_floor=True),
        number(
            "Limited",
            "Share of decisions that are limited.",
            RATIO,
            share("adtargeting_decisions_total", 'mode="limited"'),
        ),
        number(
            "Store",
            "1: it answers, can be written to and is trusted, for every instance.",
            NUMBER,
            " * ".join(f"min ({gauge('min', f'adtargeting_store_{name}')})" for name in _STATES),
        )._replace(limit=1, is_floor=True),
        number("Processes", "Processes that serve.", NUMBER, f"sum ({gauge('sum', 'adtargeting_processes')})"),
        number("Alerts", "Alerts that fire.", NUMBER, _FIRING)._replace(limit=1),
    ],
)

DECISIONS: Final = Section(
    "Decisions and reasons",
    [
        Graph(
            "Decisions by mode",
            "Behavioural and limited decisions.",
            PER_SECOND,
            [Query(rate("adtargeting_decisions_total", "mode"), "{{mode}}")],
            stacked=True,
        ),
        Graph(
            "Reasons of limited decisions",
            "One decision may have several.",
            PER_SECOND,
            [Query(f"{rate('adtargeting_limit_reasons_total', 'reason')} > 0", "{{reason}}")],
        ),
        Graph(
            "Doubts",
            "Share of decisions that a doubt limits: the store, a record, a signal.",
            RATIO,
            [Query('job_reason:adtargeting_doubts:ratio_rate5m{job="$job"}', "{{reason}}")],
        ),
    ],
)

LATENCY: Final = Section(
    "Latency from arrival",
    [
        Graph(
            "Time to answer",
            "From the arrival of a call's last byte to its answer.",
            SECONDS,
            quantiles("adtargeting_decision_seconds", 0.5, 0.99, 0.999),
        ),
        Graph(
            "Missed calls",
            "Share of decision calls without an answer within 30 ms; 0.1 % is allowed.",
            RATIO,
            [Query(_MISSED.format(window=window), window) for window in ("5m", "1h", "6h", "3d")],
            limit=0.001,
        ),
        Graph(
            "Calls by status",
            "Calls that have ended, by gRPC status.",
            PER_SECOND,
            [Query(f"{rate('adtargeting_calls_total', 'code')} > 0", "{{code}}")],
        ),
    ],
)

ROOM: Final = Section(
    "Room and batches",
    [
        Graph(
            "Wait for a turn",
            "From the arrival of a call to its turn.",
            SECONDS,
            quantiles("adtargeting_room_seconds", 0.5, 0.99),
            width=6,
        ),
        Graph(
            "Decisions made together",
            "Mean and 99th percentile of the size of a batch.",
            NUMBER,
            [Query(mean("adtargeting_batch_size"), "mean"), *quantiles("adtargeting_batch_size", 0.99)],
            width=6,
        ),
        Graph(
            "Calls in flight",
            "Calls that wait or are worked on.",
            NUMBER,
            [Query(gauge("sum", "adtargeting_inflight"), "{{instance}}")],
            width=6,
        ),
        Graph(
            "Refused before any work",
            "By cause.",
            PER_SECOND,
            [Query(rate("adtargeting_refused_total", "cause"), "{{cause}}")],
            width=6,
        ),
    ],
)
