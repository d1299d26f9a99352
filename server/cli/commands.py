"""All commands, in the order of the help."""

from server.cli.activity import ACTIVITY
from server.cli.check_policy import CHECK_POLICY
from server.cli.command import Command
from server.cli.decide import DECIDE
from server.cli.decode import DECODE
from server.cli.demo import DEMO
from server.cli.explain import EXPLAIN
from server.cli.features import FEATURES
from server.cli.load_sample import LOAD_SAMPLE
from server.cli.nap import NAP
from server.cli.preference import OPT_IN, OPT_OUT
from server.cli.preflight import PREFLIGHT
from server.cli.profile import PROFILE
from server.cli.serve import SERVE

COMMANDS: tuple[Command, ...] = (
    SERVE,
    DEMO,
    DECIDE,
    EXPLAIN,
    OPT_OUT,
    OPT_IN,
    PROFILE,
    ACTIVITY,
    CHECK_POLICY,
    PREFLIGHT,
    LOAD_SAMPLE,
    FEATURES,
    DECODE,
    NAP,
)
