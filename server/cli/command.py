"""What a command is: its arguments, and what it does."""

import os
import shutil
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, NoReturn

from server.cli.failures import Misused
from server.cli.shell import Shell

PROGRAM = "adtargeting"


class Command(NamedTuple):
    """One command of the command line. ``run`` gives the exit status."""

    arguments: Callable[[ArgumentParser], None]
    run: Callable[[Namespace, Shell], int]


class Parser(ArgumentParser):
    """An argument parser that fails with one line, not with a page."""

    def error(self, message: str) -> NoReturn:
        """Raise ``Misused``."""
        raise Misused(f"{message}; see {self.prog} --help")


def program() -> str:
    """Give the name under which this program can be called again: as it was called, where that is not on the path."""
    called = sys.argv[0]
    if Path(called).name != PROGRAM or shutil.which(PROGRAM) == called:
        return PROGRAM
    return os.path.relpath(called) if Path(called).is_relative_to(Path.cwd()) else called


def no_arguments(_: ArgumentParser) -> None:
    """Take no arguments."""


def text(value: str) -> str:
    """Take an argument that goes into a message: it must be Unicode."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ArgumentTypeError("is not UTF-8") from None
    return value


def add_subject(parser: ArgumentParser) -> None:
    """Add the choice between an account and a device."""
    subject = parser.add_mutually_exclusive_group(required=True)
    subject.add_argument("--account", type=text, default="", metavar="ID", help="an account, by its id")
    subject.add_argument("--device", type=text, default="", metavar="ID", help="a browser or device, by its id")


def subject_of(arguments: Namespace) -> dict[str, str]:
    """Give the subject's field of a message and its value."""
    return {"account_id": arguments.account} if arguments.account else {"device_id": arguments.device}
