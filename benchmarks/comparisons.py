"""What is asked of the service under load, and the control that each is compared with."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from benchmarks import people
from benchmarks.echo import path as echo_path
from benchmarks.load import Target
from benchmarks.processes import Serving, settle, start_echo
from benchmarks.rates import Case
from benchmarks.scene import Question, Scene, batch, behavioural, limited, prepared

CONCURRENCY = (1, 16, 64)
BATCHES_IN_FLIGHT = 4
"""More would wait for longer than a decision may take."""

_SPREAD = 4
"""So many processes of the load generator, each about another person."""

_OPTING_OUT = 1_000
"""Somebody whom no other case asks about: the service stores Global Privacy Control as an opt-out."""


class Comparison(NamedTuple):
    """A case: its questions, asked so many at a time, and the name of its control.

    The first comparison that names a control says what it is: the same questions put to the echo.
    """

    name: str
    questions: Sequence[Question]
    in_flight: int
    control: str


def comparisons() -> list[Comparison]:
    """Give everything that is measured, in order."""
    one = [behavioural("decide", people.request(0))]
    spread = [behavioural(f"spread-{number}", people.request(number)) for number in range(1, 1 + _SPREAD)]
    refused = [limited("limited", people.limiting_request(_OPTING_OUT))]
    asked = [behavioural("networks", people.request_with_networks(0))]
    return [
        *(Comparison(f"Decide, {width}", one, width, f"echo, {width}") for width in CONCURRENCY),
        Comparison("Decide, 4 people", spread, 16, "echo, 4 people"),
        Comparison("Decide, limited by the request", refused, 16, "echo, 16"),
        Comparison("Decide, 3 networks", asked, 16, "echo, 16"),
        Comparison(
            "PrepareBidRequest, 3 networks", [prepared("prepare", people.bid_request(0))], 16, "echo of a bid request"
        ),
        Comparison("DecideBatch of 32", [batch("batch", 0)], BATCHES_IN_FLIGHT, "echo of a batch"),
    ]


@contextmanager
def laid_out(scene: Scene, compared: Sequence[Comparison], directory: Path) -> Iterator[list[Case]]:
    """Make the cases, each after its control, and run the control while they are measured.

    The echo answers as many bytes as the service. Raises ``WrongAnswer``.
    """
    targets = {each.name: scene.target(each) for comparison in compared for each in comparison.questions}
    with start_echo([each.most_bytes for each in targets.values()], directory / "echo.log") as echo:
        settle()
        cases: dict[str, Case] = {}
        for each in compared:
            ours = [targets[question.name] for question in each.questions]
            if each.control not in cases:
                theirs = [_echoed(target, echo) for target in ours]
                cases[each.control] = Case(each.control, theirs, each.in_flight, echo.pid)
            cases[each.name] = Case(
                each.name, ours, each.in_flight, scene.service.pid, partial(scene.check, each.questions)
            )
        yield list(cases.values())


def _echoed(target: Target, echo: Serving) -> Target:
    return target._replace(address=echo.address, path=echo_path(target.most_bytes))
