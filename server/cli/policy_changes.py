"""The lines that say what a policy loosens and tightens: those of ``check-policy --against`` and of ``replay``."""

from argparse import ArgumentParser
from collections.abc import Collection, Sequence
from typing import Final

from server.cli.shell import Shell, plain
from targeting.policy.comparison import is_allowed
from targeting.policy.directions import Effect

NOT_ALLOWED: Final = ("loosening that is not allowed", "loosenings that are not allowed")


def add_allowances(parser: ArgumentParser) -> None:
    """Add the loosenings that are allowed."""
    parser.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="NAME",
        help="a loosening that is intended, such as networks.acme.fields or networks.acme; repeatable",
    )


def is_refused(name: str, effect: Effect, allowed: Sequence[str]) -> bool:
    """Whether a change is a loosening that is not allowed by its name or a name above it."""
    return effect is Effect.LOOSENS and not is_allowed(name, allowed)


def note_unused(shell: Shell, loosenings: Collection[str], allowed: Sequence[str]) -> None:
    """Note every allowance that no loosening needs, with the loosenings that are named by a table above it."""
    for allowance in allowed:
        if any(is_allowed(name, [allowance]) for name in loosenings):
            continue
        above = sorted({name for name in loosenings if allowance.startswith(f"{name}.")})
        remedy = f"; the loosening found is {', '.join(above)}" if above else ""
        shell.note(plain(f"--allow {allowance} allows nothing: no loosening has this name or one below it{remedy}"))


def print_change(shell: Shell, name: str, effect: Effect, text: str, allowed: Sequence[str]) -> None:
    """Print one change."""
    mark = " (allowed)" if effect is Effect.LOOSENS and is_allowed(name, allowed) else ""
    shell.out.print(f"{effect}{mark} {plain(name)}: {text}")
