"""``adtargeting load-sample``: fill the store with a sample population.

Writes to the store itself, so it also works beside a running service; existing records stay as they are.
"""

import shlex
import time
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as ProgressBar

from server.cli.command import Command, program
from server.cli.failures import OK
from server.cli.shell import Shell, counted
from server.cli.store_access import open_store
from server.keys.secret_key import PSEUDONYMS, key_file
from server.policy.policy_file import load_policy
from server.sample.load import Loader, Progress
from server.sample.person import Person
from server.sample.personas import find_personas
from server.sample.population import population
from server.settings import Settings
from server.store.assembly import store_name
from server.store.keys import Pseudonyms
from server.store.record_cipher import PURPOSE, RecordCipher
from server.store.redis.backend import backend_of
from server.store.redis.primary import accept_any
from server.store.sealed import SealedRecords
from server.store.settling import new_trust, require_trust, settle
from targeting.policy.policy import DEFAULT_POLICY

MAX_PEOPLE = 10_000_000
MAX_SEED = 2**32 - 1
_SEARCHED_PEOPLE = 1000
_CONNECTIONS = 8


def add_arguments(parser: ArgumentParser) -> None:
    """Add the size and the seed of the population."""
    parser.add_argument(
        "--subjects", type=_number(1, MAX_PEOPLE), default=10_000, metavar="N", help="number of people (default: 10000)"
    )
    parser.add_argument(
        "--seed", type=_number(0, MAX_SEED), default=7, metavar="N", help="seed of the population (default: 7)"
    )


def run(options: Namespace, shell: Shell) -> int:
    """Load the population with a progress bar and print commands to try."""
    settings, now_s = shell.settings(), int(time.time())
    started = time.perf_counter()
    with opened_loader(settings) as loader:
        people = population(options.seed, options.subjects, now_s)
        written, left_alone = load(shell.out, loader.load(people, now_s), options.subjects)
    rate = options.subjects / (time.perf_counter() - started)
    people_text, written_text = counted(options.subjects, "person", "people"), counted(written, "subject")
    shell.out.print(f"{people_text}: {written_text} written, {rate:,.0f} people per second.")
    shell.out.print(f"Stored in {store_name(settings)}.")
    if left_alone:
        shell.out.print(f"Not changed: {counted(left_alone, 'subject')} that existed before.")
    _suggest(shell, population(options.seed, min(options.subjects, _SEARCHED_PEOPLE), now_s))
    return OK


@contextmanager
def opened_loader(settings: Settings) -> Iterator[Loader]:
    """Open a loader on the configured store, with the pseudonyms of the service."""
    policy = load_policy(Path(settings.policy)) if settings.policy else DEFAULT_POLICY
    # A store started for this command need not sync every batch: it syncs when it stops.
    with ExitStack() as closing:
        address = closing.enter_context(open_store(settings, fsync="everysec"))
        backend = backend_of(address, settings.key_prefix.encode(), accept_any)
        key = key_file(settings).open(backend.has_records)
        pseudonyms = Pseudonyms(key.derive(PSEUDONYMS), settings.key_prefix)
        trust = new_trust(settings, key.fingerprint)
        settle(trust, backend)
        require_trust(trust)
        stores = [backend.open_store(pseudonyms) for _ in range(_CONNECTIONS)]
        for store in stores:
            closing.callback(store.close)
        cipher, seals = RecordCipher(key.derive(PURPOSE)), settings.encrypt_records == "yes"
        sealed = [SealedRecords(store, cipher, seals=seals) for store in stores]
        yield Loader(sealed, pseudonyms, policy.retention.profile_days)


def load(out: Console, loading: Iterable[Progress], total: int) -> tuple[int, int]:
    """Load with a progress bar. Return how many subjects were written and how many existed before."""
    written = left_alone = 0
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=30), MofNCompleteColumn(), TimeRemainingColumn())
    with ProgressBar(*columns, console=out, disable=not out.is_terminal) as bar:
        task = bar.add_task("Loading people", total=total)
        for done in loading:
            bar.advance(task, done.people)
            written += done.written
            left_alone += done.left_alone
    return written, left_alone


def _suggest(shell: Shell, people: Iterable[Person]) -> None:
    """Print a command about one person of each kind, as it can be pasted: unwrapped, with the options given here."""
    called = shlex.join([program(), *_options(shell)])
    for persona, person in find_personas(people).items():
        shell.out.print(f"\n# {persona.value}", highlight=False)
        shell.write(f"{called} decide --account {person.account_id} --ip {person.ip}")


def _options(shell: Shell) -> Iterator[str]:
    if shell.config is not None:
        yield from ("--config", str(shell.config))
    if shell.address is not None:
        yield from ("--address", shell.address)
    for name, value in shell.tls._asdict().items():
        option = f"--{name.replace('_', '-')}"
        yield from (option,) if value is True else (option, str(value)) if value else ()


def _number(low: int, high: int) -> Callable[[str], int]:
    def number(value: str) -> int:
        if not (value.isascii() and value.isdigit() and len(value) < 12 and low <= int(value) <= high):
            raise ArgumentTypeError(f"must be a whole number from {low} to {high}")
        return int(value)

    return number


LOAD_SAMPLE = Command(add_arguments, run)
