"""``adtargeting preflight``: check whether the store can keep choices safely."""

from argparse import Namespace

from server.cli.command import Command, no_arguments
from server.cli.failures import OK, Refused
from server.cli.shell import Shell, table
from server.cli.store_access import open_store
from server.store.redis.preflight import Level, preflight

_STYLES = {Level.OK: "green", Level.WARNING: "yellow", Level.ERROR: "bold red"}


def run(_: Namespace, shell: Shell) -> int:
    """Print every finding; an error is a refusal."""
    settings = shell.settings()
    with open_store(settings) as address:
        findings = preflight(address, settings.replicas)
    made = table("", "finding", "remedy")
    made.columns[1].no_wrap = False
    for finding in findings:
        made.add_row(finding.level.value, finding.what, finding.remedy, style=_STYLES[finding.level])
    shell.out.print(made)
    if any(finding.level is Level.ERROR for finding in findings):
        raise Refused("the store may lose choices or cannot be reached; apply the remedies above")
    return OK


PREFLIGHT = Command(no_arguments, run)
