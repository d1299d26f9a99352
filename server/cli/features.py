"""``adtargeting features``: the dense feature vector, dimension by dimension."""

import json
from argparse import ArgumentParser, Namespace
from dataclasses import asdict

from server.cli.command import Command
from server.cli.failures import OK
from server.cli.shell import Shell, table
from targeting.features.schema import DIMENSIONS, SCHEMA, SCHEMA_NAME


def add_arguments(parser: ArgumentParser) -> None:
    """Add the output option."""
    parser.add_argument("--json", action="store_true", help="print the schema as JSON")


def run(options: Namespace, shell: Shell) -> int:
    """Print the schema."""
    if options.json:
        shell.write(json.dumps({"schema": SCHEMA_NAME, "dimensions": [asdict(each) for each in SCHEMA]}, indent=2))
        return OK
    made = table("index", "name", "unit", "meaning", title=f"{SCHEMA_NAME}: {DIMENSIONS} dimensions, float32")
    made.columns[1].no_wrap = False
    for each in SCHEMA:
        made.add_row(str(each.index), each.name, each.unit, each.meaning)
    shell.out.print(made)
    return OK


FEATURES = Command(add_arguments, run)
