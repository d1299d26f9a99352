"""The figures of a run: a table by room, and every mutant that survived."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from tests.mutation.crew import Outcome
from tests.mutation.mutants import Mutant
from tests.mutation.trial import KILLED, NOT_RUN, SURVIVED, TIMED_OUT


def score(outcomes: Sequence[Outcome]) -> float:
    """Return the percentage of mutants that a test noticed."""
    noticed = sum(outcome.result in {KILLED, TIMED_OUT} for outcome in outcomes)
    return 100 * noticed / len(outcomes) if outcomes else 100.0


def table(outcomes: Sequence[Outcome], equivalent: Collection[str]) -> Iterator[str]:
    """Yield a line for each room: mutants tried, noticed, survived, equivalent, and the score without those."""
    yield f"{'room':32} {'tried':>6} {'noticed':>8} {'survived':>9} {'equivalent':>11} {'score':>7}"
    rooms: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        rooms.setdefault(_room(outcome.mutant.path), []).append(outcome)
    for room, of_room in [*sorted(rooms.items()), ("all", list(outcomes))]:
        counts = Counter(outcome.result for outcome in of_room)
        same = sum(outcome.mutant.key in equivalent for outcome in of_room)
        counted = [outcome for outcome in of_room if outcome.mutant.key not in equivalent]
        noticed = counts[KILLED] + counts[TIMED_OUT]
        survived = counts[SURVIVED] + counts[NOT_RUN] - same
        yield f"{room:32} {len(of_room):6} {noticed:8} {survived:9} {same:11} {score(counted):6.1f}%"


def survivors(outcomes: Sequence[Outcome], equivalent: Collection[str]) -> Iterator[str]:
    """Yield the place and the key of every mutant that survived and is not known to change nothing."""
    for outcome in sorted(outcomes):
        mutant = outcome.mutant
        if outcome.result in {SURVIVED, NOT_RUN} and mutant.key not in equivalent:
            note = "" if outcome.result == SURVIVED else " (no test reaches it)"
            yield f"{mutant.path}:{mutant.line}{note}\n    {mutant.key}"


def stale(equivalent: Collection[str], mutants: Sequence[Mutant]) -> Iterator[str]:
    """Yield a line for each mutant that is listed as equivalent and that the code no longer has."""
    for key in sorted(set(equivalent) - {mutant.key for mutant in mutants}):
        yield f"no longer a mutant, take it out of equivalent.toml: {key}"


def _room(path: str) -> str:
    parent = Path(path).parent
    return str(parent) if path.startswith("server/") else "/".join(parent.parts[:2])
