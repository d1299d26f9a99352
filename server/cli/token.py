"""``adtargeting token new``: make a bearer token for a client."""

from argparse import ArgumentParser, Namespace

from server.cli.command import Command
from server.cli.failures import OK
from server.cli.shell import Shell
from server.security.tokens import digest_of, new_token


def add_arguments(parser: ArgumentParser) -> None:
    """Add the action."""
    parser.add_argument("action", choices=("new",), help="make a token; print it, and its line for the clients file")


def run(_: Namespace, shell: Shell) -> int:
    """Print a new token, which is stored nowhere, and the line by which the clients file knows it."""
    token = new_token()
    shell.write(token)
    shell.write(f'token_sha256 = ["{digest_of(token.encode()).hex()}"]')
    return OK


TOKEN = Command(add_arguments, run)
