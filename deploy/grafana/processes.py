"""The section about the processes and what they were given."""

from typing import Final

from deploy.grafana.graphs import BYTES, NUMBER, SECONDS, Graph, Section
from deploy.grafana.queries import Query, gauge, increase, quantiles, rate

PROCESSES: Final = Section(
    "Processes",
    [
        Graph(
            "Processes",
            "Processes that serve, and workers that ended.",
            NUMBER,
            [
                Query(gauge("sum", "adtargeting_processes"), "{{instance}}"),
                Query(increase("adtargeting_worker_ends_total", "instance"), "{{instance}} ended"),
            ],
            width=6,
        ),
        Graph(
            "Lateness of the event loop",
            "How late timers are, 99th percentile.",
            SECONDS,
            quantiles("adtargeting_loop_lag_seconds", 0.99, by="instance"),
            width=6,
        ),
        Graph(
            "CPU",
            "Cores in use.",
            NUMBER,
            [Query(rate("process_cpu_seconds_total", "instance"), "{{instance}}")],
            width=6,
        ),
        Graph(
            "Memory",
            "Resident memory.",
            BYTES,
            [Query(gauge("sum", "process_resident_memory_bytes"), "{{instance}}")],
            width=6,
        ),
        Graph(
            "Open files", "File descriptors in use.", NUMBER, [Query(gauge("sum", "process_open_fds"), "{{instance}}")]
        ),
        Graph(
            "In force",
            "Builds, policies, and instances with leak canaries.",
            NUMBER,
            [
                Query(gauge("count", "adtargeting_build_info", "version, gate"), "build {{version}} {{gate}}"),
                Query(gauge("count", "adtargeting_policy_info", "version"), "policy {{version}}"),
                Query(gauge("count", "adtargeting_shadow_policy_info", "version"), "shadow policy {{version}}"),
                Query(gauge("sum", "adtargeting_canaries_enabled", "job"), "leak canaries"),
            ],
        ),
        Graph(
            "Age of the country table",
            "More than 180 days is an alert.",
            SECONDS,
            [Query(gauge("max", "adtargeting_country_table_age_seconds"), "{{instance}}")],
            limit=180 * 86_400,
        ),
    ],
)
