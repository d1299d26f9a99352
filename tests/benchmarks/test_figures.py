"""Figures and their targets: a bound that is not set asks for nothing."""

import pytest

from benchmarks.reports.figures import Figure


@pytest.mark.parametrize(
    ("figure", "met"),
    [
        (Figure("cost", -3.2, 5, "%", most=5), True),
        (Figure("cost", 5.1, 5, "%", most=5), False),
        (Figure("ratio", 1.15, 5, least=1.15), True),
        (Figure("ratio", 1.14, 5, least=1.15), False),
        (Figure("both", 6, 5, least=1, most=5), False),
    ],
    ids=["below a bound and negative", "above it", "at a bound", "below it", "above one of two"],
)
def test_a_figure_is_met_within_its_bounds(figure: Figure, met: bool) -> None:
    assert figure.met is met
