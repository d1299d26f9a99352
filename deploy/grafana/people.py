"""The sections about what is stored of people, and what networks get of it."""

from typing import Final

from deploy.grafana.graphs import NUMBER, PER_SECOND, RATIO, SECONDS, Graph, Section
from deploy.grafana.queries import Query, gauge, quantiles, rate, share, total

_STATES: Final = ("up", "writable", "trusted")

STORE: Final = Section(
    "Store",
    [
        Graph(
            "State",
            "1: yes.",
            NUMBER,
            [Query(f"min ({gauge('min', f'adtargeting_store_{name}')})", name) for name in _STATES]
            + [Query(f"max ({gauge('max', 'adtargeting_circuit_open')})", "circuit open")],
        ),
        Graph(
            "Round trips",
            "99th percentile, by operation.",
            SECONDS,
            quantiles("adtargeting_store_seconds", 0.99, by="operation"),
        ),
        Graph(
            "Errors",
            "Failures, by operation and kind.",
            PER_SECOND,
            [Query(rate("adtargeting_store_errors_total", "operation, kind"), "{{operation}} {{kind}}")],
        ),
    ],
)

PREFERENCES: Final = Section(
    "Preferences, profiles and signals",
    [
        Graph(
            "Choices",
            "Acknowledged choices.",
            PER_SECOND,
            [Query(rate("adtargeting_preference_changes_total", "choice, durability"), "{{choice}} {{durability}}")],
            width=6,
        ),
        Graph(
            "Oldest unconfirmed choice",
            "Age; more than a minute is an alert.",
            SECONDS,
            [Query(gauge("max", "adtargeting_unconfirmed_preference_age_seconds"), "{{instance}}")],
            width=6,
            limit=60,
        ),
        Graph(
            "Profile writes",
            "Activities and corrections, by outcome.",
            PER_SECOND,
            [Query(rate("adtargeting_profile_writes_total", "outcome"), "{{outcome}}")],
            width=6,
        ),
        Graph(
            "Signals in doubt",
            "Unreadable, given up, undisclosed, of a newer policy, and not stored.",
            PER_SECOND,
            [
                Query(rate("adtargeting_signal_decode_errors_total", "signal"), "unreadable {{signal}}"),
                Query(total("adtargeting_consent_given_up_total"), "given up"),
                Query(rate("adtargeting_tcf_undisclosed_total", "age"), "undisclosed {{age}}"),
                Query(total("adtargeting_tcf_newer_policies_total"), "newer policy"),
                Query(total("adtargeting_sticky_dropped_total"), "not stored"),
            ],
            width=6,
        ),
    ],
)

NETWORKS: Final = Section(
    "Networks",
    [
        Graph(
            "Answers for networks",
            "By network of the policy.",
            PER_SECOND,
            [Query(rate("adtargeting_network_profiles_total", "network"), "{{network}}")],
            width=12,
        ),
        Graph(
            "Share with a profile",
            "Of the answers for a network, those that share a profile.",
            RATIO,
            [Query(share("adtargeting_network_profiles_total", 'shared="yes"', "network"), "{{network}}")],
            width=12,
        ),
    ],
)

ACCESS: Final = Section(
    "Access and audit",
    [
        Graph(
            "Audit entries lost",
            "Entries of the audit log that could not be written; any is an alert.",
            PER_SECOND,
            [Query(rate("adtargeting_audit_lost_total", "instance"), "{{instance}}")],
        ),
        Graph(
            "Denied calls",
            "Calls without a valid credential, or without the role that they need, by that role.",
            PER_SECOND,
            [Query(rate("adtargeting_denied_calls_total", "role"), "{{role}}")],
        ),
        Graph(
            "Time left of certificates",
            "Until the first certificate expires; less than 14 days is an alert.",
            SECONDS,
            [
                Query(
                    f"{gauge('min', 'adtargeting_certificate_expiry_seconds', 'certificate')} - time()",
                    "{{certificate}}",
                )
            ],
            limit=14 * 86_400,
            is_floor=True,
        ),
    ],
)

PROOF: Final = Section(
    "Canaries, decision records and shadow policy",
    [
        Graph(
            "Leak canaries",
            "Answers about made-up people, by outcome; a leak is an incident.",
            PER_SECOND,
            [
                Query(rate("adtargeting_canary_answers_total", "outcome"), "{{outcome}}"),
                Query(total("adtargeting_canary_leaks_total"), "leaks"),
            ],
            width=12,
        ),
        Graph(
            "Decision records",
            "Sampled decisions, by outcome.",
            PER_SECOND,
            [Query(rate("adtargeting_decision_records_total", "outcome"), "{{outcome}}")],
            width=12,
        ),
        Graph(
            "Changes by the shadow policy",
            "Decisions that it judges tighter or looser, or for which it would ask the store; once for each reason.",
            PER_SECOND,
            [Query(rate("adtargeting_shadow_total", "change"), "{{change}}")],
        ),
        Graph(
            "Changes by reason",
            "The reason that only one of the two policies has.",
            PER_SECOND,
            [Query(f"{rate('adtargeting_shadow_total', 'reason')} > 0", "{{reason}}")],
        ),
        Graph(
            "Judged in the shadow",
            "Decisions that it judged, and all decisions.",
            PER_SECOND,
            [
                Query(total("adtargeting_shadow_judged_total"), "judged"),
                Query(total("adtargeting_decisions_total"), "decisions"),
            ],
        ),
    ],
)
