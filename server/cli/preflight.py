"""``adtargeting preflight``: check whether the store can keep choices safely."""

import time
from argparse import Namespace

from server.cli.command import Command, no_arguments
from server.cli.failures import OK, Refused
from server.cli.shell import Shell, table
from server.cli.store_access import open_store
from server.geo.ip_location import open_locator
from server.geo.location_database import age_remedy
from server.keys.secret_key import key_file
from server.store.epoch_memory import EpochMemory
from server.store.redis.backend import backend_of
from server.store.redis.cluster.topology import ClusterAddress
from server.store.redis.preflight import Expected, Level, PreflightCheck, examine
from server.store.redis.primary import accept_any

_DAY_S = 86_400
_STYLES = {Level.OK: "green", Level.WARNING: "yellow", Level.ERROR: "bold red"}


def run(_: Namespace, shell: Shell) -> int:
    """Print every finding; an error is a refusal."""
    settings = shell.settings()
    with open_store(settings) as address:
        key = key_file(settings).read()
        memory = EpochMemory(settings.secret_key_path)
        expected = Expected(settings.replicas, key.fingerprint if key else "", memory)
        backend = backend_of(address, settings.key_prefix.encode(), accept_any)
        is_cluster = isinstance(address, ClusterAddress)
        found = [check for facts in backend.facts() for check in examine(facts, expected, is_cluster=is_cluster)]
        findings = [*found, _country_table(settings.geo_db)]
    made = table("", "finding", "remedy")
    made.columns[1].no_wrap = False
    for finding in findings:
        made.add_row(finding.level.value, finding.what, finding.remedy, style=_STYLES[finding.level])
    shell.out.print(made)
    if any(finding.level is Level.ERROR for finding in findings):
        raise Refused("the store may lose choices or cannot be reached; apply the remedies above")
    return OK


def _country_table(path: str) -> PreflightCheck:
    """Return the finding on the country database. Raises ``GeoDatabaseError``."""
    built_at_s = open_locator(path).built_at_s
    if not built_at_s:
        return PreflightCheck(Level.OK, "the country table does not say when it was built")
    age_s = time.time() - built_at_s
    remedy = age_remedy(path, age_s)
    return PreflightCheck(
        Level.WARNING if remedy else Level.OK, f"the country table is {age_s / _DAY_S:,.0f} days old", remedy
    )


PREFLIGHT = Command(no_arguments, run)
