"""``adtargeting check-policy``: validate a policy file and show its effect, or what it changes."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from rich.table import Table

from server.cli.command import Command
from server.cli.failures import OK, REFUSED, UsageError
from server.cli.matrix import Row, matrix
from server.cli.policy_changes import NOT_ALLOWED, add_allowances, note_unused, print_change
from server.cli.shell import Shell, counted, plain, table
from server.cli.show import NOTHING
from server.policy.policy_file import load_policy
from server.schemas.files import POLICY_SCHEMA
from targeting.policy.comparison import Difference, compare_policies, not_allowed
from targeting.policy.directions import Effect
from targeting.policy.networks import NetworkRule
from targeting.policy.policy import Policy, PolicyError
from targeting.policy.profile_fields import SHAREABLE_FIELDS

_SHORT = {"age_bracket": "age"}


def add_arguments(parser: ArgumentParser) -> None:
    """Add the file, and the policy to compare it with."""
    parser.add_argument("file", type=Path, metavar="FILE", help="policy in a TOML file")
    parser.add_argument(
        "--against", type=Path, metavar="OLD", help="show what FILE loosens and tightens compared with the policy OLD"
    )
    add_allowances(parser)


def run(options: Namespace, shell: Shell) -> int:
    """Validate the policy; print its effect on each network, its rules and warnings, or what differs from another."""
    policy = _load(options.file)
    parts = f"{counted(len(policy.networks), 'network')}, {counted(len(policy.rules), 'rule')}"
    shell.out.print(f"valid: policy {policy.version}, {parts}")
    if options.against is not None:
        return _compare(_load(options.against), policy, options.allow, shell)
    if policy.networks:
        shell.out.print(matrix_table(matrix(policy)))
        shell.out.print(
            "For a web request outside the GDPR without signals. Every network also receives country and language."
        )
    for number, rule in enumerate(policy.rules, start=1):
        shell.out.print(f"Rule {number} withholds {rule_text(rule)}.")
    for warning in (*_rule_warnings(policy), *_gdpr_warnings(policy)):
        shell.out.print(warning)
    return OK


def _load(path: Path) -> Policy:
    try:
        return load_policy(path)
    except PolicyError as error:
        if isinstance(error.__cause__, OSError):
            raise UsageError(str(error)) from None
        raise UsageError(f"{error}; schema for editors: {POLICY_SCHEMA}") from None


def _compare(old: Policy, new: Policy, allowed: Sequence[str], shell: Shell) -> int:
    """Print what the new policy loosens and tightens; refuse it for a loosening that is not allowed."""
    differences = compare_policies(old, new)
    refused = not_allowed(differences, allowed)
    for difference in differences:
        print_change(shell, difference.name, difference.effect, _change_text(difference), allowed)
    note_unused(shell, [each.name for each in differences if each.effect is Effect.LOOSENS], allowed)
    shell.out.print(f"{counted(len(differences), 'difference')}, {counted(len(refused), *NOT_ALLOWED)}")
    return REFUSED if refused else OK


def _change_text(difference: Difference) -> str:
    """Return the change: the items that a list loses (-) and gains (+), or both values."""
    old, new = difference.old, difference.new
    if isinstance(old, tuple) and isinstance(new, tuple):
        removed, added = [item for item in old if item not in new], [item for item in new if item not in old]
        items = [*(f"-{item}" for item in removed), *(f"+{item}" for item in added)]
        return plain(", ".join(items) or "another order")
    return plain(f"{old if old != '' else NOTHING} → {new if new != '' else NOTHING}")


def matrix_table(rows: Iterable[Row]) -> Table:
    """Return the table: one line for each network and mode."""
    made = table("network", "mode", "contact", "profile", "id", "position", "IP")
    made.columns[0].no_wrap, made.columns[0].overflow = False, "fold"
    made.columns[3].no_wrap = False
    for row in rows:
        fields = [_SHORT.get(name, name) for name in SHAREABLE_FIELDS if name in row.fields]
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


def rule_text(rule: NetworkRule) -> str:
    """Return what a rule withholds, from which networks and under which conditions."""
    networks = ", ".join(map(plain, rule.networks)) or "every network"
    conditions = " and ".join(_conditions(rule))
    return f"{', '.join(rule.withhold)} from {networks}{f' when {conditions}' if conditions else ''}"


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


def _rule_warnings(policy: Policy) -> Iterator[str]:
    """Yield a warning for each pattern that matches no network, for example because of a typing error."""
    for number, rule in enumerate(policy.rules, start=1):
        for pattern in rule.networks:
            if not any(replace(rule, networks=(pattern,)).names(name) for name in policy.by_id):
                yield f"Rule {number}: {plain(pattern)} matches no network of this policy."


def _gdpr_warnings(policy: Policy) -> Iterator[str]:
    if not policy.gdpr.host_vendor_id:
        yield "Every decision under the GDPR is LIMITED: gdpr.host_vendor_id is 0, so no TC string can grant a basis."
    without_id = [plain(each.id) for each in policy.networks if not each.tcf_vendor_id and not each.first_party]
    if without_id:
        yield f"Not contacted under the GDPR, because they have no tcf_vendor_id: {', '.join(without_id)}."


CHECK_POLICY = Command(add_arguments, run)
