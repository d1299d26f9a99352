"""The surroundings of every command: its settings and its output.

Text from outside (ids, segment names, cookies) goes through ``plain`` before it is shown, because a terminal obeys
control characters.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from server.cli.credentials import NO_TLS, TlsOptions
from server.settings import Settings, checked_address, read_settings

TABLE_STYLE = box.SIMPLE_HEAD


@dataclass(frozen=True, slots=True)
class Shell:
    """The surroundings of one command. All but ``out`` and ``environment`` are its shared options."""

    out: Console
    environment: Mapping[str, str]
    config: Path | None = None
    policy: str = ""
    address: str | None = None
    tls: TlsOptions = NO_TLS

    def settings(self) -> Settings:
        """Read the settings; command line options take precedence. Raises ``SettingsError``."""
        settings = read_settings(self.environment, self.config)
        if self.address is not None:
            settings = replace(settings, grpc_address=checked_address("--address", self.address))
        return replace(settings, policy=self.policy or settings.policy)

    def write(self, text: str) -> None:
        """Write a line for other programs: not wrapped and not coloured."""
        self.out.file.write(text + "\n")

    def note(self, text: str) -> None:
        """Write a line to standard error: what the person should know, and no result."""
        sys.stderr.write(f"adtargeting: {text}\n")


def plain(text: str) -> str:
    """Return the text with control characters replaced, so that a terminal only displays it."""
    return (
        text
        if text.isprintable()
        else "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)
    )


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun: ``1 person``, ``2,000 people``; without ``many``, with an s."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def table(*headings: str, title: str = "") -> Table:
    """Return an empty table. Only the last column wraps."""
    made = Table(box=TABLE_STYLE, title=title or None, title_justify="left", title_style="bold", pad_edge=False)
    for heading in headings[:-1]:
        made.add_column(heading, no_wrap=True)
    made.add_column(headings[-1], overflow="fold")
    return made


def new_console() -> Console:
    """Return a console on standard output, without markup, so that brackets are printed as they are."""
    return Console(markup=False, highlight=False, emoji=False)
