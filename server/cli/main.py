"""The command line: parse, run one command, return an exit status.

Invariant: 0 is success, 1 a refusal, 2 a usage or configuration error; a failure is one line on standard error and
never a traceback.
"""

import io
import os
import sys
import traceback
from argparse import REMAINDER, SUPPRESS, Action, ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import server.cli.before_grpc  # noqa: F401  # it has to be imported first, and has no names
from server.build import PROGRAM, UNKNOWN, build_version
from server.cli.command import Command, Parser, program
from server.cli.commands import COMMANDS
from server.cli.credentials import TlsOptions, add_tls_options
from server.cli.failures import INTERRUPTED, OK, REFUSED, Refused, exit_status
from server.cli.shell import Shell, new_console

_DESCRIPTION = """\
The privacy gate in front of an ad server's user data: behavioural features,
or only country, language and IP location."""


_SHARED = {"config", "policy", "address", *TlsOptions._fields}


class _ShowVersion(Action):
    def __call__(self, parser: ArgumentParser, *_: object) -> None:
        if (version := build_version()) == UNKNOWN:
            raise Refused("the version is unknown: adtargeting is not installed; run it from an installation")
        sys.stdout.write(f"{PROGRAM} {version}\n")
        parser.exit()


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit status."""
    _never_fail_to_write()
    try:
        status = _run(sys.argv[1:] if argv is None else argv)
        # Flush here, while a write error can still be reported.
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _silence()
        return OK
    except Exception as problem:  # noqa: BLE001  # the last resort: a line, not a traceback
        return _failed(problem)
    return status


def _run(argv: Sequence[str]) -> int:
    try:
        command, options = _parse(argv)
        return command.run(options, _shell(options))
    except SystemExit as done:
        # Raised by --help and --version, and by rich when the reader of the output has gone.
        return done.code if isinstance(done.code, int) else OK


def _parse(argv: Sequence[str]) -> tuple[Command, Namespace]:
    """Find the command, load it, then parse its arguments."""
    shared = shared_options()
    top = _top(shared)
    found = top.parse_args(argv)
    if found.command is None:
        top.print_help()
        top.exit()
    name, entry = found.command, COMMANDS[found.command]
    command = entry.load()
    parser = Parser(prog=f"{program()} {name}", description=f"{entry.summary}.", parents=[shared], allow_abbrev=False)
    command.add_arguments(parser)
    # Options may stand between positional arguments.
    return command, parser.parse_intermixed_args(found.rest, Namespace(**_shared(found)))


def shared_options() -> Parser:
    """Return a parser of the options that every command takes."""
    shared = Parser(add_help=False, argument_default=SUPPRESS)
    options = shared.add_argument_group("settings")
    options.add_argument("--config", type=Path, metavar="FILE", help="settings in a TOML file")
    options.add_argument("--policy", metavar="FILE", help="policy in a TOML file (ADTARGETING_POLICY)")
    options.add_argument("--address", metavar="HOST:PORT", help="address of the service (ADTARGETING_GRPC_ADDRESS)")
    add_tls_options(shared)
    return shared


def _top(shared: Parser) -> Parser:
    listed = "\n".join(f"  {name:<14}{entry.summary}" for name, entry in COMMANDS.items())
    top = Parser(
        prog=program(),
        description=_DESCRIPTION,
        epilog=f"commands:\n{listed}",
        formatter_class=RawDescriptionHelpFormatter,
        parents=[shared],
        allow_abbrev=False,
    )
    top.add_argument("--version", action=_ShowVersion, nargs=0, help="show the version and exit")
    top.add_argument(
        "command", nargs="?", choices=COMMANDS, metavar="COMMAND", help="one of the commands below; see COMMAND --help"
    )
    top.add_argument("rest", nargs=REMAINDER, help=SUPPRESS)
    return top


def _shared(found: Namespace) -> dict[str, Any]:
    """Return the shared options, given before or after the command."""
    return {name: value for name, value in vars(found).items() if name in _SHARED}


def _shell(options: Namespace) -> Shell:
    shared = _shared(options)
    tls = TlsOptions(**{name: shared.pop(name) for name in TlsOptions._fields if name in shared})
    return Shell(out=new_console(), environment=os.environ, tls=tls, **shared)


def _never_fail_to_write() -> None:
    """Escape characters that the terminal's encoding lacks; a file name may contain any."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _silence() -> None:
    """Discard further output: its reader has gone, or it cannot be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _failed(problem: Exception) -> int:
    status = exit_status(problem)
    if status is not None:
        sys.stderr.write(f"adtargeting: {' '.join(str(problem).split())}\n")
        return status
    if isinstance(problem, OSError) and problem.filename is None:
        # Files and connections report errors of their own, so this one is about standard output.
        sys.stderr.write(f"adtargeting: cannot write the output: {problem.strerror}\n")
        _silence()
        return REFUSED
    place = traceback.extract_tb(problem.__traceback__)[-1]
    sys.stderr.write(
        f"adtargeting: internal error, {type(problem).__name__} at {Path(place.filename).name}:{place.lineno}; "
        "please report it\n"
    )
    return REFUSED
