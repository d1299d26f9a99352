"""The parts of a command: its arguments and the function that runs it."""

import os
import shutil
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, NoReturn

from server.build import PROGRAM
from server.cli.failures import UsageError
from server.cli.shell import Shell


class Command(NamedTuple):
    """One command of the command line. ``run`` returns the exit status."""

    add_arguments: Callable[[ArgumentParser], None]
    run: Callable[[Namespace, Shell], int]


class Parser(ArgumentParser):
    """An argument parser that reports an error in one line."""

    def error(self, message: str) -> NoReturn:
        """Raise ``UsageError``."""
        raise UsageError(f"{message}; see {self.prog} --help")


def program() -> str:
    """Return the name that runs this program again: ``adtargeting``, or its path where PATH has another or none."""
    called = sys.argv[0]
    if Path(called).name != PROGRAM or shutil.which(PROGRAM) == called:
        return PROGRAM
    return os.path.relpath(called) if Path(called).is_relative_to(Path.cwd()) else called


def no_arguments(_: ArgumentParser) -> None:
    """Add nothing."""


def text(value: str) -> str:
    """Return an argument that goes into a message. Raises ``ArgumentTypeError`` unless it is Unicode."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ArgumentTypeError("must be UTF-8") from None
    return value


def add_subject(parser: ArgumentParser) -> None:
    """Add the options that name the subject: an account or a device."""
    subject = parser.add_mutually_exclusive_group(required=True)
    subject.add_argument("--account", type=text, default="", metavar="ID", help="account id")
    subject.add_argument("--device", type=text, default="", metavar="ID", help="browser or device id")


def subject_of(options: Namespace) -> dict[str, str]:
    """Return the message field that names the subject, and its value."""
    return {"account_id": options.account} if options.account else {"device_id": options.device}
