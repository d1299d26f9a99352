"""``adtargeting check-policy``: whether a policy file is valid, and what it amounts to."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from rich.table import Table

from server.cli.command import Command
from server.cli.failures import OK
from server.cli.matrix import Row, matrix
from server.cli.shell import Shell, plain, table
from server.cli.show import NOTHING
from server.policy.policy_file import load_policy
from targeting.policy.networks import NetworkRule
from targeting.policy.policy import Policy
from targeting.policy.profile_fields import SHAREABLE_FIELDS

_SHORT = {"age_bracket": "age"}


def arguments(parser: ArgumentParser) -> None:
    """Take the file."""
    parser.add_argument("file", type=Path, metavar="FILE", help="the policy, a TOML file")


def run(given: Namespace, shell: Shell) -> int:
    """Check, and show the matrix and what may take away from it."""
    policy = load_policy(given.file)
    shell.out.print(f"valid: policy {policy.version}, {len(policy.networks)} networks, {len(policy.rules)} rules")
    if policy.networks:
        shell.out.print(matrix_table(matrix(policy)))
        shell.out.print("On the web, outside the GDPR, with no signal sent. Every network sees country and language.")
    for number, rule in enumerate(policy.rules, start=1):
        shell.out.print(f"Rule {number} takes {said_of(rule)}.")
    for remark in (*_rule_remarks(policy), *_gdpr_remarks(policy)):
        shell.out.print(remark)
    return OK


def matrix_table(rows: Iterable[Row]) -> Table:
    """Give the table: a line a network and mode."""
    made = table("network", "mode", "contact", "profile", "id", "position", "IP")
    made.columns[0].no_wrap, made.columns[0].overflow = False, "fold"
    made.columns[3].no_wrap = False
    for row in rows:
        fields = [_SHORT.get(name, name) for name in SHAREABLE_FIELDS if name in row.given]
        made.add_row(
            plain(row.network_id),
            row.mode.name,
            "yes" if row.contact else "no",
            ", ".join(fields) or NOTHING,
            "yes" if row.user_id else NOTHING,
            NOTHING if row.position == "none" else row.position,
            row.address,
        )
    return made


def said_of(rule: NetworkRule) -> str:
    """Say what a rule takes, from whom, and when."""
    networks = ", ".join(map(plain, rule.networks)) or "every network"
    conditions = " and ".join(_conditions(rule))
    return f"{', '.join(rule.withhold)} from {networks}{f' where {conditions}' if conditions else ''}"


def _conditions(rule: NetworkRule) -> Iterator[str]:
    if rule.countries:
        yield f"the country is {' or '.join(rule.countries)}"
    if rule.subdivisions:
        yield f"the subdivision is {' or '.join(rule.subdivisions)}"
    if rule.gpp_sections:
        yield f"GPP section {' or '.join(map(str, rule.gpp_sections))} applies"
    for wanted, what in (
        (rule.global_privacy_control, "Global Privacy Control"),
        (rule.do_not_track, "Do Not Track"),
    ):
        if wanted is not None:
            yield f"{what} is {'sent' if wanted else 'not sent'}"
    if rule.app is not None:
        yield f"the request comes from {'an app' if rule.app else 'the web'}"


def _rule_remarks(policy: Policy) -> Iterator[str]:
    """A rule that names nobody, perhaps by a slip of the pen, takes nothing away."""
    for number, rule in enumerate(policy.rules, start=1):
        for pattern in rule.networks:
            if not any(replace(rule, networks=(pattern,)).names(name) for name in policy.by_id):
                yield f"Rule {number} names no network of this policy by {plain(pattern)}."


def _gdpr_remarks(policy: Policy) -> Iterator[str]:
    if not policy.gdpr.host_vendor_id:
        yield "Where the GDPR applies every answer is LIMITED: gdpr.host_vendor_id is 0, so no string can name us."
    nameless = [plain(each.id) for each in policy.networks if not each.tcf_vendor_id and not each.first_party]
    if nameless:
        yield f"Where the GDPR applies these may not be contacted, for want of a tcf_vendor_id: {', '.join(nameless)}."


CHECK_POLICY = Command(arguments, run)
