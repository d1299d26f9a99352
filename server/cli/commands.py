"""All commands, in the order of the help. Each is imported when it is called for: a service needs no other."""

from importlib import import_module
from typing import NamedTuple

from server.cli.command import Command


class Entry(NamedTuple):
    """One command: what the help says of it, and where it is."""

    summary: str
    module: str
    constant: str

    def load(self) -> Command:
        """Import the command."""
        command = getattr(import_module(self.module), self.constant)
        if not isinstance(command, Command):
            raise TypeError(f"{self.module}.{self.constant} is no command")
        return command


COMMANDS = {
    "serve": Entry("serve until told to stop; SIGHUP reads the policy again", "server.cli.serve", "SERVE"),
    "demo": Entry("tell, with a service of its own, what it is all about", "server.cli.demo", "DEMO"),
    "decide": Entry("decide one ad request", "server.cli.decide", "DECIDE"),
    "explain": Entry("decide one ad request and show every check", "server.cli.explain", "EXPLAIN"),
    "prepare": Entry("show what becomes of a bid request for each network", "server.cli.prepare", "PREPARE"),
    "opt-out": Entry("opt a person out of targeted ads", "server.cli.preference", "OPT_OUT"),
    "opt-in": Entry("take an opt-out back", "server.cli.preference", "OPT_IN"),
    "profile": Entry("show all that is held about a person, or erase the profile", "server.cli.profile", "PROFILE"),
    "activity": Entry("record one activity of a person", "server.cli.activity", "ACTIVITY"),
    "check-policy": Entry(
        "check a policy file, and show what it amounts to", "server.cli.check_policy", "CHECK_POLICY"
    ),
    "preflight": Entry("check the store that the settings name", "server.cli.preflight", "PREFLIGHT"),
    "load-sample": Entry("fill the store with people who do not exist", "server.cli.load_sample", "LOAD_SAMPLE"),
    "features": Entry("show the schema of the feature vector", "server.cli.features", "FEATURES"),
    "decode": Entry("decode a consent string: tcf, gpp or usp", "server.cli.decode", "DECODE"),
    "nap": Entry("make or read an encrypted NAP cookie", "server.cli.nap", "NAP"),
}
