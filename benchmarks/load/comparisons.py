"""What is asked of the service under load, and the control that each is compared with."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from benchmarks import people
from benchmarks.controls.echo import path as echo_path
from benchmarks.load.h2load import Target
from benchmarks.load.processes import Serving, settle, start_echo
from benchmarks.load.rates import Case
from benchmarks.load.scene import Question, Scene, batch, behavioural, limited, prepared

CONCURRENCY = (1, 16, 64, 256)
BATCHES_IN_FLIGHT = 4
"""More would wait for longer than a decision may take."""

_ADMITTED = 64
"""With more in flight the wait may exceed what a call is admitted for."""

_SPREAD = 4
"""Processes of the load generator, each about another person."""

_OPTING_OUT = 1_000
"""A person whom no other case asks about, because the service stores Global Privacy Control as an opt-out."""


class Comparison(NamedTuple):
    """A case: its questions, how many are in flight, and the name of its control.

    The first comparison that names a control says what it is: the same questions put to the echo.
    """

    name: str
    questions: Sequence[Question]
    in_flight: int
    control: str
    gate: str = "http2"


ECHO_H2CORN = "h2corn's echo, 64"
OTHER_GATE = "grpcio"


def comparisons() -> list[Comparison]:
    """Return everything that is measured, in order."""
    one = [behavioural("decide", people.request(0))]
    spread = [behavioural(f"spread-{number}", people.request(number)) for number in range(1, 1 + _SPREAD)]
    refused = [limited("limited", people.limiting_request(_OPTING_OUT))]
    asked = [behavioural("networks", people.request_with_networks(0))]
    return [
        *(Comparison(f"Decide, {width}", one, width, f"echo, {width}") for width in CONCURRENCY),
        *(Comparison(f"Decide on grpcio, {width}", one, width, f"echo, {width}", OTHER_GATE) for width in (16, 64)),
        Comparison("Decide, 4 people", spread, 16, "echo, 4 people"),
        Comparison("Decide, limited by the request", refused, 16, "echo, 16"),
        Comparison("Decide, 3 networks", asked, 16, "echo, 16"),
        Comparison(
            "PrepareBidRequest, 3 networks", [prepared("prepare", people.bid_request(0))], 16, "echo of a bid request"
        ),
        Comparison("DecideBatch of 32", [batch("batch", 0)], BATCHES_IN_FLIGHT, "echo of a batch"),
    ]


class Scenes(NamedTuple):
    """The service behind each gate; both are about the same people."""

    http2: Scene
    grpcio: Scene

    def of(self, gate: str) -> Scene:
        """Return the service behind a gate."""
        return self.grpcio if gate == OTHER_GATE else self.http2


@contextmanager
def laid_out(scenes: Scenes, compared: Sequence[Comparison], directory: Path) -> Iterator[list[Case]]:
    """Make the cases, each after its control, and run the controls while they are measured.

    The echoes answer as many bytes as the service. Raises ``WrongAnswer``.
    """
    targets = {
        (comparison.gate, question.name): scenes.of(comparison.gate).target(question)
        for comparison in compared
        for question in comparison.questions
    }
    sizes = [target.most_bytes for target in targets.values()]
    with (
        start_echo(sizes, directory / "echo.log") as echo,
        start_echo(sizes, directory / "echo-h2corn.log", "benchmarks.controls.echo_h2corn") as echo_h2corn,
    ):
        settle()
        cases: dict[str, Case] = {}
        for comparison in compared:
            scene = scenes.of(comparison.gate)
            may_be_refused = comparison.in_flight > _ADMITTED
            ours = [
                targets[comparison.gate, question.name]._replace(may_be_refused=may_be_refused)
                for question in comparison.questions
            ]
            if comparison.control not in cases:
                theirs = [_echoed(target, echo) for target in ours]
                cases[comparison.control] = Case(comparison.control, theirs, comparison.in_flight, echo.pid)
            check = partial(scene.check, comparison.questions)
            cases[comparison.name] = Case(comparison.name, ours, comparison.in_flight, scene.service.pid, check)
        decided = [_echoed(target, echo_h2corn) for target in cases["Decide, 64"].targets]
        cases[ECHO_H2CORN] = Case(ECHO_H2CORN, decided, 64, echo_h2corn.pid)
        yield list(cases.values())


def _echoed(target: Target, echo: Serving) -> Target:
    return target._replace(address=echo.address, path=echo_path(target.most_bytes))
