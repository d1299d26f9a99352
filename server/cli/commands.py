"""All commands, in the order of the help. A command is imported when it runs, so that a service loads no other."""

from importlib import import_module
from typing import NamedTuple

from server.cli.command import Command


class CommandEntry(NamedTuple):
    """One command: its line in the help, and where it is defined."""

    summary: str
    module: str
    constant: str

    def load(self) -> Command:
        """Import the command."""
        command = getattr(import_module(self.module), self.constant)
        if not isinstance(command, Command):
            raise TypeError(f"{self.module}.{self.constant} is not a command")
        return command


COMMANDS = {
    "serve": CommandEntry("run the service until SIGTERM; SIGHUP reloads the policy", "server.cli.serve", "SERVE"),
    "demo": CommandEntry("run a guided tour on a temporary service", "server.cli.demo", "DEMO"),
    "decide": CommandEntry("decide one ad request", "server.cli.decide", "DECIDE"),
    "explain": CommandEntry("decide one ad request and show every check", "server.cli.explain", "EXPLAIN"),
    "prepare": CommandEntry("show the bid request that each network would receive", "server.cli.prepare", "PREPARE"),
    "opt-out": CommandEntry("opt a person out of targeted ads", "server.cli.preference", "OPT_OUT"),
    "opt-in": CommandEntry("opt a person in to targeted ads", "server.cli.preference", "OPT_IN"),
    "profile": CommandEntry("show everything stored about a person, or erase it", "server.cli.profile", "PROFILE"),
    "activity": CommandEntry("record one activity of a person", "server.cli.activity", "ACTIVITY"),
    "check-policy": CommandEntry(
        "validate a policy file and show its effect", "server.cli.check_policy", "CHECK_POLICY"
    ),
    "replay": CommandEntry("decide recorded decisions again under another policy", "server.cli.replay", "REPLAY"),
    "preflight": CommandEntry("check the configured store", "server.cli.preflight", "PREFLIGHT"),
    "store": CommandEntry("show whose the store is, or accept a restored one", "server.cli.store", "STORE"),
    "token": CommandEntry("make a bearer token for a client: new", "server.cli.token", "TOKEN"),
    "load-sample": CommandEntry("fill the store with a sample population", "server.cli.load_sample", "LOAD_SAMPLE"),
    "features": CommandEntry("show the schema of the feature vector", "server.cli.features", "FEATURES"),
    "decode": CommandEntry("decode a consent string: tcf, gpp or usp", "server.cli.decode", "DECODE"),
    "nap": CommandEntry("encrypt or decrypt a NAP cookie", "server.cli.nap", "NAP"),
}
