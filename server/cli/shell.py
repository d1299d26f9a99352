"""What every command works with: the settings it was started under, and where it writes.

Text of others (ids, segment names, cookies) goes through ``plain`` before it is shown: it may hold anything, and a
terminal obeys control characters.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from server.settings import Settings, checked_address, read_settings

TABLE_STYLE = box.SIMPLE_HEAD


@dataclass(frozen=True, slots=True)
class Shell:
    """The surroundings of one command. ``config``, ``policy`` and ``address`` are its options, unless not given."""

    out: Console
    environment: Mapping[str, str]
    config: Path | None = None
    policy: str = ""
    address: str | None = None

    def settings(self) -> Settings:
        """Read the settings; the options of the command line win. Raises ``SettingsError``."""
        settings = read_settings(self.environment, self.config)
        if self.address is not None:
            settings = replace(settings, grpc_address=checked_address("--address", self.address))
        return replace(settings, policy=self.policy or settings.policy)

    def write(self, text: str) -> None:
        """Write a line for machines: as it is, never wrapped, never coloured."""
        self.out.file.write(text + "\n")


def plain(text: str) -> str:
    """Give text that a terminal shows and does not obey."""
    return (
        text
        if text.isprintable()
        else "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)
    )


def table(*headings: str, title: str = "") -> Table:
    """Begin a table in the house style. Only its last column wraps; the others keep their words together."""
    made = Table(box=TABLE_STYLE, title=title or None, title_justify="left", title_style="bold", pad_edge=False)
    for heading in headings[:-1]:
        made.add_column(heading, no_wrap=True)
    made.add_column(headings[-1], overflow="fold")
    return made


def new_console() -> Console:
    """Open standard output: no markup, so that brackets in a text are brackets."""
    return Console(markup=False, highlight=False, emoji=False)
